"""Keeps replies for the next time that the same is asked."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sized
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from i2t_ros.options import option
from i2t_ros.types import DescribeReply

FIXED_COST = 2_000
"""Approximate bytes of a reply, without its results and its picture."""
PART_COST = 500
"""Approximate bytes of an object, a face or a text."""


@dataclass(frozen=True, slots=True)
class CacheLimits:
    """How much is kept, and how long."""

    entries: int = option(
        64,
        "number of cached answers to Describe requests, used if the same picture comes again with "
        "the same options; 0: no cache",
        name="cache_size",
        bounds=(0, 100_000),
    )
    bytes: int = option(
        32_000_000,
        "most bytes of all cached answers, annotated pictures included",
        name="cache_bytes",
        bounds=(0, 2**40),
    )
    lifetime: float = option(
        300.0,
        "seconds after which a cached answer is dropped",
        name="cache_lifetime",
        bounds=(0.0, 1e9),
    )


@dataclass(slots=True)
class _Work:
    """Work in progress for a key: one thread holds the lock, ``users`` threads want the reply."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    users: int = 0


class ReplyCache:
    """Replies by key; the least recently used go first. Safe for several threads."""

    def __init__(
        self,
        limits: CacheLimits = CacheLimits(),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start empty."""
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
        """Approximate bytes of all replies kept."""
        return self._bytes

    def get(self, key: Hashable) -> DescribeReply | None:
        """Return the reply for ``key``, or None."""
        with self._lock:
            self._drop_old()
            entry = self._kept.get(key)
            if entry is None:
                return None
            self._kept.move_to_end(key)
            return entry[0]

    def put(self, key: Hashable, reply: DescribeReply) -> None:
        """Keep a reply, in place of one with the same key, and drop others to make room."""
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
        """Let one thread work on ``key``, so that the next thread finds its reply in the cache.

        Otherwise a client that asks again because the answer takes long would double the work.
        Several threads may work on it after ``patience`` seconds, and if the cache is off.
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
    """Return the approximate bytes of a reply."""
    results = reply.description.scene.results.values()
    parts = sum(len(result) for result in results if isinstance(result, Sized))
    return FIXED_COST + PART_COST * parts + len(reply.annotated or b"")


def frozen(value: Any) -> Hashable:
    """Return options (dataclasses, mappings, plain values) as a hashable key."""
    if dataclasses.is_dataclass(value):
        return tuple(frozen(getattr(value, field.name)) for field in dataclasses.fields(value))
    if isinstance(value, frozenset):
        return tuple(sorted(value))
    if isinstance(value, Mapping):
        return tuple(sorted((key, frozen(part)) for key, part in value.items()))
    assert isinstance(value, Hashable)  # noqa: S101
    return value
