"""The newest picture and description of every camera, and the viewers that wait for them.

A CameraHub lives on one asyncio loop. All its methods are called there; other threads use
``LoopThread.post``. It keeps only the newest item of each feed, so a slow viewer misses pictures
but costs no memory and does not slow down the others.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, Protocol, TypeVar

from i2t_ros.bridges.counting import counted
from i2t_ros.errors import BusyError, InvalidRequestError, UnknownCameraError
from i2t_ros.types import CAMERA_NAME, Description

Item = TypeVar("Item")
View = Literal["raw", "annotated", "words"]
Transport = Literal["topic", "websocket"]

MAX_PLACES = 1024  # cameras whose place is remembered; more than are ever known at a time
ONLY_FIRST = 1.0  # seconds for which only the first camera is looked at, for one that has items


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
    _arrived: float = field(default_factory=time.monotonic)

    @property
    def age(self) -> float:
        """Seconds since it came, also if the clock has been set meanwhile."""
        return time.monotonic() - self._arrived


class Feed(Generic[Item]):
    """One kind of items of one camera: the newest one, and its viewers.

    count  how many items it has had
    """

    def __init__(self, on_change: Callable[[], None]) -> None:
        """Start empty; ``on_change`` is called when a viewer comes or goes."""
        self.newest: Latest[Item] | None = None
        self.viewers: set[Viewer[Item]] = set()
        self.count = 0
        self._on_change = on_change

    def put(self, item: Item) -> None:
        """Replace the newest item."""
        self.count += 1
        self._replace(Latest(item, self.count, time.time()))

    def clear(self) -> None:
        """Forget the newest item: it is no longer what the camera sees."""
        self._replace(None)

    def _replace(self, newest: Latest[Item] | None) -> None:
        self.newest = newest
        for viewer in self.viewers:
            viewer.changed.set()

    def is_fresh(self, max_age: float) -> bool:
        """Whether the newest item came within the last ``max_age`` seconds."""
        return self.newest is not None and self.newest.age <= max_age

    @contextlib.contextmanager
    def view(self, changed: asyncio.Event | None = None) -> "Iterator[Viewer[Item]]":
        """View the feed while the context lasts; ``changed`` is set when it changes."""
        viewer = Viewer(self, changed)
        self.viewers.add(viewer)
        self._on_change()
        try:
            yield viewer
        finally:
            self.viewers.discard(viewer)
            self._on_change()


class Viewer(Generic[Item]):
    """Sees the newest items of a feed, each at most once."""

    def __init__(self, feed: Feed[Item], changed: asyncio.Event | None = None) -> None:
        """View ``feed`` from now on; the item that it already has counts as new."""
        self.changed = changed or asyncio.Event()
        self._feed = feed
        if feed.newest is not None:
            self.changed.set()

    async def next(self, timeout: float) -> Latest[Item] | None:
        """Return the newest item, once there is one not seen yet; None after ``timeout`` seconds.

        Also None, at once, if the feed has been cleared.
        """
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self.changed.wait(), timeout)
        if not self.changed.is_set():
            return None
        self.changed.clear()
        return self._feed.newest


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
        """How many viewers all its feeds have."""
        return sum(len(feed.viewers) for feed in self.feeds)


class Watch(Generic[Item]):
    """Sees the newest items of one camera, each at most once; a context manager.

    That is the camera of a name or, without a name, the first one that has new items. While the
    cameras before it have none they are viewed too, so it changes to them when they have some, and
    to those after it when it has none itself.
    """

    def __init__(
        self, hub: "CameraHub", name: str, feed_of: Callable[[Camera], Feed[Item]], max_age: float
    ) -> None:
        """Watch a feed of a camera; items older than ``max_age`` seconds are not new.

        Nothing is viewed before ``next`` is called.
        """
        self._hub = hub
        self._name = name
        self._feed_of = feed_of
        self._max_age = max_age
        self._changed = asyncio.Event()
        self._viewed: dict[str, contextlib.ExitStack] = {}
        self._began = time.monotonic()
        self._seen: Latest[Item] | None = None

    def __enter__(self) -> "Watch[Item]":
        return self

    def __exit__(self, *_: object) -> None:
        self._view([])

    async def next(self, timeout: float) -> tuple[Camera | None, Latest[Item] | None]:
        """Return the camera, and its newest item once there is one that was not returned yet.

        In place of the item None, after ``timeout`` seconds, or at once if anything else changed.
        In place of the camera None, if none is there. Raises InvalidRequestError and BusyError as
        CameraHub.add does.
        """
        self._choose()
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._changed.wait(), timeout)
        self._changed.clear()
        camera = self._choose()
        latest = self._feed_of(camera).newest if camera is not None else None
        if latest is self._seen:
            return camera, None
        self._seen = latest
        return camera, latest

    def _choose(self) -> Camera | None:
        """View what has to be viewed now; return the camera to show."""
        if self._name:
            self._view([self._name])
            return self._hub.known(self._name)
        online, max_age = self._hub.online, self._max_age
        best = [camera for camera in online if self._feed_of(camera).is_fresh(max_age)]
        if best:
            viewed = online[: online.index(best[0]) + 1]
        elif time.monotonic() - self._began < ONLY_FIRST:
            viewed = online[:1]
        else:
            viewed = online
        self._view([camera.name for camera in viewed])
        # Without new items: one that has old ones, or that has pictures, but none of this feed.
        best += [c for c in online if self._feed_of(c).newest or c.raw.is_fresh(max_age)]
        return next(iter(best + online), None)

    def _view(self, names: list[str]) -> None:
        """View the feeds of these cameras, and no others."""
        for name in names:
            if name not in self._viewed:
                with contextlib.ExitStack() as stack:
                    camera = stack.enter_context(self._hub.waiting_for(name))
                    stack.enter_context(self._feed_of(camera).view(self._changed))
                    self._viewed[name] = stack.pop_all()
        for name in self._viewed.keys() - set(names):
            self._viewed.pop(name).close()


class CameraHub:
    """All cameras of a bridge.

    A camera with viewers stays known while it is offline, so that they see it come back; any other
    is forgotten when it leaves. Its place among the others is remembered.
    """

    def __init__(
        self, *, max_cameras: int = 256, on_change: Callable[[], None] = lambda: None
    ) -> None:
        """Allow at most ``max_cameras``, online or waited for.

        ``on_change`` is called on the loop whenever a camera or a viewer comes or goes, so that
        topics without viewers need not be subscribed to.
        """
        self._cameras: dict[str, Camera] = {}
        self._places: dict[str, None] = {}  # all names, in the order in which they first came
        self._max_cameras = max_cameras
        self._on_change = on_change

    @property
    def online(self) -> list[Camera]:
        """The cameras that are online, in the order in which they first came."""
        there = (self._cameras.get(name) for name in self._places)
        return [camera for camera in there if camera is not None and camera.online]

    def add(self, name: str, transport: Transport = "topic") -> Camera:
        """Mark a camera as online.

        Raises InvalidRequestError for a name that no camera may have, BusyError if there are too
        many.
        """
        camera = self._expect(name)
        camera.transport = transport
        camera.online = True
        self._places.setdefault(name)
        if len(self._places) > MAX_PLACES:
            gone = (known for known in self._places if known not in self._cameras)
            del self._places[next(gone)]
        self._on_change()
        return camera

    def remove(self, name: str) -> None:
        """Mark a camera as gone."""
        camera = self._cameras.get(name)
        if camera is not None:
            camera.online = False
            for feed in camera.feeds:
                feed.clear()
            self._forget_if_unused(camera)
            self._on_change()

    def find(self, name: str = "") -> Camera:
        """Return a camera that is online; "" is the first one. Raises UnknownCameraError."""
        for camera in self.online:
            if name in ("", camera.name):
                return camera
        there = ", ".join(camera.name for camera in self.online) or "none"
        raise UnknownCameraError(
            f"unknown camera {name!r}; cameras are {there}" if name else "no camera is connected"
        )

    def known(self, name: str) -> Camera | None:
        """Return a camera that is online or waited for."""
        return self._cameras.get(name)

    @contextlib.contextmanager
    def waiting_for(self, name: str) -> Iterator[Camera]:
        """Keep a camera known while the context lasts, even while it is offline.

        Raises InvalidRequestError and BusyError as ``add`` does.
        """
        camera = self._expect(name)
        try:
            yield camera
        finally:
            self._forget_if_unused(camera)

    def publish(self, name: str, **news: Any) -> None:
        """Take new items of a camera, by view; they are dropped if the camera is not online."""
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
                raise BusyError(f"{counted(self._max_cameras, 'camera')} already, the limit")
            self._cameras[name] = Camera(name, self._on_change)
        return self._cameras[name]

    def _forget_if_unused(self, camera: Camera) -> None:
        if not camera.online and not camera.viewers:
            self._cameras.pop(camera.name, None)
