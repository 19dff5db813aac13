"""When a recording shows what is looked for: from the rows of images.jsonl to moments."""

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from os.path import isabs, normpath
from pathlib import Path
from statistics import median_low
from typing import BinaryIO
from urllib.parse import quote

import msgspec

from i2t_ros.errors import SourceMissingError, SourceUnreadableError
from i2t_ros.language import load_languages
from i2t_ros.language.grammar import label_key
from i2t_ros.recordings.base import SECOND
from i2t_ros.recordings.work.places import MADE, PLAN

BRIDGED = SECOND
"""Nanoseconds: after so long or less, what is looked for goes on, and does not begin anew."""
FOREVER = float(1 << 63)
"""Nanoseconds, as there are in no recording; a damaged file may have times as of 1e308 seconds."""
HELD = 10 * SECOND
"""Nanoseconds for which an image tells what is there, if no other one comes."""
USUAL_GAPS = 2
"""Of a stream in which images come more slowly, an image holds for this many of the usual gaps."""
RECENT = 15
"""Gaps of a stream, whose median is the usual one."""
MOST_BYTES = 1 << 20
"""Of one line. That of an image with a hundred classes has a few kilobytes."""
MOST_STREAMS = 100_000
"""More than any recording has; each takes memory."""
MOST_CLASSES = 5_000
"""More than any detector has; words for so many are made in some seconds."""
MOST_KNOWN = 20_000
"""Different counts that are remembered."""
LONGEST_KNOWN = 4096
"""Bytes of counts that are remembered, so that all of these take bounded memory."""


class Row(msgspec.Struct, frozen=True, gc=False):
    """What a line of images.jsonl says of an image; see writing.jsonl.

    recording  which one of those described together, from 0; their rows come one after the other
    seconds    from the beginning of the recording; None: a picture
    counts     the bytes of an object: class -> how many. Most images have the counts of the one
               before, so they are only read if these bytes are new
    """

    source: str
    stream: str
    counts: msgspec.Raw
    recording: int = 0
    topic: str | None = None
    seconds: float | None = None
    sentence: str = ""
    language: str = ""


_decode_row = msgspec.json.Decoder(Row).decode
_decode_counts = msgspec.json.Decoder(dict[str, int]).decode


