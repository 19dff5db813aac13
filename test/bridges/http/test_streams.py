"""MJPEG, snapshots and live words: newest only, placeholder, slow viewers, leaving."""

import contextlib
import json
import queue
import re
import socket
import threading
from dataclasses import replace

import cv2
import numpy as np
import pytest

pytest.importorskip("fastapi")
from waiting import TIME_LIMIT, until
from web_support import RectangleDescriber, picture

from i2t_ros.bridges.http.routes import live, pictures
from i2t_ros.bridges.http.routes.pictures import placeholder
from i2t_ros.errors import BusyError
from i2t_ros.types import DescribeReply, DescribeRequest, Picture

PART = re.compile(
    rb"^Content-Type: image/jpeg\r\nContent-Length: (\d+)\r\n(X-Timestamp: [\d.]+\r\n)?$"
)


def jpeg(number, size=(64, 48)):
    """Return a JPEG of one grey level, which tells its number."""
    width, height = size
    return cv2.imencode(".jpg", np.full((height, width, 3), number, np.uint8))[1].tobytes()


def number_of(data):
    return round(float(decoded(data).mean()))


def decoded(data):
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)


class Stream:
    """Reads a multipart stream in a thread; checks its form to the byte."""

    def __init__(self, client, path):
        self.pictures = queue.Queue()
        self._client = client
        self._path = path
        self._stop = threading.Event()
        self.error = None
        self.headers = self._socket = None
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        try:
            with self._client.stream("GET", self._path) as reply:
                self.headers = reply.headers
                self._socket = reply.extensions["network_stream"].get_extra_info("socket")
                assert reply.status_code == 200
                self._read(reply.iter_bytes())
        except Exception as error:
            self.error = error

    def _read(self, chunks):
        data = b""
        boundary = b"--i2tframe\r\n"
        for chunk in chunks:
            data += chunk
            while (end := data.find(b"\r\n\r\n")) >= 0:
                assert data.startswith(boundary)
                match = PART.match(data[len(boundary) : end + 2])
                assert match, data[:200]
                length = int(match[1])
                begin = end + 4
                if len(data) < begin + length + 2 + len(boundary):
                    break
                self.pictures.put(data[begin : begin + length])
                assert data[begin + length :].startswith(b"\r\n" + boundary)
                data = data[begin + length + 2 :]
            if self._stop.is_set():
                return

    def next(self, where=lambda data: True):
        """Return the next picture for which ``where`` holds."""
        while True:
            data = self.pictures.get(timeout=20)
            if where(data):
                return data

    def close(self):
        self._stop.set()
        with contextlib.suppress(OSError, AttributeError):  # the server may have closed it
            self._socket.shutdown(socket.SHUT_RDWR)  # or it would read on until something comes
        self._client.close()
        self._thread.join(20)
        assert not self._thread.is_alive()


@contextlib.contextmanager
def watching(bridge, path="/stream"):
    stream = Stream(bridge.client(), path)
    try:
        yield stream
    finally:
        stream.close()


@pytest.fixture
def bridge(web):
    bridge = web(stale_time=0.5)
    bridge.on_loop(bridge.hub.add, "front", "topic")
    return bridge


def publish(bridge, number, camera="front", view="raw", **size):
    bridge.on_loop(bridge.hub.publish, camera, **{view: jpeg(number, **size)})


def is_placeholder(data):
    return decoded(data).shape == (480, 640, 3)


def is_live(data):
    return not is_placeholder(data)


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


def test_a_damaged_frame_is_left_out_of_a_resized_stream(bridge):
    with watching(bridge, "/stream?annotated=0&width=30") as stream:
        stream.next()
        publish(bridge, 50)
        stream.next(lambda data: abs(number_of(data) - 50) < 3)
        bridge.on_loop(bridge.hub.publish, "front", raw=jpeg(60)[:-300])
        publish(bridge, 200)
        stream.next(lambda data: abs(number_of(data) - 200) < 3)


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


# --- the root, for players and for browsers


CHROMIUM = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"
IMG = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "is_page"),
    [
        (CHROMIUM, True),
        ("TEXT/HTML; q=0.5, image/*", True),
        ("text/*", True),
        (IMG, False),
        ("*/*", False),
        ("image/jpeg", False),
        ("text/html;q=0, */*", False),
        ("text/plain, multipart/x-mixed-replace", False),
        ("", False),
    ],
)
def test_the_root_is_the_page_for_browsers_and_the_stream_for_the_rest(plain_web, accept, is_page):
    kind = "text/html" if is_page else "multipart/x-mixed-replace;boundary=i2tframe"
    with plain_web.client(headers={"accept": accept}) as client:
        for method in ("HEAD", "GET"):
            with client.stream(method, "/") as reply:
                assert reply.status_code == 200
                assert reply.headers["content-type"].startswith(kind)
                assert reply.headers["cache-control"] == ("no-cache" if is_page else "no-store")
        if is_page:
            assert client.get("/").headers["vary"] == "Accept"  # a cache has the page alone


def test_a_player_that_sends_no_accept_header_gets_the_stream(plain_web):
    request = f"GET / HTTP/1.0\r\nHost: {plain_web.host}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", plain_web.server.port), 20) as player:
        player.sendall(request.encode())
        got = b""
        while b"\r\n\r\n" not in got:
            got += player.recv(4096)
    assert b"content-type: multipart/x-mixed-replace" in got


