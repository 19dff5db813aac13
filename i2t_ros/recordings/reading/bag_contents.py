"""What is in a bag, whatever its files are."""

from collections import Counter, OrderedDict
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple

from i2t_ros.errors import SourceUnreadableError
from i2t_ros.recordings.reading import sqlite_rows
from i2t_ros.recordings.reading.bag_files import METADATA, BagFile, Unpacker, is_sqlite, read_layout
from i2t_ros.recordings.reading.bag_parts import (
    MOST_MESSAGE,
    DamagedPartError,
    FileIndex,
    FileReading,
    Found,
    Part,
    Stretch,
    Topic,
    Trouble,
    merged,
)
from i2t_ros.recordings.reading.mcap_chunks import McapReading
from i2t_ros.recordings.reading.mcap_index import McapIndex
from i2t_ros.recordings.reading.mcap_index import read_index as read_mcap
from i2t_ros.recordings.reading.mcap_records import unzstd

ZSTD = b"\x28\xb5\x2f\xfd"
"""What messages begin with that are compressed one by one. Others begin with 0."""
MOST_OPEN = 4
"""Files that are kept open although nothing is being read from them."""


class Content(NamedTuple):
    """A file and what is in it; ``start`` and ``end`` are nanoseconds since 1970, both included."""

    file: BagFile
    outline: FileIndex
    start: int
    end: int


class Bag:
    """A bag that is not open. What it has is looked up once.

    begin      nanoseconds since 1970
    end        the first nanosecond after it
    topics     by name
    counts     messages of each topic, as metadata.yaml has them
    stretches  where messages are
    contents   its files and what is in them
    by_message whether each message is compressed
    """

    def __init__(self, path: Path) -> None:
        """Look; raises SourceMissingError, and SourceUnreadableError if nothing can be read."""
        layout = read_layout(path)
        self.path = path
        self.counts: Mapping[str, int] = layout.counts
        self.by_message = layout.by_message
        self._unpacker = Unpacker()
        self._mcaps: dict[Path, McapIndex] = {}
        self._outlines: dict[Path, FileIndex] = {}
        indexes = [(file, self._outline(file, layout.topics)) for file in layout.files]
        if layout.trouble:
            indexes[:0] = [
                (BagFile(path / METADATA), FileIndex(troubles=[Trouble(-1, "", layout.trouble)]))
            ]
        self.stretches = [part for _, index in indexes for part in index.stretches]
        troubles = [t for _, index in indexes for t in index.troubles]
        if troubles and not self.stretches:
            raise SourceUnreadableError(f"{path}: nothing of it can be read: {troubles[0].what}")
        starts = [layout.start, *(file.start for file in layout.files)]
        starts += [stretch.start for stretch in self.stretches]
        self.begin = min((start for start in starts if start is not None), default=0)
        self.contents = self._placed(indexes)
        self.end = 1 + max([content.end for content in self.contents], default=self.begin)
        self.topics = dict(layout.topics)
        for content in self.contents:
            self._add_topics(content.outline.topics)

    def damaged_at(self) -> list[int]:
        """Return where files are damaged, as far as it is known before messages are read."""
        return [each.time for content in self.contents for each in content.outline.troubles]

    def _outline(self, file: BagFile, topics: Mapping[str, Topic]) -> FileIndex:
        """Return what is in a file, as metadata.yaml has it, if it would have to be unpacked."""
        name = file.path.name
        if not file.path.is_file():
            return FileIndex(troubles=[Trouble(-1, "", f"{name} is missing")])
        if file.path.suffix == ".zstd" and topics and file.start is not None and file.duration:
            stretch = Stretch(file.start, file.start + file.duration, None)
            return FileIndex(dict(topics), [stretch])
        try:
            return self._look_into(file.path)
        except (DamagedPartError, OSError) as error:
            return FileIndex(troubles=[Trouble(-1, "", f"{name}: {error}")])

    def _look_into(self, path: Path) -> FileIndex:
        """Return what is in a file; raises DamagedPartError, OSError."""
        if path not in self._outlines:
            unpacked, trouble = self._unpacker.path(path)
            if is_sqlite(unpacked):
                found = sqlite_rows.read_index(unpacked)
            else:
                self._mcaps[path] = read_mcap(unpacked)
                found = self._mcaps[path].outline()
            troubles = [t._replace(what=f"{path.name}: {t.what}") for t in found.troubles]
            if trouble:
                last = max((stretch.end for stretch in found.stretches), default=-1)
                troubles = [Trouble(last, "", f"{path.name}: {trouble}")]
            self._outlines[path] = FileIndex(found.topics, found.stretches, troubles)
        return self._outlines[path]

    def _placed(self, indexes: list[tuple[BagFile, FileIndex]]) -> list[Content]:
        """Return the files, with times for all that is damaged: if need be, where it may begin."""
        contents, before = [], self.begin
        for file, index in indexes:
            start = min([stretch.start for stretch in index.stretches], default=file.start)
            start = before if start is None else start
            end = max([stretch.end for stretch in index.stretches], default=start)
            troubles = _within(index.troubles, start, end)
            contents.append(
                Content(file, FileIndex(index.topics, index.stretches, troubles), start, end)
            )
            before = end
        return contents

    def detailed_topics(self) -> dict[str, Topic]:
        """Return the topics with their definitions, for which the first packed file is unpacked."""
        for content in self.contents:
            if content.file.path.suffix == ".zstd" and content.outline.stretches:
                with suppress(DamagedPartError, OSError):
                    self._add_topics(self._look_into(content.file.path).topics)
                    break
        return self.topics

    def _add_topics(self, topics: Mapping[str, Topic]) -> None:
        """Take what a file says of topics, and from metadata.yaml what it does not say."""
        for name, topic in topics.items():
            known = self.topics.get(name, topic)
            qos, digest = topic.qos or known.qos, topic.digest or known.digest
            self.topics[name] = topic._replace(qos=qos, digest=digest)

    def open(self) -> "BagReading":
        """Open the bag; its files are opened when they are needed."""
        return BagReading(self)

    def open_file(self, number: int) -> FileReading:
        """Open a file of the bag; raises DamagedPartError, OSError."""
        path = self.contents[number].file.path
        self._look_into(path)
        unpacked, _ = self._unpacker.path(path)
        if path in self._mcaps:
            return McapReading(unpacked, self._mcaps[path])
        return sqlite_rows.SqliteReading(unpacked)

    def troubles_of(self, number: int) -> list[Trouble]:
        """Return what is damaged in a file that has been opened, with times."""
        content = self.contents[number]
        found = _within(self._look_into(content.file.path).troubles, content.start, content.end)
        return sorted({*found, *content.outline.troubles})


