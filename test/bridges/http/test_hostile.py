"""What comes in bad faith, or from something broken: refused, and nobody else notices."""

import os
import socket
import struct
import threading
import time
import zlib

import httpx
import pytest

pytest.importorskip("fastapi")
from http_talk import HANDSHAKE, head, raw
from waiting import TIME_LIMIT, until
from web_support import PICTURE, is_served

from i2t_ros.bridges.http import waiting
from i2t_ros.bridges.http.middleware.limits import AddressLimits
from i2t_ros.bridges.http.routes.pages import STATIC


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def bomb(width=30_000, height=30_000):
    """Return a small PNG of 900 megapixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes(3 * min(width, 30_000) + 1) * 100, 9)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )


# --- pictures


@pytest.mark.parametrize(
    ("picture", "status", "code"),
    [
        (b"", 422, "empty_image"),
        (b"hello", 422, "not_an_image"),
        (b"<?php system($_GET[0]); ?>" * 100, 422, "not_an_image"),
        (b"GIF89a" + bytes(100), 415, "unsupported_format"),
        (b"%PDF-1.4" + bytes(100), 415, "unsupported_format"),
        (PICTURE[:20], 422, "truncated_image"),
        (PICTURE[:-40], 422, "truncated_image"),
        (b"\xff\xd8\xff\xe0" + bytes(500), 422, "truncated_image"),
        (bomb(), 413, "image_too_large"),
        (bomb(2**31 - 1, 2**31 - 1), 413, "image_too_large"),
        (bomb(0, 10), 422, None),
    ],
)
def test_what_is_no_picture_worth_looking_at(plain_web, picture, status, code):
    bridge = plain_web
    with bridge.client() as client:
        reply = client.post("/v1/describe", content=picture, headers={"content-type": "image/png"})
        assert reply.status_code == status
        assert code is None or reply.json()["error"]["code"] == code
        assert client.post("/upload", files={"file": picture}).status_code == status
    assert is_served(bridge)


def test_a_picture_above_the_bridges_own_limit_does_not_reach_the_handler(web):
    bridge = web(max_pixels=320 * 240 - 1)
    with bridge.client() as client:
        assert client.post("/v1/describe", content=PICTURE).status_code == 413
    assert bridge.describer.asked == []


# --- bodies


def test_a_body_that_says_it_is_too_large_is_refused_before_it_is_sent(web):
    bridge = web(max_body_bytes=1000)
    with raw(bridge) as sock:
        sock.sendall(head(bridge, content_length=10**12, content_type="image/png"))
        assert sock.recv(4096).startswith(b"HTTP/1.1 413 ")


def test_a_body_that_turns_out_too_large_is_refused(web):
    bridge = web(max_body_bytes=100_000)

    def endless():
        for _ in range(100):
            yield bytes(10_000)

    with bridge.client() as client:
        reply = client.post("/v1/describe", content=endless())
        assert (reply.status_code, reply.json()["error"]["code"]) == (413, "body_too_large")
        parts = client.post("/v1/describe", files={"image": bytes(200_000)})
        assert parts.status_code == 413
    assert is_served(web())


def test_headers_without_an_end(web):
    bridge = web(header_time=0.5)
    line = b"X-A: " + b"a" * 1000 + b"\r\n"
    with raw(bridge) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\n")
        with pytest.raises(OSError):  # noqa: PT011 (reset or broken pipe)
            sock.sendall(line * 200_000)
    assert is_served(bridge)


# --- time


def slow_loris(bridge, data, every):
    """Send a byte now and then; return what came back and the seconds until the end."""
    began = time.monotonic()
    pause = threading.Event()
    with raw(bridge) as sock:
        try:
            for byte in data:
                sock.sendall(bytes([byte]))
                pause.wait(every)
            return sock.recv(4096), time.monotonic() - began
        except OSError:
            return b"", time.monotonic() - began


def test_slow_headers_silence_and_a_second_slow_request_are_cut_off(web):
    bridge = web(header_time=0.5)
    reply, seconds = slow_loris(bridge, b"GET /healthz HTTP/1.1\r\n" * 100, 0.05)
    assert reply == b""
    assert 0.4 < seconds < TIME_LIMIT  # all of it would take four times as long
    with raw(bridge) as silent:
        assert silent.recv(10) == b""
    with raw(bridge) as second:
        second.sendall(f"GET /healthz HTTP/1.1\r\nHost: {bridge.host}\r\n\r\n".encode())
        reply = b""
        while not reply.endswith(b'{"status":"ok"}'):
            reply += second.recv(4096)
        second.sendall(b"GET /heal")
        assert second.recv(4096) == b""
    assert is_served(bridge)


def test_slow_bodies_get_an_answer(web):
    bridge = web(idle_time=0.3)
    with raw(bridge) as idle:
        idle.sendall(head(bridge, content_length=1000, content_type="image/png") + b"\x89PNG")
        assert idle.recv(4096).startswith(b"HTTP/1.1 408 ")
    bridge = web(idle_time=TIME_LIMIT, receive_time=0.8)
    with raw(bridge) as dripping:
        pause, began = threading.Event(), time.monotonic()
        dripping.sendall(head(bridge, content_length=1000, content_type="image/png"))
        dripping.settimeout(0.1)
        while True:
            try:
                reply = dripping.recv(4096)
                break
            except TimeoutError:
                dripping.sendall(b"x")
                pause.wait(0.01)
        assert reply.startswith(b"HTTP/1.1 408 ")
        assert 0.7 < time.monotonic() - began < TIME_LIMIT  # all of it would take longer
    assert is_served(bridge)


def test_one_who_does_not_read_is_cut_off(web):
    bridge = web(send_time=0.3, header_time=10 * TIME_LIMIT)  # which is not what cuts it off
    with raw(bridge) as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        request = (
            f"GET /static/swagger-ui-bundle.js HTTP/1.1\r\nHost: {bridge.host}\r\n\r\n".encode()
        )
        for _ in range(4):
            deaf.sendall(request)
        opened = bridge.server._server.server_state.connections
        until(lambda: opened, "connected")
        until(lambda: not opened, "cut off")
    assert is_served(bridge)


def test_those_who_leave_in_the_middle_leave_nothing_behind(web, caplog):
    bridge = web()
    for share in range(5):
        with raw(bridge) as sock:
            data = head(bridge, content_length=len(PICTURE), content_type="image/png") + PICTURE
            sock.sendall(data[: len(data) * share // 5])
            no_linger = struct.pack("ii", 1, 0)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, no_linger)
    server = bridge.server._server
    until(lambda: not server.server_state.connections, "all gone")
    until(lambda: not server.server_state.tasks, "no task is left")
    assert "Traceback" not in caplog.text


def test_more_connections_than_allowed(web):
    bridge = web(max_connections=4, header_time=3.0)
    opened = [raw(bridge) for _ in range(12)]
    try:
        cut = 0
        for sock in opened[8:]:
            try:
                cut += sock.recv(10) == b""
            except OSError:
                cut += 1
        assert cut == 4
        with bridge.client() as client, pytest.raises(Exception, match=r"disconnected|reset"):
            client.get("/healthz")
    finally:
        for sock in opened:
            sock.close()
    until(lambda: not bridge.server._server.server_state.connections, "all gone")
    assert is_served(bridge)


def test_as_many_connections_as_allowed_are_served_and_one_more_is_told(web):
    bridge = web(max_connections=2)
    with bridge.client() as first, bridge.client() as second, bridge.client() as third:
        for client in (first, second, first):
            assert client.get("/healthz").status_code == 200
        refused = third.get("/healthz")
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "busy")
    assert refused.headers["retry-after"] == "1"


@pytest.mark.parametrize("tls", [False, True])
def test_who_only_holds_connections_gives_way(web, monkeypatch, certificate, tls):
    monkeypatch.setattr(waiting, "YIELD_AFTER", 0.1)
    options = {"tls": True, "certificate": certificate[0], "key": certificate[1]} if tls else {}
    # The time for headers is not what frees a place.
    bridge = web(max_connections=3, header_time=10 * TIME_LIMIT, **options)
    opened = [raw(bridge) for _ in range(6)]
    try:
        for number in range(10):
            opened.append(raw(bridge))  # for TLS, without a handshake
            if number % 2:
                opened[-1].sendall(b"GET /healthz HTTP/1.1\r\n")
            threading.Event().wait(0.05)
        with bridge.client(verify=False) as client:
            until(lambda: answered(client), "an innocent client is answered")
    finally:
        for sock in opened:
            sock.close()


def test_cameras_that_are_replaced_and_stay_hold_no_place(web):
    bridge = web(max_connections=4)
    bridge.services.replacements = AddressLimits(0.0)
    opened = []
    try:
        for _ in range(12):  # none answers the close frame
            opened.append(raw(bridge))
            opened[-1].sendall(HANDSHAKE.replace(b"/ws", b"/ws/door") % b"")
            assert opened[-1].recv(100).startswith(b"HTTP/1.1 101 ")
        with bridge.client() as client:
            assert client.get("/healthz").status_code == 200
    finally:
        for sock in opened:
            sock.close()


@pytest.mark.parametrize("held", ["body", "chunks", "form", "reply"])
def test_who_does_not_finish_a_body_or_read_a_reply_gives_way(web, monkeypatch, held):
    monkeypatch.setattr(waiting, "YIELD_AFTER", 0.1)
    times = ("header_time", "idle_time", "receive_time", "send_time")
    bridge = web(max_connections=3, **dict.fromkeys(times, 10 * TIME_LIMIT))
    form = {"content_type": "multipart/form-data; boundary=x", "content_length": 1000}
    sent = {
        "body": head(bridge, content_type="image/png", content_length=1000) + b"\x89PNG",
        "chunks": head(bridge, transfer_encoding="chunked") + b"5\r\nhello\r\n",
        "form": head(bridge, **form) + b"--x\r\n",
        "reply": b"GET /static/swagger-ui-bundle.js HTTP/1.1\r\nHost: localhost\r\n\r\n",
    }
    opened = [raw(bridge) for _ in range(6)]
    try:
        for sock in opened:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.sendall((4 if held == "reply" else 1) * sent[held])
        with bridge.client() as client:
            until(lambda: answered(client), "an innocent client is answered")
    finally:
        for sock in opened:
            sock.close()


def answered(client):
    try:
        return client.get("/healthz").status_code == 200
    except httpx.TransportError:
        return False


# --- paths


@pytest.mark.parametrize(
    "path",
    [
        "/static/../server.py",
        "/static/..%2fserver.py",
        "/static/%2e%2e/server.py",
        "/static/%2e%2e%2f%2e%2e%2f%2e%2e%2f%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "/static//etc/passwd",
        "/static/strings/..%5c..%5cserver.py",
        "/v1/pictures/..%2f..%2f..%2fetc%2fpasswd",
        "/v1/pictures/" + "0" * 64 + ".jpg%00",
        "/v1/pictures/" + "0" * 64 + ".txt",
    ],
)
def test_no_path_leads_out_of_its_folder(plain_web, path):
    bridge = plain_web
    with raw(bridge) as sock:
        sock.sendall(
            f"GET {path} HTTP/1.1\r\nHost: {bridge.host}\r\nConnection: close\r\n\r\n".encode()
        )
        reply = sock.makefile("rb").read()
    assert reply.startswith(b"HTTP/1.1 404 ")
    assert b"root:" not in reply
    assert b"FastAPI" not in reply


def test_a_link_in_the_static_folder_would_not_be_followed_out(web, tmp_path):
    assert not [path for path in STATIC.rglob("*") if path.is_symlink()]


@pytest.mark.parametrize("name", ["../../../tmp/evil.png", "/etc/passwd", "a\0b.png", "C:\\x.png"])
def test_the_name_of_an_upload_is_never_used(plain_web, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    bridge = plain_web
    body = (
        b'--x\r\nContent-Disposition: form-data; name="image"; filename="'
        + name.encode()
        + b'"\r\n'
        b"Content-Type: image/png\r\n\r\n" + PICTURE + b"\r\n--x--\r\n"
    )
    with bridge.client() as client:
        kind = {"content-type": "multipart/form-data; boundary=x"}
        assert client.post("/v1/describe", content=body, headers=kind).status_code in (200, 400)
    assert os.listdir(tmp_path) == []


def test_a_thousand_small_parts_are_not_taken(plain_web):
    with plain_web.client() as client:
        fields = {f"f{number}": "x" for number in range(1000)}
        reply = client.post("/v1/describe", data=fields, files={"image": PICTURE})
    assert reply.status_code == 400


def test_garbage_in_place_of_http(web):
    bridge = web()
    for data in (b"\x16\x03\x01\x02\x00\x01", b"True<SEP>5<SEP>\n\n", b"\0" * 1000, b"GET\r\n\r\n"):
        with raw(bridge) as sock:
            sock.sendall(data)
            sock.shutdown(socket.SHUT_WR)
            assert not sock.recv(4096).startswith(b"HTTP/1.1 2")
    assert is_served(bridge)
