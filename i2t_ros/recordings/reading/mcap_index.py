"""What is in an MCAP file, from its summary; without one, from the heads of its records."""

import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from i2t_ros.recordings.base import SECOND
from i2t_ros.recordings.reading.bag_parts import (
    MOST_MESSAGE,
    DamagedPartError,
    FileIndex,
    Stretch,
    Topic,
    Trouble,
)
from i2t_ros.recordings.reading.mcap_records import (
    CHANNEL,
    CHUNK,
    CHUNK_HEAD,
    CHUNK_INDEX,
    DATA_END,
    FOOTER,
    HEAD,
    MAGIC,
    MESSAGE,
    MESSAGE_HEAD,
    MESSAGE_INDEX,
    SCHEMA,
    STATISTICS,
    Catalog,
    Chunk,
    Fields,
    read_chunk,
    records,
)

MOST_SUMMARY = 1 << 28
"""Bytes. An entry for a chunk has some hundreds, and a chunk a million."""
BARE = 1 << 22
"""Bytes of messages without chunks that are read at once, at least."""
WIDE = 3600 * SECOND
"""Nanoseconds. Chunks are longer if a recorder had no time at first, and its clock began at 0."""
MOST_WIDE = 1000
"""Such chunks of a file; others are taken to have messages all the time."""
MOST_TROUBLES = 10_000
"""Damaged parts of a file that are listed."""
_END = HEAD.size + 20 + len(MAGIC)  # bytes of the footer and of what follows it
_INDEX = struct.Struct("<HQ")  # a channel, and where its index is
_BLOCK = 1 << 20
_FIRST_BLOCK = 1 << 12  # most damage is short, and there may be much of it


class McapIndex(NamedTuple):
    """What is in a file: its channels by number, its chunks in order, and what is damaged.

    wide  times of the messages of chunks that are longer than WIDE, by the chunks' numbers
    """

    channels: dict[int, Topic]
    chunks: list[Chunk]
    troubles: list[Trouble]
    wide: dict[int, list[int]]

    def outline(self) -> FileIndex:
        """Return what other files have too."""
        return FileIndex(
            {topic.name: topic for topic in self.channels.values()},
            [
                stretch
                for n, chunk in enumerate(self.chunks)
                for stretch in self._stretches(n, chunk)
            ],
            self.troubles,
        )

    def _stretches(self, number: int, chunk: Chunk) -> Iterator[Stretch]:
        if number not in self.wide:
            yield Stretch(chunk.start, chunk.end, self.counts(chunk))
        for time in self.wide.get(number, ()):
            yield Stretch(time, time, None)

    def counts(self, chunk: Chunk) -> dict[str, int] | None:
        """Return how many messages of each topic a chunk has; None: nobody knows."""
        if chunk.counts is None:
            return None
        found: dict[str, int] = {}
        for number, count in chunk.counts.items():
            if number in self.channels:
                name = self.channels[number].name
                found[name] = found.get(name, 0) + count
        return found


def read_index(path: Path) -> McapIndex:
    """Return what is in a file; raises DamagedPartError if it is no MCAP file, OSError."""
    with path.open("rb") as stream:
        if stream.read(len(MAGIC)) != MAGIC:
            raise DamagedPartError("it does not begin like an MCAP file")
        size = os.fstat(stream.fileno()).st_size
        try:
            found = _from_summary(stream, size)
        except DamagedPartError:
            found = None
        found = found or _Walk(stream, size).index()
        # A chunk without messages has no times either.
        found.chunks[:] = [c for c in found.chunks if c.counts != {} and (c.counts or c.end)]
        wide = [n for n, chunk in enumerate(found.chunks) if chunk.end - chunk.start > WIDE]
        for number in wide[:MOST_WIDE]:
            found.wide[number] = _times_in(stream, found.chunks[number])
        return found


