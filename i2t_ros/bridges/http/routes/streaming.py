"""Replies without an end, and cameras that are followed while they leave and come back."""

import contextlib
import math
import time
from collections.abc import AsyncGenerator, Callable
from typing import TypeVar

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from i2t_ros.bridges.camera_hub import Camera, Feed, Latest, Watch
from i2t_ros.bridges.http.metrics import IS_HEAD
from i2t_ros.bridges.http.replies import CONNECTION
from i2t_ros.bridges.http.services import Services

Item = TypeVar("Item")

TICK = 0.5  # seconds between two looks at whether a camera is still the one to follow


async def follow(
    services: Services, name: str, feed_of: Callable[[Camera], Feed[Item]], repeat_time: float = 0.0
) -> AsyncGenerator[tuple[str, Latest[Item] | None], None]:
    """Yield a camera's name and its newest, each once; "" follows the first one that has any.

    In place of the newest, None is yielded at once if there is nothing at first, or if the camera
    goes; and again and again while nothing new comes for the limit ``stale_time``, so that a client
    that has left is noticed. If nothing follows a picture within ``repeat_time`` seconds, the
    picture is yielded a second time. Ends when the listener closes.
    """
    stale_time = services.settings.limits.stale_time
    last: Latest[Item] | None = None
    shown = ""  # the name that was yielded last
    at = -math.inf  # when something was yielded last, but for repetitions
    repeated = True
    with Watch(services.hub, name, feed_of, stale_time) as watch:
        while not services.closing.is_set():
            patience = 0.0 if math.isinf(at) else TICK if repeated else repeat_time
            camera, latest = await watch.next(patience)
            current = camera.name if camera is not None else ""
            now = time.monotonic()
            has_left = last is not None and not (camera and camera.online)
            if latest is not None and latest.age <= stale_time:
                last, at, repeated = latest, now, not repeat_time
            elif now - at > stale_time or has_left or current != shown:
                last, at, repeated = None, now, not repeat_time
            elif not repeated:
                repeated = True
            else:
                continue
            shown = current
            yield current, last


class EndlessResponse(StreamingResponse):
    """A reply that goes on until the client leaves or its parts end."""

    def __init__(
        self, services: Services, parts: AsyncGenerator[bytes, None], media_type: str
    ) -> None:
        # nginx would collect pictures and events before it passes them on.
        super().__init__(parts, media_type=media_type, headers={"x-accel-buffering": "no"})
        self._services = services
        self._parts = parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Reply; raises BusyError, before anything is sent, if too many are watching."""
        scope["state"][CONNECTION].ends_with_client = True
        async with contextlib.aclosing(self._parts):
            with self._services.watching():
                if IS_HEAD in scope:
                    await self._parts.aclose()
                # Without a version Starlette listens for the client's leaving, whatever uvicorn
                # says of errors of send (uvicorn 0.28.1 to 0.32.0 raises none, and says it does).
                await super().__call__({**scope, "asgi": {}}, receive, send)
