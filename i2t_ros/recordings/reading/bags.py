"""Bags of ROS 2 as recordings: MCAP and SQLite, without ROS."""

import importlib
from collections.abc import Collection, Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path

from i2t_ros.errors import (
    ImageMessageError,
    InvalidRequestError,
    SourceMissingError,
    SourceUnreadableError,
)
from i2t_ros.installation import how_to_install
from i2t_ros.optional import needed_for
from i2t_ros.recordings.base import (
    SECOND,
    Damage,
    Recorded,
    RecordedImage,
    Recording,
    Selection,
    Span,
)
from i2t_ros.recordings.reading.bag_contents import Bag, BagReading
from i2t_ros.recordings.reading.bag_depth import BagDepth
from i2t_ros.recordings.reading.bag_files import ENDINGS, METADATA, without_ending
from i2t_ros.recordings.reading.bag_images import (
    IMAGES,
    Stamped,
    header_of,
    named_like_depth,
    parse,
    pixels_of,
    shows_colors,
)
from i2t_ros.recordings.reading.bag_parts import DamagedPartError, Found, Stretch, Topic, Trouble
from i2t_ros.recordings.reading.fingerprints import fingerprint_of
from i2t_ros.types import Image, Scene

RATE = 10
"""Images in a second of a topic, if nothing tells how many there are."""
MOST_SPANS = 1_000_000


