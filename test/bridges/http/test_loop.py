"""What keeps the loop from others: whatever comes, each callback is short, and all are answered.

Times are CPU seconds of the loop's thread, a busy machine does not change them. The bound is ten
times what was measured, and a tenth of what parsing all of it at once takes.
"""

import contextlib
import json
import struct
import time

import pytest

pytest.importorskip("fastapi")
from http_talk import HANDSHAKE, head, masked, raw, reply_to
from loop_watch import watched
from streams import jpeg
from waiting import TIME_LIMIT, until
from web_support import PICTURE, WebBridge, post

LONGEST = 0.02  # seconds
EMPTY_SEGMENTS = b"\xff\xd8" + b"\xff\xe0\0\2" * 19_000
PADDED = b"\xff\xd8" + b"\xff" * 2_000_000 + b"\xe0\0\2"
EMPTY_CHUNKS = PICTURE[:33] + struct.pack(">I4sI", 0, b"tEXt", 0) * 19_000


@pytest.fixture(scope="module")
def bridge():
    """Return a listener that has served everything once; what is done once takes long."""
    limits = {"requests_per_second": 0.0, "refusals_per_second": 0.0, "linger_time": 0.1}
    with WebBridge(**limits) as bridge:
        with bridge.client() as client:
            client.get("/healthz")
            client.get("/v1/cameras")
            post(client)
            client.post("/v1/describe", content=b"no picture")
            client.post("/upload", files={"file": PICTURE})
        for _ in range(2):
            with raw(bridge) as sock:
                sock.sendall(HANDSHAKE % b"" + masked(2, jpeg(9, (320, 240))))
                sock.recv(100)
        yield bridge


def attacked(bridge, first, rest, count=20):
    """Send the same on many connections; return what came back, once others were answered."""
    opened = [raw(bridge, TIME_LIMIT) for _ in range(count)]
    try:
        with watched(bridge.loop) as watch:
            for sock in opened:
                sock.sendall(first)
                if first.startswith(HANDSHAKE[:8]):
                    sock.recv(4096)
            for sock in opened:
                sock.setblocking(False)
                with contextlib.suppress(OSError):  # cut off already
                    sock.send(rest)
            with bridge.client() as client:
                assert client.get("/healthz").status_code == 200
                post(client)
        assert watch.longest < LONGEST, watch.what
        opened[0].settimeout(TIME_LIMIT)
        got = b""
        while part := opened[0].recv(4096):
            got += part
        return got
    finally:
        for sock in opened:
            sock.close()


