"""MJPEG and snapshots: newest only, placeholder, slow viewers, leaving, the first camera."""

import contextlib
import socket
import struct
import threading
import time

import cv2
import numpy as np
import pytest

pytest.importorskip("fastapi")
from loop_watch import watched
from streams import (
    decoded,
    events,
    is_live,
    is_placeholder,
    jpeg,
    number_of,
    publish,
    watching,
    words_of,
)
from waiting import TIME_LIMIT, until

from i2t_ros.bridges.http.routes import pictures
from i2t_ros.bridges.http.routes.pictures import placeholder


def test_placeholder_then_live_then_placeholder_then_live(bridge):
    with watching(bridge, "/stream?annotated=0") as stream:
        assert stream.next() == placeholder("front")
        for number in (40, 80):
            publish(bridge, number)
            assert abs(number_of(stream.next(is_live)) - number) < 3
            stream.next(is_placeholder)
        bridge.on_loop(bridge.hub.remove, "front")
        assert stream.next(lambda data: data == placeholder("")) is not None
        bridge.on_loop(bridge.hub.add, "rear")
        publish(bridge, 120, "rear")
        assert abs(number_of(stream.next(is_live)) - 120) < 3
    assert stream.headers["content-type"] == "multipart/x-mixed-replace;boundary=i2tframe"
    assert stream.headers["cache-control"] == "no-store"


def test_a_picture_that_nothing_follows_is_sent_again_so_that_browsers_show_it(bridge):
    with watching(bridge, "/stream?annotated=0") as stream:
        stream.next()
        publish(bridge, 200)
        first = stream.next(is_live)
        assert stream.next() == first


def test_annotated_pictures_are_another_feed(bridge):
    with watching(bridge, "/stream?camera=front") as stream:
        stream.next(is_placeholder)
        publish(bridge, 50)
        assert stream.next() == placeholder("front", "waiting for the detector")
        publish(bridge, 70, view="annotated")
        assert abs(number_of(stream.next(is_live)) - 70) < 3


def test_a_smaller_picture_is_made_once_for_all_who_ask(bridge, monkeypatch):
    made = []
    original = cv2.resize
    monkeypatch.setattr(cv2, "resize", lambda *a, **k: made.append(1) or original(*a, **k))
    path = "/stream?annotated=0&width=32&quality=40"
    with watching(bridge, path) as one, watching(bridge, path) as two:
        one.next(), two.next()
        publish(bridge, 90)
        seen = [one.next(lambda data: decoded(data).shape[1] == 32) for one in (one, two)]
    assert seen[0] == seen[1]
    assert decoded(seen[0]).shape == (24, 32, 3)
    assert made == [1]


def test_smaller_pictures_of_one_look_keep_one_frame(bridge):
    before = len(pictures._resized)
    with watching(bridge, "/stream?annotated=0&width=31") as stream:
        stream.next()
        for number in (10, 120, 230):
            publish(bridge, number)
            stream.next(lambda data, number=number: abs(number_of(data) - number) < 3)
    assert len(pictures._resized) == before + 1


def no_tables(data):
    """Return a JPEG without quantization tables: whole, by its segments, and not decodable."""
    return data[: data.index(b"\xff\xdb")] + data[data.index(b"\xff\xc0") :]


def lying(data):
    """Return a JPEG whose header says that it is a thousand times as large."""
    at = data.index(b"\xff\xc0") + 5
    return data[:at] + struct.pack(">HH", 48_000, 64) + data[at + 4 :]


DAMAGED = [
    jpeg(60)[:-300],
    no_tables(jpeg(60)),
    jpeg(60).replace(b"\xff\xc0\0\x11\x08", b"\xff\xc0\0\x11\x0c"),  # 12 bits
    lying(jpeg(60))[:-2],
    b"\xff\xd8\xff\xd9",
    b"GIF89a",
    b"",
]


def test_damaged_frames_are_left_out_of_a_resized_stream(bridge):
    with watching(bridge, "/stream?annotated=0&width=30") as stream:
        stream.next()
        for number, damaged in enumerate(DAMAGED):
            bridge.on_loop(bridge.hub.publish, "front", raw=damaged)
            publish(bridge, 50 + 20 * number)
            stream.next(lambda data, number=number: abs(number_of(data) - 50 - 20 * number) < 3)


@pytest.mark.parametrize("damaged", DAMAGED)
def test_a_snapshot_of_a_damaged_frame_that_has_to_be_decoded_says_so(bridge, damaged):
    bridge.on_loop(bridge.hub.publish, "front", raw=damaged)
    with bridge.client() as client:
        reply = client.get("/snapshot?annotated=0&width=30")
        assert (reply.status_code, reply.json()["error"]["code"]) == (503, "no_frame")
        assert "camera front: its newest frame is damaged" in reply.json()["error"]["message"]
        assert client.get("/snapshot?annotated=0").content == damaged