def _within(troubles: list[Trouble], start: int, end: int) -> list[Trouble]:
    return [t._replace(time=min(max(t.time, start), end)) for t in troubles]


class BagReading:
    """An open bag, a context manager that closes it. Use it from one thread."""

    def __init__(self, bag: Bag) -> None:
        """Open no file yet."""
        self._bag = bag
        self._open: OrderedDict[int, FileReading] = OrderedDict()
        self._in_use: Counter[int] = Counter()

    def __enter__(self) -> "BagReading":
        return self

    def __exit__(self, *_: object) -> None:
        for reading in self._open.values():
            reading.close()
        self._open.clear()

    def find(
        self, topics: Collection[str], start: int, end: int, since: int, *, few: bool = False
    ) -> Iterator[tuple[int, Part]]:
        """Yield messages and what is damaged, with the number of the file; see FileReading.find."""
        sources, numbers = [], []
        for number, content in enumerate(self._bag.contents):
            if max(content.start, start) <= min(content.end, end - 1):
                parts = partial(self._parts, number, topics, (start, end, since), few)
                sources.append((max(content.start, start), parts))
                numbers.append(number)
        for source, part in merged(sources):
            yield numbers[source], part

    def read(self, number: int, found: Found) -> memoryview:
        """Return the bytes of a message of a file; raises DamagedPartError, OSError."""
        data = self._file(number).read(found)
        if self._bag.by_message or data[:4] == ZSTD:
            data = memoryview(unzstd(data))
        if len(data) > MOST_MESSAGE:
            raise DamagedPartError(f"expected at most {MOST_MESSAGE} bytes, got more")
        return data

    def _parts(
        self, number: int, topics: Collection[str], times: tuple[int, int, int], few: bool
    ) -> Iterator[Part]:
        start, end, since = times
        content = self._bag.contents[number]
        name, troubles = content.file.path.name, content.outline.troubles
        parts: Iterator[Part] = iter(())
        self._in_use[number] += 1
        try:
            if content.outline.stretches:
                try:
                    parts = self._file(number).find(topics, *times, few=few)
                    troubles = self._bag.troubles_of(number)
                except (DamagedPartError, OSError) as error:
                    troubles = [Trouble(content.start, "", f"{name}: {error}")]
            placed = sorted(t._replace(time=max(t.time, since)) for t in troubles)
            inside = iter([trouble for trouble in placed if start <= trouble.time < end])
            first = max(content.start, start)
            for source, part in merged([(first, lambda: inside), (first, lambda: parts)]):
                if source and isinstance(part, Trouble):
                    yield part._replace(what=f"{name}: {part.what}")
                else:
                    yield part
        finally:
            self._in_use[number] -= 1

    def _file(self, number: int) -> FileReading:
        if number not in self._open:
            self._open[number] = self._bag.open_file(number)
            idle = [each for each in self._open if not self._in_use[each] and each != number]
            for each in idle[: max(0, len(self._open) - MOST_OPEN)]:
                self._open.pop(each).close()
        self._open.move_to_end(number)
        return self._open[number]
