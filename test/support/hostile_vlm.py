"""A server with the chat-completions API that answers as told: well, badly or not at all.

    with hostile_vlm.serving(good(["Yes", "."])) as server:
        client(server.url).ask(...)
        asked = server.next_asked()         # the request: path, headers, body
        server.play = status(500)           # from now on
        assert asked.closed.wait(30)        # the client hung up before the answer was whole

What it plays is a function of a Reply. The functions below make some. Where one has to wait it
waits for an Event of the test's, and gives up when the client hangs up or the server ends.
"""

import json
import zlib

import told_server
from told_server import PIECE

MEGABYTE = 1 << 20


def serving(play, models=None):
    """Serve on a free port of the loopback until the block ends; see told_server.Server."""
    return told_server.serving(play, models or model_list("tiny"))


def piece(text=None, finish=None, **delta):
    """Return one piece of a streamed answer, as the API has it."""
    delta |= {} if text is None else {"content": text}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "tiny",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }


def _begin(reply):
    reply.head()
    reply.event(piece(role="assistant", content=None))


def good(words, *, gate=None, finish="stop", reasoning=(), pings=False, usage=False):
    """Stream words as they are; with a gate, all but the first only when it opens.

    reasoning  what the model thinks first, in a field of its own, as llama.cpp and vLLM send it.
               Inside the text, as others do, it is ["<think>", "Hm.", "</think>", "Yes."] in words.
    pings      lines between that mean nothing, as hosted servers send them to keep a connection
    usage      a last piece without choices, which counts tokens
    """

    def play(reply):
        _begin(reply)
        for thought in reasoning:
            reply.event(piece(reasoning_content=thought))
        for place, word in enumerate(words):
            if gate is not None and place == 1:
                reply.wait(gate)
            if pings:
                reply.part(": processing\n\n")
            reply.event(piece(word))
        reply.event(piece(finish=finish))
        if usage:
            counts = {"prompt_tokens": 1, "completion_tokens": len(words), "total_tokens": 2}
            reply.event(piece() | {"choices": [], "usage": counts})
        reply.event("[DONE]")
        reply.finish()

    return play


def slow(gate, words=("Late.",), *, head_first=True):
    """Say nothing until the gate opens: not even a status, or nothing after it."""

    def play(reply):
        if not head_first:
            reply.wait(gate)
        _begin(reply)
        if head_first:
            reply.wait(gate)
        for word in words:
            reply.event(piece(word))
        reply.event(piece(finish="stop"))
        reply.event("[DONE]")
        reply.finish()

    return play


def cut(words, *, reset=False):
    """Close the connection in the middle of the answer."""

    def play(reply):
        _begin(reply)
        for word in words:
            reply.event(piece(word))
        if reset:
            reply.reset()

    return play


def unfinished(words):
    """End the stream in good order, but with neither a finish_reason nor [DONE]."""

    def play(reply):
        _begin(reply)
        for word in words:
            reply.event(piece(word))
        reply.finish()

    return play


def status(code, message="no", **headers):
    """Refuse as the API does: ``status(429, Retry_After="3")``."""
    body = json.dumps({"error": {"message": message, "type": "error", "code": code}})
    return lambda reply: reply.whole(code, "application/json", body, **headers)


def html(code=200):
    """Answer with a page: there is some other server."""
    page = "<!doctype html><html><title>Welcome to nginx!</title></html>"
    return lambda reply: reply.whole(code, "text/html", page)


def redirect(address):
    """Send the client, and with it the picture, elsewhere."""
    return lambda reply: reply.whole(307, "text/plain", "", Location=address)


def in_one_piece(words, **more):
    """Answer in one JSON object, though a stream was asked for."""
    choice = {"index": 0, "message": {"role": "assistant", "content": "".join(words)}}
    choice["finish_reason"] = "stop"
    body = json.dumps(piece() | {"object": "chat.completion", "choices": [choice]} | more)
    return lambda reply: reply.whole(200, "application/json", body)


def lines(*values):
    """Stream these as they are, or as JSON if they are no text, and end in good order."""

    def play(reply):
        reply.head()
        for value in values:
            reply.event(value)
        reply.finish()

    return play


def wrong_json():
    """Break off in the middle of a piece's JSON."""
    return lines(piece("A"), '{"choices": [{"delta": {"content": "B', "[DONE]")


def error_inside(message="out of memory"):
    """Fail in the middle of the stream, and say so there."""
    error = {"error": {"message": message, "type": "server_error", "code": 500}}
    return lines(piece("A"), error, "[DONE]")


def empty():
    """Say nothing, in good order."""
    return lines(piece(role="assistant"), piece(finish="stop"), "[DONE]")


def endless(word=" word"):
    """Stream words until the client hangs up."""

    def play(reply):
        _begin(reply)
        while True:
            reply.event(piece(word))

    return play


def endless_line():
    """Stream one line that never ends."""

    def play(reply):
        reply.head()
        reply.part('data: {"choices": [{"delta": {"content": "')
        while True:
            reply.part(b"a" * PIECE)

    return play


def endless_headers():
    """Begin an answer whose headers never end."""

    def play(reply):
        reply.raw(b"HTTP/1.1 200 OK\r\n")
        while True:
            reply.raw(b"X-More: more\r\n")

    return play


def huge(megabytes=32):
    """Stream a single piece of many megabytes."""
    return lines(piece("a" * megabytes * MEGABYTE), piece(finish="stop"), "[DONE]")


def gzip_bomb(megabytes=64):
    """Stream a piece that is a thousand times as long when it is unpacked."""
    packer = zlib.compressobj(1, wbits=31)
    before, after = f"data: {json.dumps(piece('|'))}\n\ndata: [DONE]\n\n".split("|")
    packed = packer.compress(before.encode())
    for _ in range(megabytes):
        packed += packer.compress(b"a" * MEGABYTE)
    packed += packer.compress(after.encode()) + packer.flush()

    def play(reply):
        reply.head(Content_Encoding="gzip")
        reply.part(packed)
        reply.finish()

    return play


def model_list(*names):
    """Answer with a list of models."""
    data = [{"id": name, "object": "model", "created": 1, "owned_by": "us"} for name in names]
    body = json.dumps({"object": "list", "data": data})
    return lambda reply: reply.whole(200, "application/json", body)