def test_pictures_that_take_long_hold_up_no_other_camera(bridge, monkeypatch):
    """Those with many pixels, and progressive ones, wait for each other, and nobody for them."""
    end, begun, original = threading.Event(), [], pictures._resize

    def resize(picture, quality, width):
        if picture.header.width != 64 or picture.layout.buffered:
            begun.append(width)
            assert end.wait(TIME_LIMIT)
        return original(picture, quality, width)

    monkeypatch.setattr(pictures, "_resize", resize)
    for name in ("large", "progressive"):
        bridge.on_loop(bridge.hub.add, name)
    image = np.full((48, 64, 3), 9, np.uint8)
    progressive = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes()
    bridge.on_loop(bridge.hub.publish, "large", raw=jpeg(9, (3841, 2160)))
    bridge.on_loop(bridge.hub.publish, "progressive", raw=progressive)
    with contextlib.ExitStack() as stack:
        for name in ("large", "progressive"):
            for width in (10, 11, 12):
                path = f"/stream?annotated=0&camera={name}&width={width}"
                stack.enter_context(watching(bridge, path))
        until(lambda: begun, "one of them is being made smaller")
        with watching(bridge, "/stream?annotated=0&camera=front&width=30") as stream:
            for number in (50, 90, 130):
                publish(bridge, number)
                stream.next(lambda data, number=number: abs(number_of(data) - number) < 3)
        assert len(begun) == 1
        end.set()


def test_what_nobody_waits_for_any_more_is_not_made(bridge, monkeypatch):
    end, begun, original = threading.Event(), [], pictures._resize

    def resize(picture, quality, width):
        begun.append(width)
        assert end.wait(TIME_LIMIT)
        return original(picture, quality, width)

    monkeypatch.setattr(pictures, "_resize", resize)
    publish(bridge, 90)
    with watching(bridge, "/stream?annotated=0&width=20") as last:
        until(lambda: begun, "it is being made")
        for width in range(21, 30):
            with watching(bridge, f"/stream?annotated=0&width={width}"):
                until(lambda: bridge.services.viewers == 2, "a second viewer is there")
            until(lambda: bridge.services.viewers == 1, "it has left")
        end.set()
        last.next(is_live)
    assert begun == [20]


def test_placeholders_of_any_names_are_drawn_beside_the_loop(bridge):
    with bridge.client() as client, client.stream("GET", "/stream?camera=a0") as reply:
        next(reply.iter_bytes())
    with watched(bridge.loop) as watch:
        for number in range(1, 6):
            with watching(bridge, f"/stream?camera=a{number}") as stream:
                assert stream.next() == placeholder(f"a{number}")
    assert watch.longest < 0.02, watch.what


def test_no_picture_is_made_larger(bridge):
    publish(bridge, 90)
    with bridge.client() as client:
        reply = client.get("/snapshot?annotated=0&width=4000")
    assert decoded(reply.content).shape == (48, 64, 3)


