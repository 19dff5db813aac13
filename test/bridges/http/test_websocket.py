"""WebSocket cameras, as ESP32 sketches speak: frames in, text logged, bad frames ignored."""

import asyncio
import contextlib
import gc
import logging
import socket

import cv2
import numpy as np
import pytest

pytest.importorskip("fastapi")
from frame_sinks import Sink
from waiting import until
from web_support import picture
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from i2t_ros.bridges.http.routes.pictures import placeholder

FRAME = picture([("dog", (40, 60, 140, 200))], extension=".jpg")


def camera(bridge, path="/ws/door", **options):
    return connect(bridge.url.replace("http", "ws") + path, compression=None, **options)


def frames(bridge, result):
    return bridge.metric("i2t_websocket_frames_total", result=result)


def test_a_camera_comes_sends_and_goes(web, caplog):
    caplog.set_level(logging.INFO, "i2t_ros.ws")
    sink = Sink()
    bridge = web(sink=sink)
    with camera(bridge) as socket_, bridge.client() as client:
        socket_.send(FRAME)
        socket_.send("hello \x1b[31m from the ESP32")
        until(lambda: frames(bridge, "taken") == 1, "the frame is taken")
        listed = client.get("/v1/cameras").json()["cameras"]
        assert [(entry["name"], entry["transport"], entry["frames"]) for entry in listed] == [
            ("door", "websocket", 1)
        ]
        assert listed[0]["age"] < 10
        assert client.get("/snapshot?camera=door&annotated=0").content == FRAME
        assert client.get("/v1/describe?camera=door").json()["sentence"] == "I can see a dog."
        until(lambda: "hello" in caplog.text, "the text is logged")
        assert "\x1b" not in caplog.text
    until(lambda: bridge.hub.online == [], "the camera has gone")
    assert sink.frames == [("door", FRAME)]


def test_annotated_pictures_and_words_are_those_of_the_detector(web):
    sink = Sink()
    bridge = web(sink=sink)
    sink.hub = bridge.hub
    with camera(bridge) as socket_, bridge.client() as client:
        socket_.send(FRAME)
        drawn = client.get("/snapshot?camera=door&width=160").content
        assert cv2.imdecode(np.frombuffer(drawn, np.uint8), cv2.IMREAD_COLOR).shape == (120, 160, 3)
        with client.stream("GET", "/v1/live?camera=door") as live:
            lines = live.iter_lines()
            while not (line := next(lines)).startswith('data: {"camera": "door", "sentence"'):
                pass
        assert '"I can see a dog."' in line
    assert bridge.describer.asked == []


def test_without_a_detector_frames_are_only_shown(web):
    bridge = web()
    with camera(bridge) as socket_, bridge.client() as client, bridge.client() as other:
        socket_.send(FRAME)
        with (
            client.stream("GET", "/v1/live?camera=door") as live,
            other.stream("GET", "/stream?camera=door") as stream,
        ):
            assert next(live.iter_lines()) == "event: silence"
            shown = b""
            for chunk in stream.iter_bytes():
                shown += chunk
                if placeholder("door", "waiting for the detector") in shown:
                    break
                socket_.send(FRAME)
        with bridge.client() as third:
            assert third.get("/snapshot?camera=door&annotated=0").content == FRAME
    assert bridge.describer.asked == []


@pytest.mark.parametrize(
    ("data", "result"),
    [
        (b"", "too_small"),
        (FRAME[:100], "too_small"),
        (b"x" * 2000, "not_an_image"),
        (b"GIF89a" + bytes(2000), "unsupported_format"),
        (picture([], size=(300, 300)) + bytes(2000), "not_jpeg"),
        (FRAME[:-100], "truncated_image"),
        (b"\xff\xd8\xff\xe0" + bytes(2000), "truncated_image"),
        (picture([], size=(400, 400), extension=".jpg"), "image_too_large"),
    ],
)
def test_bad_frames_are_ignored_and_counted(web, data, result):
    sink = Sink()
    bridge = web(sink=sink, max_pixels=320 * 240)
    with camera(bridge) as socket_:
        socket_.send(data)
        socket_.send(FRAME)
        until(lambda: frames(bridge, "taken") == 1, "the good frame is taken")
    assert frames(bridge, result) == 1
    assert sink.frames == [("door", FRAME)]


def test_a_camera_that_is_too_fast_is_slowed_by_ignoring(web):
    bridge = web(max_frame_rate=10)
    with camera(bridge) as socket_:
        for _ in range(50):
            socket_.send(FRAME)
        until(lambda: frames(bridge, "taken") + frames(bridge, "too_fast") == 50, "all came")
    assert 2 <= frames(bridge, "taken") <= 10


