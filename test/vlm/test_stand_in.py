"""The stand-in of a language model's server does what it says."""

import contextlib
import gzip
import json
import threading

import hostile_vlm
import httpx
import pytest
from hostile_vlm import MEGABYTE, good, serving

QUESTION = {
    "model": "tiny",
    "messages": [
        {"role": "system", "content": "You see."},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What?"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}},
            ],
        },
    ],
}
OPEN = threading.Event()
OPEN.set()


@contextlib.contextmanager
def asking(server):
    address = f"{server.url}/chat/completions"
    with httpx.stream("POST", address, json=QUESTION, timeout=20) as reply:
        yield reply


def answer(play):
    with serving(play) as server, asking(server) as reply:
        reply.read()
        assert server.next_asked().done.wait(20)
        assert not server.asked[0].closed.is_set()
    return reply


def pieces(play):
    lines = answer(play).text.split("\n\n")
    return [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]


def words(play):
    deltas = [json.loads(line)["choices"][0]["delta"] for line in pieces(play)[:-1]]
    return [delta["content"] for delta in deltas if delta.get("content")]


def test_what_was_asked_is_kept():
    with serving(good(["Yes"])) as server, asking(server):
        asked = server.next_asked()
        assert (asked.path, asked.body) == ("/v1/chat/completions", QUESTION)
        assert (asked.text, asked.pictures) == ("You see.\nWhat?", ["data:image/png;base64,AA=="])
        assert httpx.get(f"{server.url}/models").json()["data"][0]["id"] == "tiny"


def test_a_good_answer():
    assert words(good(["A", " door"])) == ["A", " door"]
    *_, last, usage, done = pieces(good(["A"], finish="length", usage=True, pings=True))
    assert json.loads(last)["choices"][0]["finish_reason"] == "length"
    assert (json.loads(usage)["choices"], done) == ([], "[DONE]")
    assert "reasoning_content" in pieces(good(["A"], reasoning=["Hm"]))[1]


@pytest.mark.parametrize(
    ("play", "first"),
    [(lambda gate: good(["A", "B"], gate=gate), b"A"), (hostile_vlm.slow, b"assistant")],
)
def test_what_waits_goes_on_when_it_may(play, first):
    gate = threading.Event()
    with serving(play(gate)) as server, asking(server) as reply:
        received = b""
        parts = reply.iter_raw()
        while first not in received:
            received += next(parts)
        assert b"DONE" not in received
        gate.set()
        assert b"DONE" in b"".join(parts)


@pytest.mark.parametrize(
    "play",
    [
        hostile_vlm.endless(),
        hostile_vlm.endless_line(),
        hostile_vlm.slow(threading.Event()),
        good(["A", "B"], gate=threading.Event()),
    ],
)
def test_it_notes_that_the_client_hangs_up(play):
    with serving(play) as server:
        with asking(server) as reply:
            parts = reply.iter_raw()
            assert next(parts)
            asked = server.next_asked()
            assert not asked.closed.is_set()
        assert asked.closed.wait(20)
        assert asked.done.wait(20)


def test_silence_before_the_first_byte_and_the_end_of_the_block():
    with serving(hostile_vlm.slow(threading.Event(), head_first=False)) as server:
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(f"{server.url}/chat/completions", json=QUESTION, timeout=0.2)
        assert server.next_asked().closed.wait(20)


@pytest.mark.parametrize("reset", [False, True])
def test_a_cut_stream(reset):
    with serving(hostile_vlm.cut(["A"], reset=reset)) as server:
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)), asking(server) as reply:
            reply.read()
        assert not server.next_asked().closed.is_set()


def test_an_unfinished_stream():
    assert words(hostile_vlm.unfinished(["A", "B", "C"])) == ["A", "B"]  # `words` drops the last
    assert 'finish_reason": "' not in answer(hostile_vlm.unfinished(["A"])).text


@pytest.mark.parametrize(
    ("play", "status", "kind"),
    [
        (hostile_vlm.status(401), 401, "application/json"),
        (hostile_vlm.status(429, Retry_After="3"), 429, "application/json"),
        (hostile_vlm.html(), 200, "text/html"),
        (hostile_vlm.redirect("http://elsewhere.invalid/"), 307, "text/plain"),
        (hostile_vlm.in_one_piece(["A", "B"]), 200, "application/json"),
    ],
)
def test_answers_that_are_no_stream(play, status, kind):
    reply = answer(play)
    assert (reply.status_code, reply.headers["Content-Type"]) == (status, kind)
    expected = {429: ("Retry-After", "3"), 307: ("Location", "http://elsewhere.invalid/")}
    name, value = expected.get(status, ("Connection", "close"))
    assert reply.headers[name] == value


def test_streams_of_nonsense():
    with pytest.raises(json.JSONDecodeError):
        words(hostile_vlm.wrong_json())
    assert "error" in json.loads(pieces(hostile_vlm.error_inside())[1])
    assert words(hostile_vlm.empty()) == []
    assert len(words(hostile_vlm.huge(2))[0]) == 2 * MEGABYTE


def test_a_gzip_bomb():
    with serving(hostile_vlm.gzip_bomb(4)) as server, asking(server) as reply:
        packed = b"".join(reply.iter_raw())
    assert len(packed) < MEGABYTE / 10
    assert len(gzip.decompress(packed)) > 4 * MEGABYTE


def test_headers_without_end():
    with serving(hostile_vlm.endless_headers()) as server:
        with pytest.raises(httpx.RemoteProtocolError), asking(server):
            pass
        assert server.next_asked().closed.wait(20)
