"""When something appears in a stream and when it leaves, without the flicker of a detector."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from i2t_ros.recordings.base import SECOND
from i2t_ros.recordings.writing.base import Moment, Run, Told

HOLD = SECOND
"""Nanoseconds that another number of objects must last before it counts: a detector loses an object
for a frame now and then. It then counts from its first image."""


def counts_of(told: Told) -> Counter[str]:
    """Return how many objects of each class were found."""
    return Counter(found["class_id"] for found in told.found.get("detections") or ())


@dataclass(slots=True)
class _Class:
    """One class in one stream.

    count  that counts, since ``first``; 0: it is not there
    new    another number that has been seen since ``since`` without a break, and may count soon
    """

    count: int = 0
    first: Told | None = None
    new: int | None = None
    since: Told | None = None


@dataclass(slots=True)
class MomentFinder:
    """Follows one stream. Give it every image in order, and then ``end()``.

    An image holds until the next one comes. So if images are HOLD apart or more, each one counts.
    """

    _classes: dict[str, _Class] = field(default_factory=dict)
    _last: Told | None = None

    def follow(self, told: Told) -> Iterator[Run | Moment]:
        """Yield the runs that have ended and the moments that have come to count."""
        if told.time is None:
            changes = {name: (0, count) for name, count in sorted(counts_of(told).items())}
            yield Moment(told, changes)
            return
        yield from self._accept(told.time)
        counts = counts_of(told)
        for name in sorted({*self._classes, *counts}):
            seen, count = self._classes.setdefault(name, _Class()), counts[name]
            if count == seen.count:
                seen.new = seen.since = None
            elif count != seen.new:
                seen.new, seen.since = count, told
        self._last = told

    def end(self) -> Iterator[Run | Moment]:
        """Yield what the end of the stream brings: what is seen in its last image counts."""
        if self._last is None or self._last.time is None:
            return
        yield from self._accept(self._last.time + HOLD)
        for name, seen in sorted(self._classes.items()):
            if seen.count and seen.first is not None:
                yield Run(seen.first.stream, name, seen.count, seen.first, self._last.time)

    def _accept(self, now: int) -> Iterator[Run | Moment]:
        """Yield what has lasted for HOLD, and therefore counts from its first image."""
        due: dict[int, dict[str, _Class]] = {}
        for name, seen in sorted(self._classes.items()):
            since = seen.since.time if seen.since is not None else None
            if since is not None and now - since >= HOLD:
                due.setdefault(since, {})[name] = seen
        for since, classes in sorted(due.items()):
            changes = {}
            for name, seen in classes.items():
                first, new = seen.since, seen.new
                if first is None or new is None:
                    continue
                if seen.count and seen.first is not None:
                    yield Run(seen.first.stream, name, seen.count, seen.first, since)
                changes[name] = seen.count, new
                at = first
                seen.count, seen.first, seen.new, seen.since = new, first, None, None
                if not new:
                    del self._classes[name]
            yield Moment(at, changes)
