"""What the routes of one listener share."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Iterator
from dataclasses import replace

from cachetools import TTLCache

from i2t_ros.bridges.camera_hub import CameraHub, FrameSink
from i2t_ros.bridges.handler import Handler, TimeLimited
from i2t_ros.bridges.http.answering import CountingHandler
from i2t_ros.bridges.http.fetch import Fetcher
from i2t_ros.bridges.http.history.database import History
from i2t_ros.bridges.http.history.handler import HistoryHandler
from i2t_ros.bridges.http.metrics import Metrics
from i2t_ros.bridges.http.settings import HttpSettings
from i2t_ros.errors import BusyError, NoFrameError, UnknownCameraError
from i2t_ros.types import DescribeRequest, Picture
from i2t_ros.vision.codecs import read_header

PICTURES_BYTES = 64 << 20
PICTURES_TIME = 600.0  # seconds for which a linked picture is kept at most


class Services:
    """One listener's handler, cameras, pictures, history and counters, and the limits on them.

    handler  answers requests within the limits, from the history if there is one
    """

    def __init__(  # noqa: PLR0913 (what create_app is given)
        self,
        handler: Handler,
        hub: CameraHub,
        settings: HttpSettings,
        *,
        sink: FrameSink | None = None,
        unready: Callable[[], str] | None = None,
        configuration: Callable[[], str] | None = None,
    ) -> None:
        """Put them together; raises BackendMissingError if a history lacks its packages."""
        limits = settings.limits
        self.hub = hub
        self.settings = settings
        self.sink = sink
        self.unready = unready or (lambda: "")
        self.viewers = 0
        self.closing = asyncio.Event()
        self.metrics = Metrics(hub, lambda: self.viewers)
        self.fetcher = Fetcher(settings.fetch, limits.max_body_bytes) if settings.fetch else None
        self.history: HistoryHandler | None = None
        handler = TimeLimited(handler, limits.request_time)
        if settings.history is not None:
            handler = self.history = HistoryHandler(
                handler, History(settings.history), configuration or (lambda: "")
            )
        self.handler = CountingHandler(handler, limits.max_requests, self.metrics)
        self._pictures: TTLCache[str, Picture] = TTLCache(
            PICTURES_BYTES, PICTURES_TIME, getsizeof=len
        )

    async def open(self) -> None:
        """Open what has to be; raises ServiceError."""
        if self.history is not None:
            await self.history.open()

    async def close(self) -> None:
        """Let go of everything; streams end."""
        self.closing.set()
        if self.history is not None:
            await self.history.close()

    def request_for(self, camera: str, options: DescribeRequest) -> DescribeRequest:
        """Return a request about the newest frame of a camera; "" is the first.

        Frames of WebSocket cameras are here, the others with the handler. One frame follows the
        other, so they are neither looked up in a cache nor put into one.

        Raises NoFrameError.
        """
        try:
            found = self.hub.find(camera)
        except UnknownCameraError:
            return replace(options, camera=camera)  # the handler may know it, or says what it knows
        if found.transport == "topic":
            return replace(options, camera=camera)
        if found.raw.newest is None:
            raise NoFrameError(f"camera {found.name}: no picture has come yet")
        return replace(options, camera="", picture=Picture(found.raw.newest.item), fresh=True)

    def keep(self, picture: Picture) -> str:
        """Keep a picture in memory for some minutes; return the path of its URL."""
        key = f"{secrets.token_urlsafe(24)}.{read_header(picture).format}"
        with contextlib.suppress(ValueError):  # larger than all that is kept
            self._pictures[key] = picture
        return f"/v1/pictures/{key}"

    def kept(self, key: str) -> Picture | None:
        """Return the picture that was kept under the last part of its path, if it still is."""
        return self._pictures.get(key)

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Count one viewer of a stream while the context lasts; raises BusyError."""
        if self.viewers >= self.settings.limits.max_viewers:
            raise BusyError(f"{self.viewers} viewers are watching already: try again")
        self.viewers += 1
        try:
            yield
        finally:
            self.viewers -= 1
