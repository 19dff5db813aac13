"""What is no request, or breaks off, is refused like everything else, and its refusal arrives."""

import json
import socket

import pytest

pytest.importorskip("fastapi")
from http_talk import HANDSHAKE, head, raw, reply_to
from waiting import TIME_LIMIT, until
from web_support import PICTURE, is_served


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"hello\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),  # TLS
        (b"GET / HTTP/1.1\r\nHost: a b\r\nno colon\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * 70_000, 431),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nX: %s\r\n\r\n" % (b"a" * 9000), 431),
        (HANDSHAKE % (b"X: " + b"a" * 9000 + b"\r\n"), 431),
        (HANDSHAKE % (b"X: a\r\n" * 130), 431),
        (HANDSHAKE % b"Content-Length: 5\r\n", 400),
        (HANDSHAKE % b"Transfer-Encoding: chunked\r\n", 400),
        (HANDSHAKE % b"Sec-WebSocket-Version: 8\r\n", 400),
        (HANDSHAKE.replace(b"13", b"12") % b"", 400),
        (HANDSHAKE.replace(b"==", b"") % b"", 400),
        (HANDSHAKE.replace(b"GET", b"POST") % b"", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 9000 + b"\r\n\r\n", 431),
        (
            b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
            + b"X: %s\r\n\r\nhello" % (b"a" * 9000),
            431,
        ),
        (
            b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            400,
        ),
    ],
)
def test_what_is_no_request_is_refused_like_everything_else(plain_web, caplog, data, status):
    got, headers, body = reply_to(plain_web, data)
    assert got == status
    assert headers["content-type"] == "application/json"
    assert headers["x-content-type-options"] == "nosniff"
    assert "frame-ancestors" in headers["content-security-policy"]
    assert json.loads(body)["error"]["code"] == "bad_request"
    until(lambda: not plain_web.server._server.server_state.connections, "it is gone")
    assert "Fatal error" not in caplog.text  # asyncio says so of what a protocol raises


@pytest.mark.parametrize("close", ["close", "keep-alive"])
def test_a_refusal_arrives_though_the_client_is_still_sending(web, close):
    bridge = web(max_body_bytes=1000)
    body = bytes(3_000_000)
    for _ in range(5):
        sent = head(bridge, content_length=len(body), content_type="image/png", connection=close)
        got, _, reply = reply_to(bridge, sent + body)
        assert (got, json.loads(reply)["error"]["code"]) == (413, "body_too_large")


@pytest.mark.parametrize(
    "refused",
    [
        b"hello\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: a\r\n" * 200,
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\nX: %s\r\n\r\n" % (b"a" * 9000),
        HANDSHAKE % b"Content-Length: 3000000\r\n",
    ],
)
def test_what_follows_a_refusal_is_read(plain_web, refused):
    got, _, reply = reply_to(plain_web, refused + bytes(30_000_000))
    assert got in (400, 431)
    assert json.loads(reply)["error"]["code"] == "bad_request"


def test_who_sends_no_more_is_answered(plain_web):
    sent = head(plain_web, content_length=len(PICTURE), content_type="image/png") + PICTURE
    got, _, reply = reply_to(plain_web, sent, half_close=True)
    assert got == 200
    assert json.loads(reply)["sentence"]


def test_all_requests_of_one_who_sends_no_more_are_answered(plain_web):
    sent = head(plain_web, content_length=len(PICTURE), content_type="image/png") + PICTURE
    get = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    for requests in ([sent, get], [get, sent, get], [get] * 40):
        with raw(plain_web) as sock:
            sock.sendall(b"".join(requests))
            sock.shutdown(socket.SHUT_WR)
            got = b"".join(iter(lambda: sock.recv(1 << 16), b""))
        assert got.count(b"HTTP/1.1 200 OK") == len(requests)


@pytest.mark.parametrize(
    "sent",
    [
        b"GET /healthz HT",
        b"GET /healthz HTTP/1.1\r\nHost: lo",
        b"POST /v1/describe HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n",
        b"POST /v1/describe HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nhello",
        b"POST /upload HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe",
    ],
)
def test_who_stops_within_a_request_is_told(plain_web, caplog, sent):
    got, _, body = reply_to(plain_web, sent, half_close=True)
    assert (got, json.loads(body)["error"]["code"]) == (400, "bad_request")
    until(lambda: not plain_web.server._server.server_state.connections, "it is gone")
    assert not caplog.text


@pytest.mark.parametrize("rest", [b"", b"hello", b"no chunk\r\n"])
def test_a_refusal_of_head_has_no_body(plain_web, caplog, rest):
    framing = b"Transfer-Encoding: chunked" if b"chunk" in rest else b"Content-Length: 9"
    with raw(plain_web, TIME_LIMIT) as sock:
        sock.sendall(b"HEAD /upload HTTP/1.1\r\nHost: localhost\r\n%s\r\n\r\n%s" % (framing, rest))
        sock.shutdown(socket.SHUT_WR)
        reply = sock.makefile("rb").read()
    assert reply[:9] == b"HTTP/1.1 "
    assert reply.endswith(b"\r\n\r\n")
    until(lambda: not plain_web.server._server.server_state.connections, "it is gone")
    assert "Fatal error" not in caplog.text


def is_cut_off(sock, data):
    """Send the same again and again; return whether the other side cuts the connection."""
    try:
        for _ in range(160_000_000 // len(data)):
            sock.sendall(data)
    except OSError:  # reset, or a broken pipe
        return True
    return False


@pytest.mark.parametrize("path", ["/v1/describe", "/nowhere", "/healthz"])
@pytest.mark.parametrize("token", ["", "correct-horse-battery-staple"])
def test_trailers_without_an_end(web, path, token):
    bridge = web(token=token, linger_time=0.1)
    with raw(bridge) as sock:
        sock.sendall(head(bridge, path, transfer_encoding="chunked") + b"1\r\na\r\n0\r\n")
        assert is_cut_off(sock, b"X-A: b\r\n" * 10_000)
    assert is_served(web())


def test_pings_of_a_client_that_never_reads(web):
    bridge = web()
    with raw(bridge) as sock:
        sock.sendall(HANDSHAKE % b"")
        assert sock.recv(12) == b"HTTP/1.1 101"
        ping = b"\x89\xfd\0\0\0\0" + bytes(125)
        assert is_cut_off(sock, ping * 1000)
    until(lambda: not bridge.server._server.server_state.connections, "it is gone")
