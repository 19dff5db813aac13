"""What the listener counts, in Prometheus' terms. Labels have few values, whatever clients send."""

from __future__ import annotations

import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from i2t_ros.bridges.camera_hub import CameraHub

METHODS = ("GET", "HEAD", "POST", "DELETE", "OPTIONS")
MEDIA_TYPE = CONTENT_TYPE_LATEST


class Metrics:
    """One listener's counters, in their own registry."""

    def __init__(self, hub: CameraHub, viewers: Callable[[], int]) -> None:
        """Start at zero; ``viewers`` returns how many watch streams."""
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "i2t_http_requests",
            "HTTP requests answered",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self.request_seconds = Histogram(
            "i2t_http_request_seconds",
            "Seconds from a request's headers to the start of its reply",
            ("route",),
            registry=self.registry,
        )
        self.descriptions = Counter(
            "i2t_descriptions",
            "Pictures described over HTTP: ok, cached, or the code of an error",
            ("result",),
            registry=self.registry,
        )
        self.frames = Counter(
            "i2t_websocket_frames",
            "Frames of WebSocket cameras: taken, or why they were ignored",
            ("result",),
            registry=self.registry,
        )
        self.streamed = Counter(
            "i2t_stream_frames", "Pictures sent to viewers of MJPEG streams", registry=self.registry
        )
        cameras = Gauge("i2t_cameras", "Cameras that are there", registry=self.registry)
        cameras.set_function(lambda: len(hub.online))
        watching = Gauge("i2t_stream_viewers", "Viewers of streams", registry=self.registry)
        watching.set_function(viewers)

    def text(self) -> bytes:
        """Return all of it in the exposition format."""
        return generate_latest(self.registry)


class Counting:
    """ASGI middleware that counts requests by route and status."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        """Stand before ``app``."""
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and count the reply."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()

        async def counting_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                # The route's template and not the path, which may be anything.
                route = getattr(scope.get("route"), "path", "none")
                method = scope["method"] if scope["method"] in METHODS else "other"
                self._metrics.requests.labels(method, route, str(message["status"])).inc()
                seconds = time.perf_counter() - started
                self._metrics.request_seconds.labels(route).observe(seconds)
            await send(message)

        await self._app(scope, receive, counting_send)
