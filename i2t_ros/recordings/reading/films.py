"""An open video file: its packets, and its frames with exact times, from any place on."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from heapq import heapify, heappop, heappush
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from i2t_ros.errors import SourceUnreadableError
from i2t_ros.recordings.base import SECOND
from i2t_ros.recordings.reading.opening import import_av, moving_images, open_container
from i2t_ros.recordings.reading.sparing import marked
from i2t_ros.sources.video import USUAL_RATE, check_not_text

SOUGHT = ("mov", "matroska", "avi", "mpegts", "flv", "nut")
"""Formats in which an image has the same time wherever reading begins. Others are read from their
first byte on: in an MPEG program stream, for example, few images have times."""
SORTED = "avi"
"""The format whose images have only places in the file. If they are not in order there, FFmpeg
guesses which is shown when, and may be wrong; but a decoder gives them in the right order, so the
first one has the earliest time."""
BORDERS = 1 << 17
"""Pixels that FFmpeg may add at the borders of a small image."""
MOST_FAILURES = 100
"""Failures of the container in a row, after which the rest of a file is given up."""
BACK = SECOND
"""Nanoseconds: how much earlier to look for a keyframe if there is none before a place; doubled
each time."""
MICROSECONDS = 1_000_000
"""Of a second; FFmpeg tells in them how long a file is."""
MOST_RATE = 1000
"""Images a second; a file that tells more is not believed."""
MISSING = 2
"""Seconds that a file must be shorter than its header says to count as cut."""
TOLD_BY_HEADER = ("mov", "matroska")
"""Formats that end without an error if they are cut, while their header tells how long they are."""


class Trouble(NamedTuple):
    """A part of a film that cannot be read.

    time  nanoseconds from the beginning
    what  for people
    """

    time: int
    what: str


class Failure(NamedTuple):
    """The same before its time is known; ``ticks`` are of the stream's time base, or None."""

    ticks: int | None
    what: str


class Shown(NamedTuple):
    """A decoded frame, not converted yet; ``time`` as in RecordedImage."""

    time: int
    frame: Any


@dataclass(frozen=True, slots=True)
class Outline:
    """What the beginning of a film tells.

    origin    of the first frame, in units of the stream's time base
    timed     whether packets have times; without them frames are counted, and only from the start
    rate      frames a second, about
    size      width and height of the frames in pixels, upright
    """

    origin: int
    timed: bool
    rate: Fraction
    size: tuple[int, int]