def test_a_slow_viewer_gets_fewer_pictures_and_slows_nobody(web):
    bridge = web(stale_time=10 * TIME_LIMIT)
    bridge.on_loop(bridge.hub.add, "front", "topic")
    noise = np.random.default_rng(3).integers(0, 255, (600, 800, 3), np.uint8)
    large = cv2.imencode(".jpg", noise, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()
    assert len(large) > 400_000
    with socket.create_connection(("127.0.0.1", bridge.server.port), 20) as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        slow.sendall(f"GET /stream?annotated=0 HTTP/1.0\r\nHost: {bridge.host}\r\n\r\n".encode())
        with watching(bridge, "/stream?annotated=0") as quick:
            until(lambda: bridge.services.viewers == 2, "both watch")
            quick.next()
            for _ in range(30):
                bridge.on_loop(bridge.hub.publish, "front", raw=large)
                assert quick.next(is_live) == large
        assert bridge.metric("i2t_stream_frames_total") >= 30
        # What is held for the slow one is bounded: it soon comes to what is new.
        publish(bridge, 33)
        received, end, new = 0, b"", jpeg(33)
        while new not in end:
            data = slow.recv(1 << 20)
            received += len(data)
            end = end[-len(new) :] + data
        assert received < 15 * len(large)


def test_viewers_are_counted_and_limited(web):
    bridge = web(max_viewers=2, stale_time=0.3)
    bridge.on_loop(bridge.hub.add, "front")
    with watching(bridge), watching(bridge, "/stream?camera=front"):
        until(lambda: bridge.services.viewers == 2, "two watch")
        with bridge.client() as client:
            refused = client.get("/stream")
            assert (refused.status_code, refused.json()["error"]["code"]) == (503, "busy")
            assert client.get("/v1/cameras").json()["cameras"][0]["viewers"] == 2
    until(lambda: bridge.services.viewers == 0, "nobody watches")
    assert bridge.metric("i2t_stream_viewers") == 0


@pytest.mark.parametrize("jump", [-3600, 3600])
def test_a_clock_that_is_set_makes_no_dead_camera_live_and_no_live_one_dead(web, monkeypatch, jump):
    bridge = web(stale_time=1.0)
    bridge.on_loop(bridge.hub.add, "front")
    clock = time.time
    with watching(bridge, "/stream?camera=front&annotated=0") as stream:
        publish(bridge, 90)
        shows(stream, 90)
        monkeypatch.setattr(time, "time", lambda: clock() + jump)
        publish(bridge, 130)
        shows(stream, 130)
        assert 0 <= bridge.on_loop(lambda: bridge.hub.find("front").raw.newest.age) < TIME_LIMIT
        stream.next(lambda data: not is_live(data))  # nothing more comes


def test_streams_end_when_the_server_closes(web):
    bridge = web(drain_time=10 * TIME_LIMIT)
    with watching(bridge) as stream:
        stream.next()
        bridge.close()  # within TIME_LIMIT
        stream._thread.join(TIME_LIMIT)
        assert not stream._thread.is_alive()


def test_a_snapshot_waits_for_a_first_picture(bridge):
    results = []

    def ask():
        with bridge.client() as client:
            results.append(client.get("/snapshot?camera=front"))

    thread = threading.Thread(target=ask)
    thread.start()
    until(lambda: bridge.hub.find("front").annotated.viewers, "it waits")
    publish(bridge, 66, view="annotated")
    thread.join(20)
    assert abs(number_of(results[0].content) - 66) < 3
    assert float(results[0].headers["x-timestamp"]) > 1e9


def test_a_head_request_for_an_endless_stream_ends(bridge):
    with bridge.client() as client:
        for path, kind in (("/stream", "multipart/x-mixed-replace"), ("/v1/live", "text/event")):
            reply = client.head(path)
            assert (reply.status_code, reply.content) == (200, b"")
            assert reply.headers["content-type"].startswith(kind)


# --- without a name: the first camera that has pictures


def shows(stream, number):
    """Wait until the stream shows the picture of a number."""
    stream.next(lambda data: is_live(data) and abs(number_of(data) - number) < 3)


def test_without_a_name_the_first_camera_that_has_pictures_is_shown(web):
    bridge = web(stale_time=0.6)
    for name in ("front", "rear", "side"):
        bridge.on_loop(bridge.hub.add, name)
    with watching(bridge, "/stream?annotated=0") as stream:
        assert stream.next() == placeholder("front")
        # Only the first is looked at, and then, as it shows nothing, all of them.
        assert not bridge.hub.find("rear").viewers
        until(lambda: bridge.hub.find("side").viewers, "all are looked at")
        publish(bridge, 90, "rear")
        shows(stream, 90)
        publish(bridge, 130, "side")
        publish(bridge, 50, "front")  # it comes back to the first
        shows(stream, 50)
        publish(bridge, 60, "front")
        shows(stream, 60)
        until(lambda: not bridge.hub.find("side").viewers, "only the first is looked at")
        go_on = threading.Event()

        def film():
            while not go_on.wait(0.05):
                publish(bridge, 130, "rear")

        camera = threading.Thread(target=film)
        camera.start()
        shows(stream, 130)  # when the first has nothing new any more
        go_on.set()
        camera.join(TIME_LIMIT)
    until(lambda: not any(camera.viewers for camera in bridge.hub.online), "nothing is looked at")


def test_a_camera_that_left_is_shown_again_when_it_comes_back(web):
    bridge = web()
    for name, number in (("front", 50), ("rear", 90)):
        bridge.on_loop(bridge.hub.add, name, "websocket")
        publish(bridge, number, name)
    with watching(bridge, "/?annotated=0") as stream:
        shows(stream, 50)
        bridge.on_loop(bridge.hub.remove, "front")
        shows(stream, 90)
        bridge.on_loop(bridge.hub.add, "front", "websocket")
        publish(bridge, 60)
        shows(stream, 60)


def test_a_camera_with_pictures_but_no_detector_is_named_before_one_with_nothing(web):
    bridge = web()
    bridge.on_loop(bridge.hub.add, "image")
    bridge.on_loop(bridge.hub.add, "esp", "websocket")
    publish(bridge, 50, "esp")
    with watching(bridge) as stream:
        assert stream.next() == placeholder("esp", "waiting for the detector")


def test_a_snapshot_and_words_of_the_first_camera_that_has_any(web):
    bridge = web()
    bridge.on_loop(bridge.hub.add, "image")
    bridge.on_loop(bridge.hub.add, "esp", "websocket")
    publish(bridge, 50, "esp")
    bridge.on_loop(bridge.hub.publish, "esp", words=words_of([("dog", (10, 10, 50, 90))]))
    with bridge.client() as client:
        assert abs(number_of(client.get("/snapshot?annotated=0").content) - 50) < 3
        name, data = next(events(client, "/v1/live", 1))
        assert (name, data["camera"], data["sentence"]) == ("words", "esp", "I can see a dog.")


# --- the placeholder's words


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("", "no picture"),
        ("?language=es", "sin imagen"),
        ("?language=pt-BR", "sem imagem"),
        ("?language=tlh", "no picture"),
    ],
)
def test_the_placeholder_speaks_the_viewers_language(bridge, query, words):
    with watching(bridge, f"/stream{query}") as stream:
        assert stream.next() == placeholder("front", words)


def test_a_language_of_the_placeholder_that_is_none(bridge):
    with bridge.client() as client:
        assert client.get("/stream?language=../../x").status_code == 422