@pytest.mark.parametrize(
    ("first", "rest", "status"),
    [
        (b"chunked", b"1\r\na\r\n" * 20_000, 400),
        (b"chunked", b"1;a=b\r\na\r\n" * 10_000, 400),
        (b"chunked", (b"10\r\n" + b"a" * 16 + b"\r\n") * 10_000, 400),
        (b"chunked", b"1\r\na\r\n0\r\n" + b"a:b\n" * 16_000, 431),
        (b"GET / HTTP/1.1\r\n", b"a:b\n" * 16_000 + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: x\r\n", b"X-A: b\r\n" * 100 + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: x\r\n", b"X-A: " + b"b" * 8001 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\n", b"Cookie: " + b"b" * 70_000 + b"\r\n\r\n", 431),
        (b"GET /", b"a" * 9000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 414),
        (b"GET /", b"a" * 9000, 414),
        (b"GET /?", b"a=&" * 2000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 414),
    ],
)
def test_requests_in_tiny_pieces_are_refused_and_keep_nobody_waiting(bridge, first, rest, status):
    if first == b"chunked":
        first = head(bridge, transfer_encoding="chunked", content_type="image/png")
    reply = attacked(bridge, first, rest)
    assert reply.startswith(b"HTTP/1.1 %d " % status)
    assert b'"code": "bad_request"' in reply


def test_pipelined_requests_are_answered_one_after_the_other(bridge):
    request = f"GET /healthz HTTP/1.1\r\nHost: {bridge.host}\r\n\r\n".encode()
    with raw(bridge, TIME_LIMIT) as sock, watched(bridge.loop) as watch:
        sock.sendall(request * 500)
        got = b""
        while got.count(b'{"status":"ok"}') < 500:
            got += sock.recv(65536)
    assert watch.longest < LONGEST


@pytest.mark.parametrize(
    "flood",
    [
        masked(9) * 20_000,
        masked(10) * 20_000,
        masked(2) * 20_000,
        masked(1, b"a") * 20_000,
        masked(2, fin=False) + masked(0, b"a", fin=False) * 20_000,
        masked(2, fin=False) + masked(0, fin=False) * 20_000,
    ],
    ids=["pings", "pongs", "empty", "texts", "fragments", "empty fragments"],
)
def test_a_flood_of_small_frames_is_cut_off_with_a_reason(bridge, flood):
    until(lambda: not bridge.services.sockets, "the cameras before are gone")
    got = attacked(bridge, HANDSHAKE % b"", flood, count=4)
    assert b"\x88\x02" + struct.pack(">H", 1008) in got
    until(lambda: not bridge.services.sockets, "the cameras are gone")


def test_whole_pictures_and_many_fragments_of_them_pass(bridge):
    frame = jpeg(80, (1200, 900))
    with raw(bridge, TIME_LIMIT) as sock:
        sock.sendall(HANDSHAKE % b"")
        sock.recv(4096)
        before = bridge.metric("i2t_websocket_frames_total", result="taken")
        for size in (len(frame), 1024, 200):
            parts = [frame[at : at + size] for at in range(0, len(frame), size)]
            for number, part in enumerate(parts):
                last = number == len(parts) - 1
                sent = masked(0 if number else 2, part, fin=last)
                for at in range(0, len(sent), 1000):  # headers are split, too
                    sock.sendall(sent[at : at + 1000])
        until(
            lambda: bridge.metric("i2t_websocket_frames_total", result="taken") == before + 3,
            "all taken",
        )


@pytest.mark.parametrize("size", [1, 3, 100, 5000])
def test_bodies_arrive_whole_however_they_are_cut(bridge, size):
    chunks = b"".join(
        b"%x\r\n%s\r\n" % (len(part), part)
        for part in (PICTURE[at : at + 600] for at in range(0, len(PICTURE), 600))
    )
    for sent in (
        head(bridge, content_length=len(PICTURE), content_type="image/png") + PICTURE,
        head(bridge, transfer_encoding="chunked", content_type="image/png") + chunks + b"0\r\n\r\n",
    ):
        with raw(bridge, TIME_LIMIT) as sock:
            for at in range(0, len(sent), size):
                sock.sendall(sent[at : at + size])
            assert sock.recv(4096).startswith(b"HTTP/1.1 200 ")


def test_large_cookies_of_other_services_pass(bridge):
    cookie = b"Cookie: " + b"; ".join(b"c%d=%s" % (i, b"x" * 100) for i in range(150))
    sent = f"GET /v1/cameras HTTP/1.1\r\nHost: {bridge.host}\r\nConnection: close\r\n".encode()
    assert reply_to(bridge, sent + cookie + b"\r\n\r\n")[0] == 200


@pytest.mark.parametrize("data", [EMPTY_SEGMENTS, PADDED, EMPTY_CHUNKS])
@pytest.mark.parametrize("path", ["/v1/describe", "/upload"])
def test_pictures_whose_headers_take_long_are_read_beside_the_loop(bridge, path, data):
    with bridge.client() as client, watched(bridge.loop) as watch:
        reply = client.post(path, content=data, headers={"content-type": "image/jpeg"})
    assert reply.status_code in (415, 422)
    assert watch.longest < LONGEST, watch.what


@pytest.mark.parametrize("data", [EMPTY_SEGMENTS, PADDED, jpeg(9, (640, 480)) + PADDED])
def test_frames_whose_headers_take_long_hold_up_no_other_camera(bridge, data):
    until(lambda: not bridge.services.sockets, "the cameras before are gone")
    with watched(bridge.loop) as watch, raw(bridge) as bad, raw(bridge) as good:
        for sock, name in ((bad, b"bad"), (good, b"good")):
            sock.sendall((HANDSHAKE % b"").replace(b"/ws", b"/ws/" + name))
            assert sock.recv(4096).startswith(b"HTTP/1.1 101")
        bad.sendall(masked(2, data) * 2)
        good.sendall(masked(2, jpeg(9, (320, 240))))
        until(lambda: bridge.hub.known("good").raw.newest, "the good frame is taken")
    assert watch.longest < LONGEST, watch.what


# --- frames that break the rules (RFC 6455)


@pytest.mark.parametrize("early", [False, True])  # in one piece with the handshake
@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (masked(1, b"\xff\xfe"), 1007),
        (masked(1, b"\xff\xfe") + masked(8, b"\x03\xe8"), 1000),
        (masked(1, b"ab\xc3"), 1007),
        (masked(1, b"\xed\xa0\x80"), 1007),
        (masked(2 | 0x40, b"a"), 1002),  # a reserved bit
        (b"\x82\x01a", 1002),  # without a mask
        (masked(9, bytes(126)), 1002),  # a control frame is short
        (masked(9, fin=False), 1002),  # and whole
        (masked(3, b"a"), 1002),  # no opcode
        (masked(0, b"a"), 1002),  # continues nothing
        (masked(2, b"a", fin=False) + masked(2, b"a"), 1002),
    ],
)
def test_frames_that_break_the_rules_end_the_connection_with_a_reason(
    bridge, caplog, frame, code, early
):
    until(lambda: not bridge.services.sockets, "the cameras before are gone")
    caplog.clear()
    with raw(bridge, TIME_LIMIT) as sock:
        sock.sendall(HANDSHAKE % b"" + (frame if early else b""))
        reply = sock.makefile("rb")
        assert reply.readline() == b"HTTP/1.1 101 Switching Protocols\r\n"
        while reply.readline() != b"\r\n":
            pass
        if not early:
            sock.sendall(frame)
        got = reply.read()
    assert got[:1] == b"\x88"
    assert struct.unpack(">H", got[2:4]) == (code,)
    until(lambda: not bridge.services.sockets, "its place is free")
    bridge.on_loop(time.monotonic)
    assert "Traceback" not in caplog.text
    assert "Fatal error" not in caplog.text  # asyncio says so of what a protocol raises
    assert sum(record.levelname in ("WARNING", "ERROR") for record in caplog.records) <= 1


def test_a_picture_may_come_with_the_handshake(bridge):
    with raw(bridge, TIME_LIMIT) as sock:
        sock.sendall(HANDSHAKE.replace(b"/ws", b"/ws/hasty") % b"" + masked(2, jpeg(9)))
        known = bridge.services.hub.known
        until(lambda: (camera := known("hasty")) and camera.raw.newest, "it is there")


def test_the_limits_are_said_as_other_refusals_are(bridge):
    status, headers, body = reply_to(bridge, b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n\r\n")
    assert (status, headers["content-type"]) == (414, "application/json")
    assert "8000 bytes" in json.loads(body)["error"]["message"]
