"""A web bridge on a free port, and a describer that sees coloured rectangles."""

from __future__ import annotations

import cv2
import httpx
import numpy as np
from local_handlers import LocalHandler, repeating
from making import scene_of
from waiting import TIME_LIMIT

from i2t_ros.bridges.camera_hub import CameraHub
from i2t_ros.bridges.http.server import HttpServer
from i2t_ros.bridges.http.services import Services
from i2t_ros.bridges.http.settings import HttpLimits, HttpSettings
from i2t_ros.bridges.loop_thread import LoopThread
from i2t_ros.errors import EmptyImageError, UnknownTaskError
from i2t_ros.pipeline.describe_options import DescribeOptions
from i2t_ros.pipeline.telling import draw, tell
from i2t_ros.types import DescribeReply, Description, Detections
from i2t_ros.vision.codecs import decode_image, encode_image

COLORS = {"person": (0, 0, 255), "dog": (255, 0, 0), "kite": (0, 255, 0)}  # blue, green, red
LABELS = tuple(COLORS)


def picture(boxes, size=(320, 240), extension=".png"):
    """Return an encoded picture with a rectangle of its class's colour for each (name, box)."""
    width, height = size
    image = np.full((height, width, 3), 90, np.uint8)
    for name, (left, top, right, bottom) in boxes:
        image[top:bottom, left:right] = COLORS[name]
    return cv2.imencode(extension, image)[1].tobytes()


PICTURE = picture([("dog", (40, 60, 140, 200)), ("person", (200, 30, 260, 220))])
BOXES = {"dog": [40, 60, 140, 200], "person": [200, 30, 260, 220]}


OTHER = picture([("kite", (10, 10, 60, 60))])


def is_served(bridge):
    """Return whether a picture is described."""
    with bridge.client() as client:
        return client.post("/v1/describe", content=PICTURE).status_code == 200


def post(client, data=PICTURE, query=""):
    """Have a picture described; return the reply."""
    reply = client.post(f"/v1/describe{query}", content=data)
    assert reply.status_code == 200, reply.text
    return reply.json()


def assert_is_annotated(data):
    """Check that something has been drawn on PICTURE."""
    drawn = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    plain = cv2.imdecode(np.frombuffer(PICTURE, np.uint8), cv2.IMREAD_COLOR)
    assert drawn.shape == plain.shape
    assert not np.array_equal(drawn, plain)


class RectangleDescriber:
    """Finds the rectangle of each colour, and counts how often it was asked."""

    model = "rectangles"

    def __init__(self):
        self.asked = []

    def __call__(self, request):
        self.asked.append(request)
        if request.picture is None:
            raise EmptyImageError("the request brings no picture")
        if set(request.tasks) - {"detect"}:
            raise UnknownTaskError("this describer knows only detect")
        options = DescribeOptions().for_request(request)
        image = decode_image(request.picture)
        found = self.find(image)
        scene = scene_of(image.shape[1], image.shape[0], detections=found)
        sentence = tell(scene, options)
        how = options.language, options.style, self.model, 0.001
        description = Description(scene, sentence, *how, spoken=options.spoken)
        drawn = None
        if request.annotate:
            labelled = draw(image, scene, options)
            drawn = encode_image(labelled, request.picture.format)
        return DescribeReply(description, drawn)

    @staticmethod
    def find(image):
        boxes, ids = [], []
        for number, color in enumerate(COLORS.values()):
            near = (np.abs(image.astype(int) - color).max(axis=2) < 60).astype(np.uint8)
            if near.sum() > 50:
                left, top, width, height = cv2.boundingRect(near)
                boxes.append((left, top, left + width, top + height))
                ids.append(number)
        return Detections(boxes, np.full(len(ids), 0.9), ids, LABELS)


class WebBridge:
    """A running HTTP listener with everything behind it; a context manager."""

    def __init__(
        self,
        describe=None,
        *,
        handler=None,
        sink=None,
        unready=None,
        configuration=None,
        tls=False,
        answer=repeating,
        **options,
    ):
        self.describer = describe or RectangleDescriber()
        self._own = None if handler else LocalHandler(self.describer, 2, 64, answer)
        self.hub = None
        limits = {name: options.pop(name) for name in list(options) if name in _LIMITS}
        # On a busy machine a test's only picture would be stale before it is looked at.
        limits.setdefault("stale_time", TIME_LIMIT)
        self.settings = HttpSettings(limits=HttpLimits(**limits), **options)
        self.loop = LoopThread("web")
        self._handler = handler or self._own
        self._parts = {
            "sink": sink,
            "unready": unready or str,
            "configuration": configuration or (lambda: getattr(self.describer, "model", "one")),
        }
        self._scheme = "https" if tls else "http"

    def __enter__(self):
        self.loop.start()
        try:
            self.server = self.loop.call(self._start(), TIME_LIMIT)
        except BaseException:
            self.loop.stop()
            raise
        self.host = f"127.0.0.1:{self.server.port}"
        self.url = f"{self._scheme}://{self.host}"
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self.loop._running:
            self.loop.call(self.server.close(), TIME_LIMIT)
            self.loop.stop()
        if self._own is not None:
            self._own.close()

    async def _start(self):
        self.hub = CameraHub()
        self.services = Services(self._handler, self.hub, self.settings, **self._parts)
        server = HttpServer(self.services, port=0)
        await server.start()
        return server

    def client(self, **options):
        return httpx.Client(base_url=self.url, timeout=TIME_LIMIT, **options)

    def on_loop(self, function, *arguments, **named):
        """Call a function on the loop and return what it returns."""

        async def call():
            return function(*arguments, **named)

        return self.loop.call(call(), TIME_LIMIT)

    def metric(self, name, **labels):
        """Return the value of a counter."""
        value = self.services.metrics.registry.get_sample_value(name, labels)
        return 0 if value is None else value


_LIMITS = set(HttpLimits.__dataclass_fields__)
