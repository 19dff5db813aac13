"""Answers that were given, kept for the next time that the same is asked."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from i2t_ros.types import DescribeReply

FIXED_COST = 2_000
"""Bytes that a reply takes beside what was found and the picture, roughly."""
PART_COST = 500
"""Bytes that an object, a face or a text takes, roughly."""


@dataclass(frozen=True, slots=True)
class CacheLimits:
    """How much is kept, and how long.

    entries   replies; 0: nothing is kept
    bytes     of all replies together, pictures included
    lifetime  seconds from the first answer
    """

    entries: int = 64
    bytes: int = 32_000_000
    lifetime: float = 300.0


@dataclass(slots=True)
class _Work:
    """What is being worked on: held by one thread, wanted by ``users``."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    users: int = 0


class ReplyCache:
    """Replies by key; the one used longest ago goes first. May be used by several threads."""

    def __init__(
        self,
        limits: CacheLimits = CacheLimits(),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin with nothing."""
        self.limits = limits
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: OrderedDict[Hashable, tuple[DescribeReply, int, float]] = OrderedDict()
        self._at_work: dict[Hashable, _Work] = {}
        self._bytes = 0

    def __len__(self) -> int:
        """Return how many replies are kept."""
        return len(self._kept)

    @property
    def bytes(self) -> int:
        """The size of all that is kept."""
        return self._bytes

    def get(self, key: Hashable) -> DescribeReply | None:
        """Return the reply that was kept under ``key``, or None."""
        with self._lock:
            self._drop_old()
            entry = self._kept.get(key)
            if entry is None:
                return None
            self._kept.move_to_end(key)
            return entry[0]

    def put(self, key: Hashable, reply: DescribeReply) -> None:
        """Keep a reply, in place of one with the same key; drop others to make room."""
        cost = cost_of(reply)
        if not self.limits.entries or cost > self.limits.bytes:
            return
        with self._lock:
            self._drop(key)
            self._drop_old()
            while self._kept and (
                len(self._kept) >= self.limits.entries or self._bytes + cost > self.limits.bytes
            ):
                self._drop(next(iter(self._kept)))
            self._kept[key] = reply, cost, self._clock() + self.limits.lifetime
            self._bytes += cost

    @contextmanager
    def one_at_a_time(self, key: Hashable, patience: float) -> Iterator[None]:
        """Let one thread work on ``key``; the next one finds its answer kept.

        A client that asks again because the answer takes long would otherwise double the work.
        After ``patience`` seconds, and where nothing is kept at all, several may work on it.
        """
        if not self.limits.entries:
            yield
            return
        with self._lock:
            work = self._at_work.setdefault(key, _Work())
            work.users += 1
        alone = work.lock.acquire(timeout=patience)
        try:
            yield
        finally:
            if alone:
                work.lock.release()
            with self._lock:
                work.users -= 1
                if not work.users:
                    del self._at_work[key]

    def _drop_old(self) -> None:
        now = self._clock()
        for key in [key for key, (_, _, end) in self._kept.items() if end <= now]:
            self._drop(key)

    def _drop(self, key: Hashable) -> None:
        _, cost, _ = self._kept.pop(key, (None, 0, 0.0))
        self._bytes -= cost


def cost_of(reply: DescribeReply) -> int:
    """Return the bytes that a reply takes, roughly."""
    scene = reply.description.scene
    found = [part for part in (scene.detections, scene.faces, scene.texts) if part is not None]
    letters = sum(len(region.text) + len(region.translation) for region in scene.texts or ())
    picture = 0 if reply.annotated is None else memoryview(reply.annotated.data).nbytes
    return FIXED_COST + PART_COST * sum(map(len, found)) + 4 * letters + picture


def frozen(value: Any) -> Hashable:
    """Return options (dataclasses, mappings, plain values) as a key for a dictionary."""
    if dataclasses.is_dataclass(value):
        return tuple(frozen(getattr(value, field.name)) for field in dataclasses.fields(value))
    if isinstance(value, Mapping):
        return tuple(sorted((key, frozen(part)) for key, part in value.items()))
    assert isinstance(value, Hashable)  # noqa: S101
    return value
