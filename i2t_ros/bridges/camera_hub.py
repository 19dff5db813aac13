"""The newest picture and words of every camera, and those who look at them.

A CameraHub lives on one asyncio loop. All its methods are called there; other threads go through
``LoopThread.post``. It keeps only the newest of everything, so a slow viewer misses pictures, and
costs no memory and nobody else's time.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, Literal, Protocol, TypeVar

from i2t_ros.errors import BusyError, InvalidRequestError, UnknownCameraError
from i2t_ros.types import CAMERA_NAME, Description

Item = TypeVar("Item")
View = Literal["raw", "annotated", "words"]
Transport = Literal["topic", "websocket"]


class FrameSink(Protocol):
    """Where the frames of WebSocket cameras go besides the hub: ROS topics, in bridge_node.

    Called on the loop; must not block it.
    """

    def check(self, camera: str) -> None:
        """Raise InvalidRequestError if frames of a camera of this name cannot go there."""

    def publish(self, camera: str, jpeg: bytes) -> None:
        """Take the newest frame, a whole JPEG picture, of a camera that is online in the hub."""


@dataclass(frozen=True, slots=True, eq=False)
class Latest(Generic[Item]):
    """The newest item of a feed.

    number  how many items the feed has had, with this one
    stamp   when it came: ``time.time()``, seconds
    """

    item: Item
    number: int
    stamp: float


class Feed(Generic[Item]):
    """The newest of one kind of one camera, and its viewers.

    count  how many items it has had
    """

    def __init__(self, on_change: Callable[[], None]) -> None:
        """Start without anything; ``on_change`` is called when a viewer comes or goes."""
        self.newest: Latest[Item] | None = None
        self.viewers: set[Viewer[Item]] = set()
        self.count = 0
        self._on_change = on_change

    def put(self, item: Item) -> None:
        """Take a new one in place of the newest."""
        self.count += 1
        self._replace(Latest(item, self.count, time.time()))

    def clear(self) -> None:
        """Forget the newest: it is no longer what the camera sees."""
        self._replace(None)

    def _replace(self, newest: Latest[Item] | None) -> None:
        self.newest = newest
        for viewer in self.viewers:
            viewer.changed.set()

    @contextlib.contextmanager
    def view(self) -> Iterator[Viewer[Item]]:
        """Look at the feed while the context lasts."""
        viewer = Viewer(self)
        self.viewers.add(viewer)
        self._on_change()
        try:
            yield viewer
        finally:
            self.viewers.discard(viewer)
            self._on_change()


class Viewer(Generic[Item]):
    """Sees the newest of a feed, each at most once."""

    def __init__(self, feed: Feed[Item]) -> None:
        """Look at ``feed`` from now on; what it has already counts as new."""
        self.changed = asyncio.Event()
        self._feed = feed
        self._seen = 0
        if feed.newest is not None:
            self.changed.set()

    async def next(self, timeout: float) -> Latest[Item] | None:
        """Return the newest, once there is one not seen yet; None after ``timeout`` seconds.

        Also None, at once, if the feed has been cleared.
        """
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self.changed.wait(), timeout)
        self.changed.clear()
        newest = self._feed.newest
        if newest is None or newest.number == self._seen:
            return None
        self._seen = newest.number
        return newest


class Camera:
    """One camera.

    transport  how its frames come here: topic: over ROS; websocket: a client sends them
    online     whether it is there: False for one that left, or that is only waited for
    raw        JPEG pictures as they came
    annotated  JPEG pictures with what was found drawn on them
    words      descriptions
    """

    def __init__(self, name: str, on_change: Callable[[], None]) -> None:
        """Start offline; ``on_change`` is called when a viewer of a feed comes or goes."""
        self.name = name
        self.transport: Transport = "topic"
        self.online = False
        self.raw = Feed[bytes](on_change)
        self.annotated = Feed[bytes](on_change)
        self.words = Feed[Description](on_change)
        self.feeds: tuple[Feed[Any], ...] = self.raw, self.annotated, self.words

    @property
    def viewers(self) -> int:
        """How many look at any of its feeds."""
        return sum(len(feed.viewers) for feed in self.feeds)


class CameraHub:
    """All cameras of a bridge.

    A camera that somebody looks at stays known while it is offline, so that viewers see it come
    back; otherwise it is forgotten when it leaves.
    """

    def __init__(
        self, *, max_cameras: int = 256, on_change: Callable[[], None] = lambda: None
    ) -> None:
        """Know at most ``max_cameras``, present and waited for.

        ``on_change`` is called on the loop whenever a camera or a viewer comes or goes, so that
        what nobody looks at need not be subscribed to.
        """
        self._cameras: dict[str, Camera] = {}
        self._max_cameras = max_cameras
        self._on_change = on_change

    @property
    def online(self) -> list[Camera]:
        """The cameras that are there, in the order in which they came."""
        return [camera for camera in self._cameras.values() if camera.online]

    def add(self, name: str, transport: Transport = "topic") -> Camera:
        """Take note that a camera is there.

        Raises InvalidRequestError for a name that no camera may have, BusyError if there are too
        many.
        """
        camera = self._expect(name)
        camera.transport = transport
        camera.online = True
        self._on_change()
        return camera

    def remove(self, name: str) -> None:
        """Take note that a camera has gone."""
        camera = self._cameras.get(name)
        if camera is not None:
            camera.online = False
            for feed in camera.feeds:
                feed.clear()
            self._forget_if_unused(camera)
            self._on_change()

    def find(self, name: str = "") -> Camera:
        """Return a camera that is there; "" is the first. Raises UnknownCameraError."""
        for camera in self.online:
            if name in ("", camera.name):
                return camera
        there = ", ".join(camera.name for camera in self.online) or "none"
        raise UnknownCameraError(
            f"unknown camera {name!r}; cameras are {there}" if name else "no camera is connected"
        )

    @contextlib.contextmanager
    def waiting_for(self, name: str) -> Iterator[Camera]:
        """Keep a camera known while the context lasts, even while it is not there.

        Raises InvalidRequestError and BusyError as ``add`` does.
        """
        camera = self._expect(name)
        try:
            yield camera
        finally:
            self._forget_if_unused(camera)

    def publish(self, name: str, **news: Any) -> None:
        """Take what is new of a camera that is there, by view; of any other it is dropped."""
        camera = self._cameras.get(name)
        if camera is not None and camera.online:
            for view, item in news.items():
                getattr(camera, view).put(item)

    def _expect(self, name: str) -> Camera:
        if not CAMERA_NAME.fullmatch(name):
            raise InvalidRequestError(
                f"camera name: expected up to 64 letters, digits and underscores, no digit first, "
                f"got {name[:80]!r}"
            )
        if name not in self._cameras:
            if len(self._cameras) >= self._max_cameras:
                raise BusyError(f"{self._max_cameras} cameras are known already, the limit")
            self._cameras[name] = Camera(name, self._on_change)
        return self._cameras[name]

    def _forget_if_unused(self, camera: Camera) -> None:
        if not camera.online and not camera.viewers:
            self._cameras.pop(camera.name, None)