def _times_in(stream: BinaryIO, chunk: Chunk) -> list[int]:
    """Return the times of the messages of a chunk, one a second; if it is damaged, its first."""
    times = {chunk.start}
    try:
        data = read_chunk(stream, chunk)
        for kind, begin, end in records(data):
            if kind == MESSAGE and end - begin >= MESSAGE_HEAD.size:
                times.add(MESSAGE_HEAD.unpack_from(data, begin)[2])
    except DamagedPartError:
        pass  # whoever reads its messages says so
    inside = [time for time in times if chunk.start <= time <= chunk.end]
    return sorted({time // SECOND: time for time in sorted(inside, reverse=True)}.values())


def _from_summary(stream: BinaryIO, size: int) -> McapIndex | None:
    """Return what the summary says; None if there is none, or if it does not tell the chunks."""
    stream.seek(max(len(MAGIC), size - _END))
    ending = stream.read(_END)
    if len(ending) < _END or not ending.endswith(MAGIC) or HEAD.unpack_from(ending) != (FOOTER, 20):
        return None
    begin, _, crc = Fields(ending[HEAD.size :]).numbers("QQI")
    if not len(MAGIC) <= begin < size - _END or size - _END - begin > MOST_SUMMARY:
        return None
    stream.seek(begin)
    data = memoryview(stream.read(size - _END - begin))
    if crc and zlib.crc32(ending[: HEAD.size + 16], zlib.crc32(data)) != crc:
        return None
    catalog, chunks, total = Catalog(), [], -1
    for kind, first, last in records(data):
        if kind == CHUNK_INDEX:
            chunks.append(_chunk_of(data[first:last], size))
        elif kind == STATISTICS:
            (total,) = Fields(data[first:last]).numbers("Q")
        else:
            catalog.add(kind, data[first:last])
    if total and not (chunks and catalog.channels):
        return None  # messages without chunks, or nothing but the footer
    return McapIndex(catalog.channels, chunks, [], {})


def _chunk_of(data: memoryview, size: int) -> Chunk:
    fields = Fields(data)
    start, end, offset, length, offsets = fields.numbers("QQQQI")
    indexes = fields.take(offsets - offsets % _INDEX.size)
    places = sorted((place, channel) for channel, place in _INDEX.iter_unpack(indexes))
    (length_of_indexes,) = fields.numbers("Q")
    ends = [place for place, _ in places[1:]] + [offset + length + length_of_indexes]
    # An index has 15 bytes and another 16 for each message.
    counts = {
        channel: max(0, end - place - HEAD.size - 6) // 16
        for (place, channel), end in zip(places, ends, strict=True)
    }
    if offset + length > size:
        raise DamagedPartError("the summary names a chunk after the end of the file")
    return Chunk(start, end, offset, length, counts or None)


class _Walk:
    """Goes through a file from record to record; of chunks it reads the head."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self._stream = stream
        self._size = size
        self._catalog = Catalog()
        self._chunks: list[Chunk] = []
        self._troubles: list[Trouble] = []
        self._latest = -1

    def index(self) -> McapIndex:
        at: int | None = len(MAGIC)
        while at is not None and at < self._size:
            at = self._step(at)
        if at is not None:
            self._trouble("it has no end: its recorder was killed, or it was cut off")
        for number, chunk in enumerate(self._chunks):
            self._chunks[number] = self._look_into(chunk)
        return McapIndex(self._catalog.channels, self._chunks, self._troubles, {})

    def _trouble(self, what: str, time: int | None = None) -> None:
        if time is None:
            time = self._latest
        if len(self._troubles) == MOST_TROUBLES:
            what = "more parts of it are damaged than are listed"
        if len(self._troubles) <= MOST_TROUBLES:
            self._troubles.append(Trouble(time, "", what))

    def _step(self, at: int) -> int | None:
        """Return where the next record is; None: there is none."""
        self._stream.seek(at)
        head = self._stream.read(HEAD.size + CHUNK_HEAD.size)
        kind, size = HEAD.unpack_from(head) if len(head) >= HEAD.size else (0, 0)
        end: int = at + HEAD.size + size
        if kind in (DATA_END, FOOTER) and size <= 20:
            return None
        if end > self._size or not 0 < kind <= DATA_END:
            return self._step_over(at, head, kind, end)
        try:
            self._take(kind, at, head[HEAD.size :], end)
        except DamagedPartError as error:
            self._trouble(f"the record at byte {at}: {error}")
        return end

    def _step_over(self, at: int, head: bytes, kind: int, end: int) -> int | None:
        """Return where the next chunk is after what is no record, or not a whole one."""
        following = self._next_chunk(at + 1)
        if following is not None:
            self._trouble(f"bytes {at} to {following} are damaged")
            return following
        if kind == CHUNK and len(head) == HEAD.size + CHUNK_HEAD.size:
            start = CHUNK_HEAD.unpack_from(head, HEAD.size)[0]
            got = f"expected {end - at} bytes, got {self._size - at}"
            self._trouble(f"it ends within a chunk: {got}", start)
        else:
            self._trouble(f"it ends within a record: bytes {at} to {self._size} are damaged")
        return None

    def _take(self, kind: int, at: int, head: bytes, end: int) -> None:
        fields = Fields(head[: end - at - HEAD.size])
        if kind == CHUNK:
            start, last = fields.numbers("QQ")
            self._chunks.append(Chunk(start, last, at, end - at, None))
            self._latest = max(self._latest, last)
        elif kind == MESSAGE:
            channel, _, time, _ = fields.numbers("HIQQ")
            self._add_bare(channel, time, at, end)
        elif kind == MESSAGE_INDEX and self._chunks:
            channel, size = fields.numbers("HI")
            counts = self._chunks[-1].counts
            if counts is None:
                counts = {}
                self._chunks[-1] = self._chunks[-1]._replace(counts=counts)
            counts[channel] = size // 16  # a copy for each record would take very long
        elif kind in (SCHEMA, CHANNEL):
            if end - at > MOST_MESSAGE:
                raise DamagedPartError(f"expected at most {MOST_MESSAGE} bytes, got {end - at}")
            self._stream.seek(at + HEAD.size)
            self._catalog.add(kind, self._stream.read(end - at - HEAD.size))

    def _add_bare(self, channel: int, time: int, at: int, end: int) -> None:
        """Add a message that is in no chunk to the ones before it, or to new ones."""
        self._latest = max(self._latest, time)
        last = self._chunks[-1] if self._chunks else None
        if last is None or not last.bare or last.length > BARE:
            self._chunks.append(Chunk(time, time, at, end - at, {channel: 1}, bare=True))
            return
        counts = {} if last.counts is None else last.counts
        counts[channel] = counts.get(channel, 0) + 1
        start, final = min(last.start, time), max(last.end, time)
        self._chunks[-1] = Chunk(start, final, last.offset, end - last.offset, counts, bare=True)

    def _next_chunk(self, at: int) -> int | None:
        """Return where the next chunk begins that is whole, by the name of its compression."""
        before = HEAD.size + CHUNK_HEAD.size
        length = _FIRST_BLOCK
        while at < self._size:
            self._stream.seek(at)
            block = self._stream.read(length)
            for name in (b"\4\0\0\0zstd", b"\3\0\0\0lz4"):
                found = block.find(name, before)
                while found >= 0:
                    kind, size = HEAD.unpack_from(block, found - before)
                    begin = at + found - before
                    if kind == CHUNK and begin + HEAD.size + size <= self._size:
                        return begin
                    found = block.find(name, found + 1)
            at += length - before - 8
            length = min(4 * length, _BLOCK)
        return None

    def _look_into(self, chunk: Chunk) -> Chunk:
        """Take the channels of a chunk if they are not known, and count what nobody has counted."""
        counts = chunk.counts
        if counts is not None and self._catalog.channels.keys() >= counts.keys():
            return chunk
        found: dict[int, int] = {}
        try:
            data = read_chunk(self._stream, chunk)
            for kind, begin, end in records(data):
                if kind == MESSAGE and end - begin >= MESSAGE_HEAD.size:
                    (channel, *_) = MESSAGE_HEAD.unpack_from(data, begin)
                    found[channel] = found.get(channel, 0) + 1
                else:
                    self._catalog.add(kind, data[begin:end])
        except DamagedPartError:
            return chunk  # whoever reads its messages says so
        return chunk._replace(counts=counts or found)
