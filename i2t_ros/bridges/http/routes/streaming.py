"""Replies without an end, and cameras that are followed while they leave and come back."""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Callable
from typing import TypeVar

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from i2t_ros.bridges.camera_hub import Camera, CameraHub, Feed, Latest
from i2t_ros.bridges.http.metrics import IS_HEAD
from i2t_ros.bridges.http.services import Services

Item = TypeVar("Item")

TICK = 0.5  # seconds between two looks at whether a camera is still the one to follow


async def follow(
    services: Services, name: str, feed_of: Callable[[Camera], Feed[Item]], repeat_time: float = 0.0
) -> AsyncGenerator[tuple[str, Latest[Item] | None], None]:
    """Yield a camera's name and its newest, each once; "" follows whichever camera is the first.

    In place of the newest, None is yielded at once if there is nothing at first, or if the camera
    goes; and again and again while nothing new comes for the limit ``stale_time``, so that a client
    that has left is noticed. If nothing follows a picture within ``repeat_time`` seconds, the
    picture is yielded a second time. Ends when the listener closes.
    """
    hub, stale_time = services.hub, services.settings.limits.stale_time
    last: Latest[Item] | None = None
    at = 0.0  # when something was yielded last, but for repetitions
    repeated = True
    while not services.closing.is_set():
        current = _choose(hub, name)
        with contextlib.ExitStack() as stack:
            camera = stack.enter_context(hub.waiting_for(current)) if current else None
            viewer = stack.enter_context(feed_of(camera).view()) if camera else None
            while current == _choose(hub, name) and not services.closing.is_set():
                patience = TICK if repeated else repeat_time
                latest = None
                if viewer is not None:
                    latest = await viewer.next(patience if at else 0.0)
                else:
                    await asyncio.sleep(patience if at else 0.0)
                now = time.time()
                has_left = last is not None and not (camera and camera.online)
                if latest is not None and now - latest.stamp <= stale_time:
                    last, at, repeated = latest, now, not repeat_time
                elif now - at > stale_time or has_left:
                    last, at, repeated = None, now, not repeat_time
                elif not repeated:
                    repeated = True
                else:
                    continue
                yield current, last


def _choose(hub: CameraHub, name: str) -> str:
    return name or next((camera.name for camera in hub.online), "")


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
        async with contextlib.aclosing(self._parts):
            with self._services.watching():
                if IS_HEAD in scope:
                    await self._parts.aclose()
                # Without a version Starlette listens for the client's leaving, whatever uvicorn
                # says of errors of send (uvicorn 0.28.1 to 0.32.0 raises none, and says it does).
                await super().__call__({**scope, "asgi": {}}, receive, send)