def test_the_stream_at_the_root_has_the_options_and_the_access_of_the_stream(web):
    bridge = web(token="correct-horse-battery", stale_time=TIME_LIMIT)  # noqa: S106
    bridge.on_loop(bridge.hub.add, "front")
    bridge.on_loop(bridge.hub.add, "rear")
    publish(bridge, 50)
    publish(bridge, 90, "rear", size=(128, 96))
    with bridge.client() as client:
        assert client.get("/").status_code == 401
        assert client.get("/", headers={"accept": CHROMIUM}).status_code == 200
        client.headers["authorization"] = "Bearer correct-horse-battery"
        assert client.get("/?color=red").status_code == 422
        assert client.get("/?color=red", headers={"accept": CHROMIUM}).status_code == 200
        stream = Stream(client, "/?camera=rear&annotated=0&width=32")
        assert decoded(stream.next(is_live)).shape == (24, 32, 3)
        stream.close()


def test_opencv_plays_the_root(bridge):
    stop = threading.Event()

    def film():
        while not stop.wait(0.01):
            publish(bridge, 90, view="annotated")

    camera = threading.Thread(target=film)
    camera.start()
    video = cv2.VideoCapture(bridge.url, cv2.CAP_FFMPEG)
    try:
        read, image = video.read()
    finally:
        stop.set()
        camera.join(TIME_LIMIT)
        video.release()
    assert read
    assert image.shape == (48, 64, 3)


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
    bridge = web(stale_time=TIME_LIMIT)
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
    bridge = web(stale_time=TIME_LIMIT)
    bridge.on_loop(bridge.hub.add, "image")
    bridge.on_loop(bridge.hub.add, "esp", "websocket")
    publish(bridge, 50, "esp")
    with watching(bridge) as stream:
        assert stream.next() == placeholder("esp", "waiting for the detector")


def test_a_snapshot_and_words_of_the_first_camera_that_has_any(web):
    bridge = web(stale_time=TIME_LIMIT)
    bridge.on_loop(bridge.hub.add, "image")
    bridge.on_loop(bridge.hub.add, "esp", "websocket")
    publish(bridge, 50, "esp")
    bridge.on_loop(bridge.hub.publish, "esp", words=words_of([("dog", (10, 10, 50, 90))]))
    with bridge.client() as client:
        assert abs(number_of(client.get("/snapshot?annotated=0").content) - 50) < 3
        name, data = next(events(client, "/v1/live", 1))
        assert (name, data["camera"], data["sentence"]) == ("words", "esp", "I can see a dog.")


# --- words


def words_of(boxes):
    request = DescribeRequest(picture=Picture(picture(boxes, size=(100, 100))))
    return RectangleDescriber()(request).description


def events(client, path, count):
    """Return the first events of a stream of them."""
    found = []
    with client.stream("GET", path) as reply:
        assert reply.headers["content-type"].startswith("text/event-stream")
        name = None
        for line in reply.iter_lines():
            if line.startswith("event: "):
                name = line[7:]
            elif line.startswith("data: "):
                found.append((name, json.loads(line[6:])))
                yield found[-1]
                if len(found) == count:
                    return


def test_live_words_as_the_detector_puts_them(bridge):
    with bridge.client() as client:
        said = events(client, "/v1/live?language=en&style=sentence", 3)
        assert next(said) == ("silence", {"camera": "front"})
        bridge.on_loop(bridge.hub.publish, "front", words=words_of([("person", (10, 10, 50, 90))]))
        name, data = next(said)
        assert name == "words"
        assert data["sentence"] == "I can see a person."
        assert data["camera"] == "front"
        assert next(said)[0] == "silence"
    assert bridge.describer.asked == []


def test_live_words_in_another_language_are_asked_for(web, monkeypatch):
    monkeypatch.setattr(live, "ASK_INTERVAL", 0.0)
    plain, asked = RectangleDescriber(), []

    def describe(request):
        asked.append(request)
        if len(asked) == 1:
            raise BusyError("later")
        frame = Picture(picture([("person", (10, 10, 50, 90))], size=(100, 100)))
        return plain(replace(request, camera="", picture=frame))

    bridge = web(describe, stale_time=TIME_LIMIT)
    bridge.on_loop(bridge.hub.add, "front", "topic")
    with bridge.client() as client:
        words = events(client, "/v1/live?language=es&style=list", 2)
        assert next(words) == ("silence", {"camera": "front"})
        for number in range(2):  # the first is lost: the detector is busy
            bridge.on_loop(bridge.hub.publish, "front", words=words_of([]))
            until(lambda: len(asked) > number, "it is asked")  # noqa: B023
        name, data = next(words)
    assert name == "words"
    assert data["sentence"] == "Se detectaron los siguientes objetos: 1 persona."
    assert data["detections"][0]["label"] == "persona"
    assert asked[1] == DescribeRequest(camera="front", language="es", style="list")


def test_live_words_of_a_websocket_camera_are_about_its_newest_frame(web):
    bridge = web(stale_time=TIME_LIMIT)
    bridge.on_loop(bridge.hub.add, "esp", "websocket")
    bridge.on_loop(bridge.hub.publish, "esp", raw=picture([("kite", (10, 10, 60, 60))]))
    bridge.on_loop(bridge.hub.publish, "esp", words=words_of([]))
    with bridge.client() as client:
        assert (
            next(events(client, "/v1/live?language=fr", 1))[1]["objects"][0]["class_id"] == "kite"
        )
    assert bridge.describer.asked[0].fresh


def test_a_language_that_only_the_detector_knows(web):
    asked = []

    def describe(request):
        asked.append(request.language)
        return DescribeReply(replace(words_of([]), language=request.language))

    bridge = web(describe)
    bridge.on_loop(bridge.hub.add, "front", "topic")
    with bridge.client() as client:
        assert next(events(client, "/v1/live?language=tlh", 1))[0] == "silence"
    assert asked == ["tlh"]


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
