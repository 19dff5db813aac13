"""Cameras of a web bridge, and what reads their streams: pictures (MJPEG) and words (events)."""

import contextlib
import json
import queue
import re
import socket
import threading

import cv2
import numpy as np
from web_support import RectangleDescriber, picture

from i2t_ros.types import DescribeRequest, Picture

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


def publish(bridge, number, camera="front", view="raw", **size):
    bridge.on_loop(bridge.hub.publish, camera, **{view: jpeg(number, **size)})


def is_placeholder(data):
    return decoded(data).shape == (480, 640, 3)


def is_live(data):
    return not is_placeholder(data)


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
