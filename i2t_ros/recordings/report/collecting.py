"""What a report keeps of recordings, however long they are."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

from i2t_ros.recordings.moments import counts_of
from i2t_ros.recordings.writing.base import Run, Told

MILLISECOND = 1_000_000
"""Nanoseconds; what times on the page are in."""

MOST_RUNS = 150_000
"""About 12 bytes of the page each."""

MOST_CLASSES = 500
"""In a report; a detector has some hundreds at most."""

_LONGEST_CLASS = 200
"""Characters of the name of a class; a longer one is left out."""
_MOST_OTHERS = 10_000

_FIRST_GRAIN = 100
"""Milliseconds."""

Kept = TypeVar("Kept")


class Bar(NamedTuple):
    """A run in the timeline; times in milliseconds from the beginning, and how many there are."""

    start: int
    end: int
    number: int


class Timelines:
    """The runs of all streams: at most MOST_RUNS.

    If there are more, those of a class that begin in the same ``grain`` become one, with the
    largest of their counts.

    grain  milliseconds; 0: each run is kept
    """

    def __init__(self, most: int = MOST_RUNS) -> None:
        self.grain = 0
        self._most = most
        self._size = 0
        self._rows: dict[tuple[int, str], list[Bar]] = {}

    def add(self, stream: int, run: Run) -> None:
        """Add a run of the stream with this number; its first image has a time."""
        start = (run.first.time or 0) // MILLISECOND
        row = self._rows.setdefault((stream, run.class_id), [])
        self._size += _append(row, Bar(start, run.end // MILLISECOND, run.count), self.grain)
        while self._size > self._most:
            self._coarsen()

    def rows(self, stream: int) -> Mapping[str, list[Bar]]:
        """Return class -> its bars in the order of time."""
        return {name: row for (of, name), row in self._rows.items() if of == stream}

    def _coarsen(self) -> None:
        self.grain = self.grain * 2 or _FIRST_GRAIN
        self._size = 0
        for key, row in self._rows.items():
            merged: list[Bar] = []
            self._size += sum(_append(merged, bar, self.grain) for bar in row)
            self._rows[key] = merged


def _append(row: list[Bar], bar: Bar, grain: int) -> int:
    """Add a bar to a row, or to the last one there; return by how much the row is longer."""
    if grain and row and row[-1].start // grain == bar.start // grain:
        last = row[-1]
        row[-1] = Bar(last.start, max(last.end, bar.end), max(last.number, bar.number))
        return 0
    row.append(bar)
    return 1


@dataclass(slots=True)
class EvenlyKept(Generic[Kept]):
    """Some of what comes, evenly chosen: that with every, every second, every fourth ... number.

    most   how much is kept at most, in the unit of the sizes
    step   numbers that are kept are multiples of it
    items  number -> what is kept
    """

    most: int
    step: int = 1
    items: dict[int, Kept] = field(default_factory=dict)
    _sizes: dict[int, int] = field(default_factory=dict)
    _size: int = 0

    def wants(self, number: int) -> bool:
        """Return whether what has this number would be kept."""
        return number % self.step == 0

    def add(self, number: int, item: Kept, size: int = 1) -> None:
        """Keep what has this number, or not; numbers only grow."""
        if not self.wants(number):
            return
        self.items[number], self._sizes[number] = item, size
        self._size += size
        while self._size > self.most and len(self.items) > 1:
            self.thin(self.step * 2)

    def thin(self, step: int) -> None:
        """Keep only multiples of ``step``, or of the own one if that is larger."""
        if step <= self.step:
            return
        self.step = step
        for number in [number for number in self.items if number % step]:
            del self.items[number]
            self._size -= self._sizes.pop(number)


@dataclass(slots=True)
class StreamSeen:
    """What a report says of all images of a stream.

    first, last  nanoseconds from the beginning
    """

    images: int = 0
    first: int | None = None
    last: int | None = None

    def see(self, told: Told) -> None:
        """Count an image."""
        self.images += 1
        if told.time is not None:
            self.first = told.time if self.first is None else self.first
            self.last = told.time


@dataclass(slots=True)
class ClassSeen:
    """What a report says of a class: in how many images it is, and how many are in one at most."""

    images: int = 0
    most: int = 0


@dataclass(slots=True)
class Classes:
    """All classes that are seen, up to MOST_CLASSES; the others are left out of a report."""

    seen: dict[str, ClassSeen] = field(default_factory=dict)
    others: set[str] = field(default_factory=set)

    def see(self, told: Told) -> None:
        """Count the classes of an image."""
        for name, count in sorted(counts_of(told.found).items()):
            seen = self.seen.get(name)
            if seen is None and not self._takes(name):
                continue
            seen = self.seen.setdefault(name, ClassSeen())
            seen.images += 1
            seen.most = max(seen.most, count)

    def _takes(self, name: str) -> bool:
        if len(self.seen) < MOST_CLASSES and len(name) <= _LONGEST_CLASS:
            return True
        if len(self.others) < _MOST_OTHERS:
            self.others.add(name[:_LONGEST_CLASS])
        return False

    def ordered(self) -> list[str]:
        """Return the classes, those that are in most images first."""
        return sorted(self.seen, key=lambda name: (-self.seen[name].images, name))