@dataclass(frozen=True, slots=True)
class Wanted:
    """How many objects of a class are looked for; ``most`` None: any number from ``least`` on.

    key  of the class; see key_of()
    """

    key: str
    least: int = 1
    most: int | None = None

    def fits(self, count: int) -> bool:
        """Return whether so many are looked for."""
        return self.least <= count and (self.most is None or count <= self.most)


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for.

    wanted    all of it, in one image
    shortest  nanoseconds that it lasts at least; a picture does not last
    sources   any of these, or of what is in them: see Inside; none: all
    topics    any of these; none: all
    """

    wanted: tuple[Wanted, ...]
    shortest: int = 0
    sources: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """A time in which a stream shows what is looked for.

    first  the image that begins it
    end    seconds from the beginning of the recording: the first image that does not show it, or
           the last image; None: a picture
    """

    first: Row
    end: float | None

    @property
    def start(self) -> float | None:
        """Seconds from the beginning of the recording; None: a picture."""
        return self.first.seconds


@dataclass(slots=True)
class Rows:
    """The rows of an images.jsonl; each time it is gone through, the file is read again.

    damaged  lines that could not be read the last time
    first    the number of the first one, from 1
    """

    path: Path
    damaged: int = 0
    first: int = 0

    def __iter__(self) -> Iterator[Row]:
        """Yield the rows; raises SourceMissingError, and SourceUnreadableError if none can be read.

        A line that is damaged is left out: the rest of a long recording is still worth finding.
        """
        self.damaged = self.first = 0
        good = False
        with self._open() as file:
            number = 0
            while line := file.readline(MOST_BYTES):
                number += 1
                row = None if line[-1:] != b"\n" and _skip_rest(file) else _read(line)
                if row is not None:
                    good = True
                    yield row
                else:
                    self.damaged += 1
                    self.first = self.first or number
        if self.damaged and not good:
            raise SourceUnreadableError(
                f"{self.path}: expected lines of JSON as i2t annotate writes them, and none is one"
            )

    def classes(self) -> list[str]:
        """Return the classes that occur, those in most images first, up to MOST_CLASSES.

        Raises what iterating does.
        """
        same: Counter[bytes] = Counter()
        images: Counter[str] = Counter()
        for row in self:
            counts = bytes(row.counts)
            if counts in same or (len(same) < MOST_KNOWN and len(counts) <= LONGEST_KNOWN):
                same[counts] += 1
            else:
                _add_classes(images, counts, 1)
        for counts, number in same.items():
            _add_classes(images, counts, number)
        return sorted(images, key=lambda name: (-images[name], name))

    def _open(self) -> BinaryIO:
        try:
            return self.path.open("rb")
        except (FileNotFoundError, NotADirectoryError):
            raise SourceMissingError(_why_missing(self.path.parent)) from None
        except OSError as error:
            raise SourceUnreadableError(f"{self.path}: {error.strerror}") from error


class Inside:
    """Tells whether a source is one of some, or in one of them: a picture is in its folder."""

    def __init__(self, names: Iterable[str]) -> None:
        """Prepare; names  as they were given to `i2t annotate`, or as rows have them."""
        paths = [normpath(name) for name in names if name]
        self._beginnings = tuple(f"{path.rstrip('/')}/" for path in paths)
        self._here = "." in paths

    def __call__(self, source: str) -> bool:
        """Return whether it is."""
        path = normpath(source)
        if self._here and not (isabs(path) or path.startswith("../")):
            return True
        return f"{path}/".startswith(self._beginnings)


def key_of(name: str) -> str:
    """Return a key for comparing classes: "Person" and "person" have the same."""
    key = label_key(name)
    return load_languages().get("en").aliases.get(key, key)


def report_fragment(stream: str, source: str, seconds: float | None) -> str:
    """Return what leads to a moment in report.html: #stream=drive&t=83.4.

    stream   its name
    source   the file of a picture, which has no time
    seconds  from the beginning of the recording
    """
    where = (
        f"picture={quote(source, safe='')}" if seconds is None else f"t={short_seconds(seconds)}"
    )
    return f"#stream={quote(stream, safe='')}&{where}"


def short_seconds(seconds: float) -> str:
    """Return seconds to the millisecond, without zeros at the end."""
    return f"{seconds:.3f}".rstrip("0").rstrip(".")


def read_counts(counts: bytes) -> dict[str, int]:
    """Return class -> how many; nothing if the bytes are something else."""
    with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _decode_counts(counts)
    return {}


def find(rows: Iterable[Row], query: Query) -> Iterator[Found]:
    """Yield the moments in which all that is wanted is there, in the order in which they end.

    An image holds until the next one of its stream, but only for HELD; if images usually come more
    slowly, for USUAL_GAPS of their gaps. Raises SourceUnreadableError if there are more
    streams than any recording has.
    """
    fits = _Fits(query.wanted)
    inside = Inside(query.sources)
    streams: dict[str, _Stream] = {}
    recording = 0
    for row in rows:
        if row.recording != recording:
            yield from _all_ended(streams)
            recording = row.recording
        if query.sources and not inside(row.source):
            continue
        if query.topics and row.topic not in query.topics:
            continue
        if row.seconds is None:
            if not query.shortest and fits(row.counts):
                yield Found(row, None)
            continue
        stream = streams.get(row.stream)
        if stream is None:
            if len(streams) == MOST_STREAMS:
                raise SourceUnreadableError(f"expected at most {MOST_STREAMS} streams, got more")
            stream = streams[row.stream] = _Stream(query.shortest)
        yield from stream.follow(row, fits(row.counts))
    yield from _all_ended(streams)


def _all_ended(streams: "dict[str, _Stream]") -> Iterator[Found]:
    """Yield the moments that the end of a recording ends, and forget its streams."""
    ended = [found for stream in streams.values() for found in stream.end()]
    streams.clear()
    yield from sorted(ended, key=lambda found: (found.end or 0.0, found.start or 0.0))


@dataclass(slots=True)
class _Stream:
    """One stream: the moment that has begun, and when it was interrupted, if it was.

    shortest  nanoseconds; see Query
    last      seconds of the newest image; None: there is none yet
    gaps      the newest ones between images, in nanoseconds
    """

    shortest: int
    first: Row | None = None
    broken: float | None = None
    last: float | None = None
    gaps: deque[int] = field(default_factory=lambda: deque(maxlen=RECENT))

    def follow(self, row: Row, fits: bool) -> Sequence[Found]:
        """Take the next image, and return the moment that it ends, if any."""
        now = row.seconds or 0.0
        self._hold(now)
        self.last = now
        found: Sequence[Found] = ()
        if self.broken is not None and _between(self.broken, now) > BRIDGED:
            found = self._ended(self.broken)
        if fits:
            self.first, self.broken = self.first or row, None
        elif self.first is not None and self.broken is None:
            self.broken = now
        return found

    def end(self) -> Sequence[Found]:
        """Return the moment that the end of the stream ends, if any."""
        return self._ended((self.last or 0.0) if self.broken is None else self.broken)

    def _hold(self, now: float) -> None:
        """Interrupt the moment if the image before holds no longer."""
        if self.last is None:
            return
        gap = _between(self.last, now)
        self.gaps.append(gap)
        # Of a stream's first gap nobody knows whether it is usual: it is taken for that.
        if gap > HELD and self.first is not None and self.broken is None:
            held = max(HELD, USUAL_GAPS * median_low(self.gaps))
            if gap > held:
                self.broken = self.last + held / SECOND

    def _ended(self, end: float) -> Sequence[Found]:
        first, self.first, self.broken = self.first, None, None
        if first is None or _between(first.seconds or 0.0, end) < self.shortest:
            return ()
        return (Found(first, end),)


@dataclass(slots=True)
class _Fits:
    """Whether counts are what is wanted; it remembers those that it has seen."""

    wanted: Sequence[Wanted]
    _known: dict[bytes, bool] = field(default_factory=dict)

    def __call__(self, counts: msgspec.Raw) -> bool:
        """Return whether the bytes of an object have counts that fit."""
        key = bytes(counts)
        known = self._known.get(key)
        if known is None:
            known = self._fits(read_counts(key))
            if len(self._known) == MOST_KNOWN:
                self._known.clear()
            if len(key) <= LONGEST_KNOWN:
                self._known[key] = known
        return known

    def _fits(self, counts: Mapping[str, int]) -> bool:
        of_key: dict[str, int] = {}
        for name, count in counts.items():
            key = key_of(name)
            of_key[key] = of_key.get(key, 0) + count
        return all(wanted.fits(of_key.get(wanted.key, 0)) for wanted in self.wanted)


def _between(start: float, end: float) -> int:
    """Return nanoseconds; seconds in binary are off by less than one."""
    return round(max(-FOREVER, min((end - start) * SECOND, FOREVER)))


def _read(line: bytes) -> Row | None:
    with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _decode_row(line)
    return None


def _add_classes(images: Counter[str], counts: bytes, number: int) -> None:
    """Add so many images with these counts to those of each class."""
    for name in read_counts(counts):
        if name in images or len(images) < MOST_CLASSES:
            images[name] += number


def _why_missing(folder: Path) -> str:
    """Return what to say of a folder without images.jsonl."""
    if folder.is_dir():
        if (folder / PLAN).exists():
            return f"{folder}: half done; run the same i2t annotate command again"
        if (folder / MADE).exists():
            return f"{folder}: made without images.jsonl; run i2t annotate with --outputs jsonl"
        return (
            f"{folder}: expected the folder of what i2t annotate wrote, with images.jsonl in it; "
            f"make it with: i2t annotate RECORDING --out {folder}"
        )
    what = "a file, and no folder" if folder.exists() else "no such folder"
    return f"{folder}: {what}; expected the folder that i2t annotate --out wrote"


def _skip_rest(file: BinaryIO) -> bool:
    """Read up to the end of a line that was too long; return whether there was more of it."""
    more = False
    while part := file.readline(MOST_BYTES):
        more = True
        if part.endswith(b"\n"):
            break
    return more