class Film:
    """An open file. It decodes in the caller's thread: other processes use the other cores."""

    def __init__(self, path: str, max_pixels: int) -> None:
        """Open a file; raises SourceUnreadableError, and BackendMissingError without PyAV."""
        self._av = import_av()
        self._path = path
        self._max_pixels = max_pixels
        check_not_text(Path(path))
        self._open()

    def _open(self) -> None:
        self._container = open_container(self._av, self._path)
        try:
            self._stream = moving_images(self._container, self._path)
            self._prepare(self._stream.codec_context)
        except SourceUnreadableError:
            self.close()
            raise
        self._base = Fraction(self._stream.time_base or Fraction(1, 90000))
        self._end = 0  # microseconds, the end of the last packet so far
        self._is_fresh = True
        name = self._container.format.name
        self._is_sorted = name == SORTED and bool(self._stream.codec_context.has_b_frames)
        self._is_sought = name.startswith(SOUGHT) and not self._is_sorted

    def _prepare(self, context: Any) -> None:
        if context.width * context.height > self._max_pixels:
            raise SourceUnreadableError(
                f"video {self._path}: its images are {context.width}x{context.height}; the limit "
                f"(max_pixels) is {self._max_pixels} pixels"
            )
        context.thread_count = 1
        # FFmpeg counts what it adds at the borders, too. What it lets pass is checked again.
        context.options = {"max_pixels": str(2 * self._max_pixels + BORDERS)}

    def close(self) -> None:
        """Close the file."""
        self._container.close()

    def outline(self) -> Outline:
        """Decode the first frame; raises SourceUnreadableError if there is none."""
        rate = self._stream.average_rate or self._stream.guessed_rate
        rate = Fraction(rate) if rate and 0 < rate <= MOST_RATE else Fraction(USUAL_RATE)
        flags = self._av.format.Flags
        raw = bool(self._container.format.flags & flags.no_timestamps.value)
        for found in self._decoded(self._packets()):
            if not isinstance(found, Failure):
                ticks, frame = found
                width, height = frame.width, frame.height
                size = (height, width) if turns_of(frame) % 2 else (width, height)
                return Outline(ticks or 0, ticks is not None and not raw, rate, size)
        raise SourceUnreadableError(f"video {self._path}: none of its images can be decoded")

    def last(self, outline: Outline) -> int:
        """Return when the last image is shown, in nanoseconds, or a little more.

        Nothing is decoded.
        """
        if not outline.timed:
            number = sum(packet.size > 0 for packet in self._images())
            return _counted_time(max(0, number - 1), outline.rate)
        claimed = (self._container.start_time or 0) + (self._container.duration or 0)
        place = int(Fraction(claimed - MICROSECONDS, MICROSECONDS) / self._base)
        last = self._last() if self._is_sought and self._seek(place) else None
        if last is None:
            self._restart()
            last = self._last()
        if last is None:
            return 0
        ticks, late = last
        return max(0, self._time(ticks, outline)) + (BACK if late else 0)

    def frames(self, outline: Outline, start: int, every: int) -> Iterator[Shown | Trouble]:
        """Yield what is shown from a time on, and perhaps before it, in order.

        Of images that are not the first one in a period of ``every``, some may be left out.
        """
        if not outline.timed:
            yield from self._counted(outline)
            return
        back = 0 if self._is_sought else start
        while start - back > 0:
            found = self._from(start - back, start, every, outline)
            first = next(found, None)
            if isinstance(first, Shown) and first.time <= start:
                yield first
                yield from found
                return
            back = 2 * back or BACK
        self._restart()
        yield from self._ordered(self._spared(self._packets(), start, every, outline), outline)

    def _from(
        self, place: int, start: int, every: int, outline: Outline
    ) -> Iterator[Shown | Trouble]:
        """Yield what is shown from the last keyframe before a place on; nothing if there is none.

        Images that are shown before the keyframe, but come after it, may need others that come
        before it: they are left out.
        """
        if not self._seek(outline.origin + int(Fraction(place, SECOND) / self._base)):
            return
        packets = self._packets()
        for packet in packets:
            ticks = None if isinstance(packet, Failure) else _ticks(packet)
            time = None if ticks is None else self._time(ticks, outline)
            if time is not None and time > start + BACK:
                return
            if time is not None and time <= start and packet.is_keyframe:
                packets = self._spared(chain([packet], packets), start, every, outline)
                for found in self._ordered(packets, outline):
                    if found.time >= time:
                        yield found
                return

    def _spared(
        self, packets: Iterator[Any], start: int, every: int, outline: Outline
    ) -> Iterator[Any]:
        """Yield packets, and have those not decoded that neither the user nor others need."""

        def time_of(packet: Any) -> int | None:
            ticks = None if isinstance(packet, Failure) else _ticks(packet)
            return None if ticks is None or not self._is_sought else self._time(ticks, outline)

        for packet, is_wanted in marked(packets, time_of, start, every):
            self._stream.codec_context.skip_frame = "DEFAULT" if is_wanted else "NONREF"
            yield packet

    def _ordered(self, packets: Iterator[Any], outline: Outline) -> Iterator[Shown | Trouble]:
        """Decode packets, and put troubles, which are seen before they would be shown, in order."""
        last: int | None = None
        troubles: list[Trouble] = []
        for found in self._decoded(packets):
            if isinstance(found, Failure):
                place = 0 if found.ticks is None else self._time(found.ticks, outline)
                heappush(troubles, Trouble(max(place, last or 0), found.what))
                if len(troubles) > MOST_FAILURES:
                    yield heappop(troubles)
                continue
            ticks, frame = found
            time = self._settled(ticks, last, outline)
            if time is None:
                continue
            last = time
            while troubles and troubles[0].time < time:
                yield heappop(troubles)
            if not (troubles and troubles[0].time == time):
                yield self._shown(time, frame)
        yield from sorted(troubles)
        if trouble := self._cut(last or 0):
            yield trouble

    def _shown(self, time: int, frame: Any) -> Shown | Trouble:
        if frame.is_corrupt:
            return Trouble(time, "an image lacks parts")
        if frame.width * frame.height > self._max_pixels:
            size = f"{frame.width}x{frame.height}"
            return Trouble(time, f"an image is {size}; the limit is {self._max_pixels} pixels")
        return Shown(time, frame)

    def _settled(self, ticks: int | None, last: int | None, outline: Outline) -> int | None:
        """Return when an image is shown that comes after another one; None: it has been.

        Where the times of a file begin again, at a lower one, the rest has no place.
        """
        step = int(SECOND / outline.rate)
        if ticks is None:
            return 0 if last is None else last + step
        time = self._time(ticks, outline)
        if last is not None and time <= last:
            # FFmpeg gives some images of a program stream the time of the one before.
            return None if self._is_sought or time < last - step else last + step // 2
        return time if time >= 0 else None

    def _counted(self, outline: Outline) -> Iterator[Shown | Trouble]:
        """Decode a file without times; a damaged part of it takes no time."""
        self._restart()
        number = 0
        for found in self._decoded(self._packets()):
            time = _counted_time(number, outline.rate)
            if isinstance(found, Failure):
                yield Trouble(time, found.what)
                continue
            number += 1
            yield self._shown(time, found[1])

    def _decoded(self, packets: Iterator[Any]) -> Iterator[Any]:
        """Yield (ticks, frame) and failures."""
        waiting: list[int] = []  # ticks of what has no frame yet
        for packet in packets:
            if isinstance(packet, Failure):
                yield packet
                continue
            ticks = _ticks(packet)
            if packet.is_corrupt:
                yield Failure(ticks, "parts of the file are missing or damaged")
            if self._is_sorted and ticks is not None:
                heappush(waiting, ticks)
            try:
                for frame in self._stream.codec_context.decode(packet if packet.size else None):
                    yield (heappop(waiting) if waiting else _ticks(frame)), frame
            except self._av.EOFError:
                return
            except self._av.FFmpegError as error:
                if ticks in waiting:
                    waiting.remove(ticks)
                    heapify(waiting)
                yield Failure(ticks, f"an image cannot be decoded: {error.strerror}")

    def _packets(self) -> Iterator[Any]:
        """Yield the packets of the images, at last an empty one, and failures."""
        self._is_fresh, failures = False, 0
        while failures < MOST_FAILURES:
            try:
                for packet in self._container.demux():  # of all streams, for the end of the file
                    if packet.stream.index == self._stream.index:
                        yield packet
                    if packet.size:
                        failures = 0
                        self._end = max(self._end, _end(packet))
                return
            except self._av.FFmpegError as error:
                failures += 1
                yield Failure(None, f"the file is damaged: {error.strerror}")

    def _last(self) -> tuple[int, bool] | None:
        """Return the time of the last packet from here on, and whether an image may be later.

        That is so if a packet does not tell when it is shown, but only when it is decoded.
        """
        last, late = None, False
        for packet in self._images():
            ticks = _ticks(packet)
            if ticks is not None:
                last = ticks if last is None else max(last, ticks)
                late = late or packet.pts is None
        return None if last is None else (last, late)

    def _images(self) -> Iterator[Any]:
        return (packet for packet in self._packets() if not isinstance(packet, Failure))

    def _cut(self, last: int) -> Trouble | None:
        """Return a trouble if a file ends earlier than its header says."""
        claimed = (self._container.start_time or 0) + (self._container.duration or 0)
        missing = (claimed - self._end) / MICROSECONDS
        if missing < MISSING or not self._container.format.name.startswith(TOLD_BY_HEADER):
            return None
        return Trouble(last, f"the file is cut: {missing:.1f} s are missing at its end")

    def _seek(self, ticks: int) -> bool:
        """Go to a keyframe before a time, in units of the time base; if that can be done."""
        self._is_fresh = False
        try:
            self._container.seek(ticks, stream=self._stream)
        except self._av.FFmpegError:
            return False
        return True

    def _restart(self) -> None:
        if not self._is_fresh:
            self.close()  # not every format can go back to its first byte
            self._open()

    def _time(self, ticks: int, outline: Outline) -> int:
        base = self._base
        return (ticks - outline.origin) * base.numerator * SECOND // base.denominator


def turns_of(frame: Any) -> int:
    """Return how many quarter turns to the left make a frame upright, 0 to 3."""
    return int(round(frame.rotation / 90) % 4)


def _ticks(found: Any) -> int | None:
    """Return when a packet or frame is shown, in units of the time base."""
    ticks: int | None = found.dts if found.pts is None else found.pts
    return ticks


def _end(packet: Any) -> int:
    """Return when a packet ends, in microseconds."""
    ticks = _ticks(packet)
    if ticks is None or not packet.time_base:
        return 0
    return int((ticks + (packet.duration or 0)) * packet.time_base * MICROSECONDS)


def _counted_time(number: int, rate: Fraction) -> int:
    return number * SECOND * rate.denominator // rate.numerator
