"""Keeps replies in case the same is asked again."""

import dataclasses
import threading
import time
from collections.abc import Callable, Hashable, Iterator, Mapping, Sized
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from weakref import WeakValueDictionary

from cachetools import TTLCache

from i2t_ros.options import option
from i2t_ros.types import DescribeReply

FIXED_COST = 2_000
"""Approximate bytes of a reply, without its results and its picture."""
PART_COST = 500
"""Approximate bytes of an object, a face or a text."""


@dataclass(frozen=True, slots=True)
class CacheLimits:
    """How much is kept, and for how long."""

    entries: int = option(
        64,
        "number of cached answers to Describe requests, used if the same picture comes again with "
        "the same options; 0: no cache",
        name="cache_size",
        bounds=(0, 100_000),
    )
    bytes: int = option(
        32_000_000,
        "limit in bytes of all cached answers together, annotated pictures included",
        name="cache_bytes",
        bounds=(0, 2**40),
    )
    lifetime: float = option(
        300.0,
        "seconds after which a cached answer is dropped",
        name="cache_lifetime",
        bounds=(0.0, 1e9),
    )


class ReplyCache:
    """Replies by key; the least recently used go first. Safe for several threads."""

    def __init__(
        self, limits: CacheLimits = CacheLimits(), clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.limits = limits
        self._lock = threading.Lock()
        self._replies: TTLCache[Hashable, DescribeReply] = TTLCache(
            limits.bytes, limits.lifetime, clock, cost_of
        )
        # A lock lives as long as a thread works on its key, or waits to.
        self._at_work: WeakValueDictionary[Hashable, Any] = WeakValueDictionary()

    def get(self, key: Hashable) -> DescribeReply | None:
        """Return the reply for ``key``, or None."""
        with self._lock:
            return self._replies.get(key)

    def put(self, key: Hashable, reply: DescribeReply) -> None:
        """Keep a reply, in place of one with the same key, and drop others to make room."""
        with self._lock, suppress(ValueError):  # one that is larger than the cache
            self._replies[key] = reply
            while len(self._replies) > self.limits.entries:
                self._replies.popitem()

    @contextmanager
    def one_at_a_time(self, key: Hashable, patience: float) -> Iterator[None]:
        """Let one thread work on ``key``, so that the next thread finds its reply in the cache.

        Otherwise a client that asks again because the answer takes long would double the work.
        Several threads may work on it after ``patience`` seconds.
        """
        with self._lock:
            working = self._at_work.setdefault(key, threading.Lock())
        alone = working.acquire(timeout=patience)
        try:
            yield
        finally:
            if alone:
                working.release()


def cost_of(reply: DescribeReply) -> int:
    """Return the approximate bytes of a reply."""
    scene = reply.description.scene
    parts = sum(len(result) for result in scene.results.values() if isinstance(result, Sized))
    masks = (scene.detections.masks if scene.detections else None) or ()
    pixels = sum(mask.covered.nbytes for mask in masks)
    return FIXED_COST + PART_COST * parts + pixels + len(reply.annotated or b"")


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