class BagRecording(Recording):
    """A bag of ROS 2: a folder of rosbag2, or a single .mcap or .db3 file.

    Times are those of the recorder. Every topic with images counts, except those with depths or
    disparities, which have nothing to see; such a topic can be named all the same.

    depth  topic of images -> topic of the depth images that belong to them
    """

    kind = "bag"

    def __init__(
        self, path: str, max_pixels: int, gray16: str, depth: Sequence[tuple[str, str]] = ()
    ) -> None:
        """Read nothing yet; raises BackendMissingError if a package is missing.

        max_pixels, gray16  as in DescribeOptions
        depth               as above
        """
        with needed_for("reading bags", how_to_install("recordings")):
            for module in ("rosbags.typesys", "lz4.frame", "zstandard"):
                importlib.import_module(module)
        self.path = path
        self.name = without_ending(Path(path).resolve().name) or "bag"
        self._how = max_pixels, gray16
        self.depth = dict(depth)
        self._bag: Bag | None = None
        self._seen: dict[str, bool] = {}

    def topics(self, selection: Selection) -> Sequence[str]:
        """See Recording.topics."""
        bag = self.bag()
        images = sorted(name for name, topic in bag.topics.items() if topic.kind in IMAGES)
        there = ", ".join(images) or "none"
        for name in (*selection.topics, *self.depth, *self.depth.values()):
            if name not in images:
                raise InvalidRequestError(
                    f"{self.path} has no images on {name}; topics with images: {there}"
                )
        if selection.topics:
            return sorted(set(selection.topics))
        with bag.open() as reading:
            found = [
                name
                for name in images
                if name not in self.depth.values() and self._is_seen(reading, name)
            ]
        if not found:
            others = f"; with depth alone: {there}; name one to see it" if images else ""
            raise SourceUnreadableError(
                f"{self.path} has no topic with images ({' or '.join(IMAGES)}){others}"
            )
        return found

    def begin(self) -> int | None:
        """See Recording.begin."""
        bag = self.bag()
        return bag.begin if bag.stretches else None

    def spans(self, selection: Selection, length: int) -> list[Span]:
        """See Recording.spans; where the bag has no messages for long, there is no span."""
        bag, topics = self.bag(), self.topics(selection)
        if selection.every:
            length = -(-length // selection.every) * selection.every
        expected: dict[int, float] = {}
        for stretch in [*bag.stretches, *(Stretch(t, t, {}) for t in bag.damaged_at())]:
            start = max(stretch.start - bag.begin, selection.start)
            end = stretch.end - bag.begin
            end = end if selection.end is None else min(end, selection.end - 1)
            if start > end or (stretch.counts and not set(topics) & stretch.counts.keys()):
                continue
            numbers = range(start // length, end // length + 1)
            if len(numbers) + len(expected) > MOST_SPANS:
                raise SourceUnreadableError(
                    f"{self.path} is too long: expected at most {MOST_SPANS} parts of "
                    f"{length / SECOND:g} s"
                )
            images = self._expected(stretch, topics) / len(numbers)
            for number in numbers:
                expected[number] = expected.get(number, 0) + images
        most = len(topics) * length / selection.every if selection.every else float("inf")
        return [
            Span(number * length, (number + 1) * length, round(min(images, most)))
            for number, images in sorted(expected.items())
        ]

    def items(self, span: Span, selection: Selection, skip: int = 0) -> Iterator[Recorded]:
        """See Recording.items."""
        with self.bag().open() as reading:
            depth = {
                images: BagDepth(self.bag(), reading, topic)
                for images, topic in sorted(self.depth.items())
            }
            for number, part in islice(self._selected(reading, span, selection), skip, None):
                if isinstance(part, Trouble):
                    yield Damage(self.path, part.topic, part.time - self.bag().begin, part.what)
                else:
                    yield self._image(reading, number, part, depth.get(part.topic))

    def fingerprint(self) -> str:
        """See Recording.fingerprint: names, sizes and times of change of its files."""
        path = Path(self.path)
        try:
            files = [path]
            if path.is_dir():
                endings = (*ENDINGS, METADATA, "-wal")
                files = sorted(each for each in path.iterdir() if each.name.endswith(endings))
            return fingerprint_of(files)
        except FileNotFoundError as error:
            raise SourceMissingError(f"no such bag: {path}") from error
        except OSError as error:
            raise SourceUnreadableError(f"cannot read {path}: {error.strerror}") from error

    def close(self) -> None:
        """See Recording.close; files that had to be unpacked go."""
        self._bag = None

    def bag(self) -> Bag:
        """Return what is in the bag; raises SourceError."""
        if self._bag is None:
            try:
                self._bag = Bag(Path(self.path))
            except OSError as error:
                raise SourceUnreadableError(f"cannot read {self.path}: {error}") from error
        return self._bag

    def messages(
        self, selection: Selection, topics: Collection[str]
    ) -> Iterator[tuple[Found, memoryview]]:
        """Yield all messages of topics in the selected time, by time; what is damaged is left out.

        The bytes are there until the next ones are taken.
        """
        bag = self.bag()
        start, end = self._times(selection)
        with bag.open() as reading:
            for number, part in reading.find(topics, start, end, start):
                if isinstance(part, Found):
                    try:
                        data = reading.read(number, part)
                    except (DamagedPartError, OSError):
                        continue
                    yield part, data

    def about(self, topic: str) -> Topic:
        """Return what is known of a topic."""
        return self.bag().topics[topic]

    def _times(self, selection: Selection, span: Span | None = None) -> tuple[int, int]:
        bag = self.bag()
        start, end = selection.start, bag.end - bag.begin
        end = end if selection.end is None else min(end, selection.end)
        if span is not None:
            start, end = max(start, span.start), min(end, span.end)
        return bag.begin + start, bag.begin + end

    def _selected(
        self, reading: BagReading, span: Span, selection: Selection
    ) -> Iterator[tuple[int, Found | Trouble]]:
        begin, topics = self.bag().begin, frozenset(self.topics(selection))
        periods: dict[str, int] = {}
        since = begin + selection.start
        times, few = self._times(selection, span), bool(selection.every)
        for number, part in reading.find(topics, *times, since, few=few):
            if isinstance(part, Found) and selection.every:
                period = (part.time - begin) // selection.every
                if periods.get(part.topic) == period:
                    continue
                periods[part.topic] = period
            yield number, part

    def _image(
        self, reading: BagReading, number: int, found: Found, depth: BagDepth | None
    ) -> Recorded:
        time, kind = found.time - self.bag().begin, self.about(found.topic).kind
        try:
            data = reading.read(number, found)
        except (DamagedPartError, OSError) as error:
            return Damage(self.path, found.topic, time, f"the message of the image: {error}")
        try:
            message = parse(data, kind)
            header = header_of(message)
        except ImageMessageError as error:
            read = partial(_refuse, str(error))
            return RecordedImage(self.path, found.topic, time, None, "", read)
        return RecordedImage(
            self.path,
            found.topic,
            time,
            *header,
            partial(pixels_of, message, kind, *self._how),
            measure=partial(_measure, depth, found, header) if depth else None,
        )

    def _is_seen(self, reading: BagReading, topic: str) -> bool:
        """Whether the first image of a topic that can be read has something to see."""
        if topic not in self._seen:
            self._seen[topic] = self._look(reading, topic)
        return self._seen[topic]

    def _look(self, reading: BagReading, topic: str) -> bool:
        bag, kind = self.bag(), self.about(topic).kind
        for number, part in reading.find({topic}, bag.begin, bag.end, bag.begin):
            if isinstance(part, Found):
                try:
                    return shows_colors(parse(reading.read(number, part), kind), kind, topic)
                except (ImageMessageError, DamagedPartError, OSError):
                    break
        return not named_like_depth(topic)

    def _expected(self, stretch: Stretch, topics: Sequence[str]) -> float:
        if stretch.counts is not None:
            return sum(stretch.counts.get(topic, 0) for topic in topics)
        bag = self.bag()
        share = (stretch.end - stretch.start) / max(1, bag.end - bag.begin)
        if bag.counts:
            return share * sum(bag.counts.get(topic, 0) for topic in topics)
        return len(topics) * RATE * (stretch.end - stretch.start) / SECOND


def _refuse(why: str) -> Image:
    raise ImageMessageError(why)


def _measure(depth: BagDepth, found: Found, header: Stamped, scene: Scene) -> Scene:
    return depth.measure(scene, found.time, header.stamp)
