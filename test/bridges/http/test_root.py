"""The root of the server: the page for browsers, the stream for players."""

import socket
import threading

import cv2
import pytest

pytest.importorskip("fastapi")
from streams import Stream, decoded, is_live, publish
from waiting import TIME_LIMIT

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
        ("text/html; q = 0, */*", False),
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
    bridge = web(token="correct-horse-battery")  # noqa: S106
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


def test_opencv_plays_the_root(web):
    bridge = web()
    bridge.on_loop(bridge.hub.add, "front")
    publish(bridge, 90, view="annotated")  # or it plays a placeholder first
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
