"""What the listener counts, in Prometheus' terms. Labels have few values, whatever clients send."""

import time
from collections.abc import Callable
from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from i2t_ros.bridges.camera_hub import CameraHub

METHODS = ("GET", "HEAD", "POST", "DELETE", "OPTIONS")
IS_HEAD = "i2t_ros.head"
"""Key of the ASGI scope: whether the body of the reply will not be sent."""


class Metrics:
    """One listener's counters, in their own registry."""

    def __init__(
        self, hub: CameraHub, viewers: Callable[[], int], memory: Callable[[], int]
    ) -> None:
        """Start at zero.

        viewers  returns how many watch streams
        memory   returns how many bytes requests take
        """
        self.registry = CollectorRegistry()
        counter = partial(Counter, registry=self.registry)
        gauge = partial(Gauge, registry=self.registry)
        self.requests = counter(
            "i2t_http_requests", "HTTP requests answered", ("method", "route", "status")
        )
        self.request_seconds = Histogram(
            "i2t_http_request_seconds",
            "Seconds from a request's headers to the start of its reply",
            ("route",),
            registry=self.registry,
        )
        self.descriptions = counter(
            "i2t_descriptions",
            "Pictures described over HTTP: ok, cached, or the code of an error",
            ("result",),
        )
        self.answers = counter(
            "i2t_answers",
            "Questions answered over HTTP: ok, cancelled, or the code of an error",
            ("result",),
        )
        self.frames = counter(
            "i2t_websocket_frames",
            "Frames of WebSocket cameras: taken, why they were ignored, or too_large",
            ("result",),
        )
        self.streamed = counter("i2t_stream_frames", "Pictures sent to viewers of MJPEG streams")
        gauge("i2t_cameras", "Cameras that are there").set_function(lambda: len(hub.online))
        gauge("i2t_stream_viewers", "Viewers of streams").set_function(viewers)
        gauge("i2t_request_bytes", "Bytes of requests and replies in memory").set_function(memory)


class Counting:
    """ASGI middleware that counts requests by route and status.

    It also has a HEAD request answered wherever GET is (RFC 9110, section 9.1): as a GET, of which
    uvicorn leaves the body out.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and count the reply."""
        if scope["type"] == "websocket":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        method = scope["method"] if scope["method"] in METHODS else "other"
        if method == "HEAD":
            scope = {**scope, "method": "GET", IS_HEAD: True}

        async def counting_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                # The route's template and not the path, which may be anything.
                route = getattr(scope.get("route"), "path", "none")
                self._metrics.requests.labels(method, route, str(message["status"])).inc()
                seconds = time.perf_counter() - started
                self._metrics.request_seconds.labels(route).observe(seconds)
            await send(message)

        await self._app(scope, receive, counting_send)