def test_a_frame_above_the_limit_ends_the_connection(web, caplog):
    bridge = web(max_frame_bytes=5000)
    with camera(bridge) as socket_:
        socket_.send(bytes(10_000))
        with pytest.raises(ConnectionClosed) as closed:
            socket_.recv(20)
    assert closed.value.rcvd.code == 1009
    until(lambda: not bridge.hub.online, "the camera has gone")
    assert frames(bridge, "too_large") == 1
    (line,) = (r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING)
    assert "camera door" in line
    assert "more than 5000 bytes, the limit (http_max_frame_bytes)" in line


def test_small_frames_are_ignored_up_to_the_size_that_the_parameter_says(web):
    sink, black = Sink(), picture([], size=(64, 48), extension=".jpg")
    bridge = web(sink=sink, min_frame_bytes=len(black) + 1)
    with camera(bridge) as socket_:
        socket_.send(black)
        socket_.send(FRAME)
        until(lambda: frames(bridge, "taken") == 1, "the larger frame is taken")
    assert frames(bridge, "too_small") == 1
    assert sink.frames == [("door", FRAME)]


@pytest.mark.parametrize(
    ("frame", "why"), [(b"", ""), (FRAME[:600], "; the last one was ignored: truncated_image")]
)
def test_a_silent_camera_is_let_go(web, caplog, frame, why):
    bridge = web(camera_idle_time=0.3)
    with camera(bridge) as socket_:
        if frame:
            socket_.send(frame)
        with pytest.raises(ConnectionClosed) as closed:
            socket_.recv(20)
    assert closed.value.rcvd.code == 4001
    assert f"camera door: no usable frame within 0.3 s{why}" in caplog.messages


