"""Bodies and replies in memory: who holds much does not keep out who needs little."""

import asyncio
import contextlib
import http.client
import json
import re
import socket

import cv2
import numpy as np
import pytest

pytest.importorskip("fastapi")
from http_talk import head, raw
from local_handlers import LocalHandler
from waiting import TIME_LIMIT, until
from web_support import PICTURE, RectangleDescriber, post

from i2t_ros.types import Description, Scene

BODY = 200_000
FORM = b'--x\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n'
SHAPES = {
    "length": ({"content_length": BODY, "content_type": "image/png"}, b""),
    "chunked": ({"transfer_encoding": "chunked", "content_type": "image/png"}, b"30d40\r\n"),
    "form": ({"content_length": BODY, "content_type": "multipart/form-data;boundary=x"}, FORM),
    "curl": (
        {"content_length": BODY, "content_type": "application/x-www-form-urlencoded"},
        PICTURE,
    ),
}


def used(bridge):
    return bridge.services.memory.used


@pytest.mark.parametrize("shape", SHAPES)
def test_an_innocent_request_is_answered_beside_forty_that_hold_what_they_can(web, shape):
    bridge = web(max_memory_bytes=1_000_000, max_body_bytes=BODY, idle_time=TIME_LIMIT)
    headers, begin = SHAPES[shape]
    with contextlib.ExitStack() as stack:
        opened = [stack.enter_context(raw(bridge)) for _ in range(40)]
        for sock in opened:
            sock.sendall(head(bridge, **headers) + begin + bytes(BODY - 1000 - len(begin)))
        until(lambda: used(bridge) > 750_000, "most of it is taken")
        counter = {"method": "POST", "route": "/v1/describe", "status": "503"}
        until(lambda: bridge.metric("i2t_http_requests_total", **counter) >= 35, "refused")
        with bridge.client() as client:
            for _ in range(3):
                assert client.post("/v1/describe", content=PICTURE).status_code == 200
            held = re.search(r"^i2t_request_bytes (\S+)$", client.get("/metrics").text, re.M)
        assert 750_000 < float(held[1]) <= 1_000_000
        refused = 0
        for sock in opened:  # those that were refused have their reply, though they are silent
            sock.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                reply = sock.recv(4096)
                assert reply.startswith(b"HTTP/1.1 503 ")
                assert b"retry-after: 1" in reply
                assert b'"code":"busy"' in reply.replace(b" ", b"")
                refused += 1
        assert refused >= 35
    until(lambda: used(bridge) == 0, "all of it is free")
    assert not bridge.services.memory.growing


class Waiting(LocalHandler):
    """Answers when told to."""

    go_on = False

    async def describe(self, request):
        while not self.go_on:
            await asyncio.sleep(0.01)
        return await super().describe(request)


def test_requests_that_are_being_answered_count_and_are_not_refused(web):
    size = len(PICTURE)
    sent = {"content_length": size, "content_type": "image/png"}
    with contextlib.closing(Waiting(RectangleDescriber())) as handler:
        bridge = web(handler=handler, max_memory_bytes=2 * size + 10, max_body_bytes=size)
        with raw(bridge) as first, raw(bridge) as second, raw(bridge) as third:
            for sock in (first, second):
                sock.sendall(head(bridge, **sent) + PICTURE)
            until(lambda: used(bridge) == 2 * size, "both are there")
            third.sendall(head(bridge, **sent) + PICTURE)
            assert status(third) == (503, "busy")
            handler.go_on = True
            assert status(first) == status(second) == (200, None)
        until(lambda: used(bridge) == 0, "all of it is free")


def status(sock):
    """Return the status of a reply and the code of its error."""
    reply = http.client.HTTPResponse(sock)
    reply.begin()
    return reply.status, json.loads(reply.read()).get("error", {}).get("code")


@pytest.mark.parametrize("shape", SHAPES)
def test_nothing_is_counted_for_those_who_have_left(web, shape):
    bridge = web(max_body_bytes=BODY, max_memory_bytes=10 * BODY)
    headers, begin = SHAPES[shape]
    for _ in range(5):
        with raw(bridge) as sock:
            sock.sendall(head(bridge, **headers) + begin + bytes(1000))
            until(lambda: used(bridge), "it has come")
        until(lambda: used(bridge) == 0, "it has left")


def linked_picture(bridge):
    """Have 3 MB described; return the path of the drawing, which is as large."""
    large = cv2.imencode(".bmp", np.full((1000, 1000, 3), 90, np.uint8))[1].tobytes()
    with bridge.client() as client:
        return post(client, large, "?annotate=1")["annotated"]


def frames(bridge):
    """Show a camera's frames of 3 MB; return the path of its stream."""
    bridge.on_loop(bridge.hub.add, "front")
    bridge.on_loop(bridge.hub.publish, "front", raw=bytes(3_000_000))
    return "/stream?annotated=0"


def words(bridge):
    """Say 3 MB of words about a camera; return the path of its live words."""
    long = Description(Scene(8, 8, {}), "x" * 3_000_000, "en", "sentence", "fake", 0.0)
    bridge.on_loop(bridge.hub.add, "front")
    bridge.on_loop(bridge.hub.publish, "front", words=long)
    return "/v1/live"


@pytest.mark.parametrize("make", [linked_picture, frames, words])
def test_replies_that_nobody_reads_are_counted_and_give_way(web, caplog, make):
    limits = {"max_memory_bytes": 10_000_000, "max_body_bytes": 5_000_000, "header_time": 0.5}
    bridge = web(**limits, send_time=TIME_LIMIT)
    path = make(bridge)
    with contextlib.ExitStack() as stack:
        opened = [stack.enter_context(raw(bridge)) for _ in range(12)]
        for sock in opened:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.sendall(f"GET {path} HTTP/1.1\r\nHost: {bridge.host}\r\n\r\n".encode())
        until(lambda: used(bridge) > 8_000_000, "most of it is taken")
        assert used(bridge) <= 10_000_000
        with bridge.client() as client:
            for _ in range(3):
                assert client.post("/v1/describe", content=PICTURE).status_code == 200
        state = bridge.server._server.server_state
        until(lambda: len(state.connections) <= 4, "those that had to give way are cut off")
    until(lambda: used(bridge) == 0, "all of it is free")
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


def test_a_large_reply_arrives_whole_and_beyond_the_limit_is_refused(web):
    bridge = web(max_memory_bytes=5_000_000, max_body_bytes=5_000_000)
    path = linked_picture(bridge)
    with bridge.client() as client:
        assert client.get(path).content == bytes(bridge.services.pictures[path.split("/")[-1]])
        bridge.services.memory.limit = 2_000_000
        refused = client.get(path)
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "busy")
        assert client.get("/healthz").status_code == 200
