"""When something appears in a stream and when it leaves, without the flicker of a detector."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from statistics import median_low
from typing import Any, NamedTuple

from i2t_ros.recordings.base import SECOND
from i2t_ros.recordings.writing.base import Moment, Run, Told

HOLD = SECOND
"""Nanoseconds for which the number of objects must be another one before that counts, as a detector
loses an object for a frame now and then. It then counts from the first of these images; if they
disagree, it is their median."""


def counts_of(found: Mapping[str, Any]) -> Counter[str]:
    """Return how many objects of each class were found; ``found`` is as in Told."""
    return Counter(each["class_id"] for each in found.get("detections") or ())


class _Sight(NamedTuple):
    """How many objects of a class one image shows.

    told  the image; None if the one before shows as many: nothing begins with it
    """

    time: int
    number: int
    told: Told | None


@dataclass(slots=True)
class _Class:
    """One class in one stream.

    count   that counts, since ``first``; 0: it is not there
    others  the images since then that show another number, without a break up to now
    """

    count: int = 0
    first: Told | None = None
    others: list[_Sight] = field(default_factory=list)

    def see(self, told: Told, time: int, count: int) -> None:
        """Take the next image."""
        if count == self.count:
            self.others.clear()
        else:
            same = bool(self.others) and self.others[-1].number == count
            self.others.append(_Sight(time, count, None if same else told))

    def changed(self, now: int) -> Iterator[tuple[Told, int]]:
        """Yield the first image and the number of what has come to count by now."""
        while self.others and now - self.others[0].time >= HOLD:
            counts = [sight.number for sight in self.others]
            count, first = median_low(counts), self.others[0].told
            if first is None:
                raise AssertionError("the image before showed another number")
            yield first, count
            self.count, self.first = count, first
            # What came after the last image with that number may soon count in its turn.
            last = max(i for i, seen in enumerate(counts) if seen == count)
            del self.others[: last + 1]


@dataclass(slots=True)
class MomentFinder:
    """Follows one stream. Give it every image in order, and then ``end()``.

    An image holds until the next one comes, and the last one for as long as the one before. So if
    images are HOLD apart or more, each one counts.
    """

    _classes: dict[str, _Class] = field(default_factory=dict)
    _last: Told | None = None
    _gap: int = HOLD

    def follow(self, told: Told) -> Iterator[Run | Moment]:
        """Yield the runs that have ended and the moments that have come to count."""
        counts = counts_of(told.found)
        if told.time is None:
            yield Moment(told, {name: (0, count) for name, count in sorted(counts.items())})
            return
        yield from self._accept(told.time)
        for name in {*self._classes, *counts}:
            self._classes.setdefault(name, _Class()).see(told, told.time, counts[name])
        if self._last is not None and self._last.time is not None:
            self._gap = told.time - self._last.time
        self._last = told

    def end(self) -> Iterator[Run | Moment]:
        """Yield what the end of the stream brings: all that is still there has been seen."""
        if self._last is None or self._last.time is None:
            return
        yield from self._accept(self._last.time + self._gap)
        for name, seen in sorted(self._classes.items()):
            if seen.count and seen.first is not None:
                yield Run(seen.first.stream, name, seen.count, seen.first, self._last.time)

    def _accept(self, now: int) -> Iterator[Run | Moment]:
        """Yield what has come to count by now, in the order of its first images."""
        due: dict[int, tuple[Told, list[Run], dict[str, tuple[int, int]]]] = {}
        for name, seen in sorted(self._classes.items()):
            for first, count in seen.changed(now):
                time = first.time or 0
                _, runs, changes = due.setdefault(time, (first, [], {}))
                if seen.count and seen.first is not None:
                    runs.append(Run(seen.first.stream, name, seen.count, seen.first, time))
                changes[name] = seen.count, count
            if not (seen.count or seen.others):
                del self._classes[name]
        for _, (first, runs, changes) in sorted(due.items()):
            yield from runs
            yield Moment(first, changes)