def test_a_camera_that_vanished_is_noticed_by_ping(web):
    bridge = web(ping_time=0.2)
    with socket.create_connection(("127.0.0.1", bridge.server.port), 20) as raw:
        raw.sendall(
            f"GET /ws/ghost HTTP/1.1\r\nHost: {bridge.host}\r\nUpgrade: websocket\r\n".encode()
            + b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        assert raw.recv(4096).startswith(b"HTTP/1.1 101 ")
        until(lambda: bridge.hub.online, "it is there")
        until(lambda: not bridge.hub.online, "it is noticed", 10)


def test_names(web):
    bridge = web(sink=Sink())
    bridge.on_loop(bridge.hub.add, "front", "topic")
    with camera(bridge, "/ws"), camera(bridge, "/ws"), camera(bridge, "/ws/door_2"):
        names = [known.name for known in bridge.hub.online]
        assert names == ["front", "camera_127_0_0_1", "camera_127_0_0_1_2", "door_2"]
        for path, status in (
            ("/ws/front", 409),
            ("/ws/a-b", 422),
            ("/ws/1", 422),
            (f"/ws/{'d' * 41}", 422),
        ):
            with pytest.raises(InvalidStatus) as refused:
                camera(bridge, path)
            assert refused.value.response.status_code == status


def test_a_camera_that_comes_again_takes_its_own_place(web):
    bridge = web()
    with camera(bridge) as old, camera(bridge) as new:
        with pytest.raises(ConnectionClosed) as closed:
            old.recv(20)
        assert closed.value.rcvd.code == 4000
        new.send(FRAME)
        until(lambda: frames(bridge, "taken") == 1, "the newer one is heard")
        assert [known.name for known in bridge.hub.online] == ["door"]


def test_more_cameras_than_allowed(web):
    bridge = web(max_cameras=2)
    with camera(bridge, "/ws/a"), camera(bridge, "/ws/b"):
        with pytest.raises(InvalidStatus) as refused:
            camera(bridge, "/ws/c")
        assert refused.value.response.status_code == 503
        with camera(bridge, "/ws/a"):  # one that is there already may come again
            pass


def test_cameras_are_told_when_the_server_closes(web):
    bridge = web()
    with camera(bridge) as socket_:
        bridge.close()
        with pytest.raises(ConnectionClosed) as closed:
            socket_.recv(20)
    assert closed.value.rcvd.code in (1001, 1012)


def test_thirty_frames_a_second_with_a_stalled_viewer(web):
    """A minute of it is in bench/web_soak.py; here it is as many frames, faster."""
    bridge = web(max_frame_rate=10_000)
    noise = np.random.default_rng(5).integers(0, 255, (240, 320, 3), np.uint8)
    large = cv2.imencode(".jpg", noise, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()

    def send(socket_, count):
        """Send in steps that the server keeps up with, as a camera's own pace would be."""
        for _ in range(count):
            socket_.send(large)
            until(lambda: bridge.hub.find("door").raw.newest, "a frame")
        total = frames(bridge, "taken")
        until(lambda: frames(bridge, "taken") >= total, "taken")

    with (
        camera(bridge) as socket_,
        socket.create_connection(("127.0.0.1", bridge.server.port), 20) as stalled,
    ):
        stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stalled.sendall(f"GET /stream?annotated=0 HTTP/1.1\r\nHost: {bridge.host}\r\n\r\n".encode())
        until(lambda: bridge.services.viewers, "it watches")
        send(socket_, 200)
        before = resident_bytes()
        send(socket_, 1600)
        until(lambda: frames(bridge, "taken") == 1800, "all are taken")
        after = resident_bytes()
    # 1600 frames of 100 kB went through; of them hardly anything may stay.
    assert after - before < 10e6
    assert bridge.metric("i2t_stream_frames_total") < 200
    until(lambda: not bridge.server._server.server_state.tasks, "nothing goes on", 5)
    assert bridge.services.viewers == 0


def resident_bytes():
    gc.collect()
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096


def test_old_and_new_clients_of_the_protocol_itself(web):
    """What the libraries of microcontrollers do: masked frames in pieces, pings in between."""
    bridge = web()

    async def speak():
        reader, writer = await asyncio.open_connection("127.0.0.1", bridge.server.port)
        writer.write(
            f"GET /ws/esp HTTP/1.1\r\nHost: {bridge.host}\r\nConnection: Upgrade\r\n"
            "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nOrigin: file://\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: arduino\r\n"
            "User-Agent: arduino-WebSocket-Client\r\n\r\n".encode()
        )
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101 ")
        assert b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in head
        half = len(FRAME) // 2
        for opcode, final, data in (
            (2, False, FRAME[:half]),
            (9, True, b"ping"),
            (0, True, FRAME[half:]),
        ):
            writer.write(masked(opcode, final, data))
            await writer.drain()
        pong = await reader.readexactly(6)
        assert pong == b"\x8a\x04ping"
        writer.write(masked(8, True, b"\x03\xe8"))
        assert (await reader.read())[:2] == b"\x88\x02"
        writer.close()
        await writer.wait_closed()

    asyncio.run(asyncio.wait_for(speak(), 20))
    until(lambda: frames(bridge, "taken") == 1, "the frame is taken")


def masked(opcode, final, data):
    """Return one frame as a client sends it (RFC 6455, section 5.2)."""
    mask = b"\x01\x02\x03\x04"
    size = len(data)
    length = bytes([0x80 | size]) if size < 126 else bytes([0x80 | 126]) + size.to_bytes(2, "big")
    body = bytes(byte ^ mask[i % 4] for i, byte in enumerate(data))
    return bytes([(0x80 if final else 0) | opcode]) + length + mask + body


def test_a_camera_that_connects_again_and_again_has_to_wait(web):
    bridge = web()
    with contextlib.ExitStack() as stack:
        for _ in range(5):  # the first one, and as many as may take its place at once
            stack.enter_context(camera(bridge))

        def connect_again():
            for _ in range(5):  # some time passes meanwhile
                stack.enter_context(camera(bridge))

        with pytest.raises(InvalidStatus) as refused:
            connect_again()
        assert refused.value.response.status_code == 503
        stack.enter_context(camera(bridge, "/ws/window"))


HALF_FRAME = b"\x82\xff" + (2 << 20).to_bytes(8, "big") + bytes(4 + (3 << 19))
FRAGMENT = b"\x02\xff" + (2 << 20).to_bytes(8, "big") + bytes(4 + (2 << 20))


@pytest.mark.parametrize("sent", [HALF_FRAME, FRAGMENT, FRAGMENT + b"\x80\xff" + HALF_FRAME[2:]])
@pytest.mark.parametrize("leaves", [True, False])
def test_what_a_camera_has_sent_of_a_frame_goes_with_it(web, sent, leaves):
    bridge = web(linger_time=0.1)
    connections = bridge.server._server.server_state.connections
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(camera(bridge))
        first.socket.sendall(sent)
        (protocol,) = bridge.on_loop(set, connections)
        if not hasattr(protocol, "conn"):
            pytest.skip("this uvicorn has another protocol, which holds nothing")

        def held():
            return len(protocol.conn.reader.buffer) + sum(map(len, protocol.frames))

        until(lambda: held() > 1 << 20, "it has come")
        if leaves:
            first.socket.close()
        else:
            stack.enter_context(camera(bridge))
        until(lambda: bridge.on_loop(held) == 0, "it is free")
