"""Replies without an end, and cameras that are followed while they leave and come back."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from i2t_ros.bridges.camera_hub import Camera, CameraHub, Feed, Latest, Viewer
from i2t_ros.bridges.http.middleware.head_requests import IS_HEAD
from i2t_ros.bridges.http.services import Services

Item = TypeVar("Item")
Write = Callable[[bytes], Awaitable[None]]

CANCEL_AGAIN = 0.2  # seconds
TICK = 0.5  # seconds between two looks at whether a camera is still the one to follow


@dataclass(frozen=True, slots=True, eq=False)
class Sight(Generic[Item]):
    """What there is to see of a camera: ``latest`` is None while it shows nothing."""

    camera: str
    latest: Latest[Item] | None


async def follow(
    hub: CameraHub,
    name: str,
    feed_of: Callable[[Camera], Feed[Item]],
    stale_time: float,
    repeat_time: float = 0.0,
) -> AsyncGenerator[Sight[Item], None]:
    """Yield the newest of a camera, each once; "" follows whichever camera is the first.

    A Sight of None is yielded at once if there is nothing at first, or if the camera goes; and
    again and again while nothing new comes for ``stale_time`` seconds, so that a client that has
    left is noticed. If nothing follows a picture within ``repeat_time`` seconds, the picture is
    yielded a second time.
    """
    last: Sight[Item] | None = None
    at = 0.0  # when ``last`` was yielded first
    repeated = not repeat_time
    while True:
        current = _choose(hub, name)
        with contextlib.ExitStack() as stack:
            viewer = camera = None
            if current:
                camera = stack.enter_context(hub.waiting_for(current))
                viewer = stack.enter_context(feed_of(camera).view())
            while current == _choose(hub, name):
                patience = 0.0 if last is None else TICK if repeated else repeat_time
                latest = await _wait(viewer, patience)
                now = time.time()
                if latest is not None and now - latest.stamp <= stale_time:
                    last = Sight(current, latest)
                elif last is None or now - at > stale_time or _gone(last, camera):
                    last = Sight(current, None)
                elif not repeated:
                    repeated = True
                    yield last
                    continue
                else:
                    continue
                at, repeated = now, not repeat_time
                yield last


async def _wait(viewer: Viewer[Item] | None, timeout: float) -> Latest[Item] | None:
    if viewer is not None:
        return await viewer.next(timeout)
    await asyncio.sleep(timeout)
    return None


def _gone(last: Sight[Item], camera: Camera | None) -> bool:
    """Return whether what was seen last is of a camera that has left."""
    return last.latest is not None and (camera is None or not camera.online)


def _choose(hub: CameraHub, name: str) -> str:
    return name or next((camera.name for camera in hub.online), "")


class EndlessResponse(Response):
    """A reply that goes on until the client leaves or the server closes."""

    def __init__(
        self, services: Services, media_type: str, pump: Callable[[Write], Awaitable[None]]
    ) -> None:
        """Reply with what ``pump`` writes; a write returns when the client can take more."""
        super().__init__(media_type=media_type)
        self._services = services
        self._pump = pump

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Reply; raises BusyError, before anything is sent, if too many are watching."""

        async def write(data: bytes) -> None:
            await send({"type": "http.response.body", "body": data, "more_body": True})

        headers = [entry for entry in self.raw_headers if entry[0] != b"content-length"]
        with self._services.watching():
            start = {"type": "http.response.start", "status": self.status_code, "headers": headers}
            await send(start)
            if IS_HEAD not in scope:
                await first_of(self._pump(write), _left(receive), self._services.closing.wait())
            await send({"type": "http.response.body", "body": b""})


async def first_of(*awaitables: Awaitable[object]) -> None:
    """Run all until the first of them ends, then cancel the others; raises what that one raised."""
    tasks = [asyncio.ensure_future(awaitable) for awaitable in awaitables]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        # Again and again: before Python 3.12 wait_for loses a cancellation that comes at the moment
        # in which what it waits for is done (cpython issue 86296).
        while any(not task.done() for task in tasks):
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks, timeout=CANCEL_AGAIN)


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
