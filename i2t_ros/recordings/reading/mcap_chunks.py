"""The messages of an MCAP file, chunk by chunk.

A chunk is unpacked when its time has come, and its messages are put into order. Chunks may overlap
in time, as many as there are: of those that are in use, their messages' places are kept, and the
unpacked bytes of the last ones. So a chunk may be unpacked again, but memory stays bounded.
"""

import struct
from collections import OrderedDict
from collections.abc import Collection, Iterator
from functools import partial
from pathlib import Path

from i2t_ros.recordings.reading.bag_parts import (
    DamagedPartError,
    FileReading,
    Found,
    Part,
    Trouble,
    merged,
)
from i2t_ros.recordings.reading.mcap_index import McapIndex
from i2t_ros.recordings.reading.mcap_records import (
    HEAD,
    INDEX_HEAD,
    MESSAGE,
    MESSAGE_HEAD,
    MESSAGE_INDEX,
    PAIR,
    Chunk,
    read_chunk,
    records,
)

MOST_KEPT = 1 << 26
"""Bytes of unpacked chunks that are kept; of one that has more, those of that one."""
MOST_INDEX = 1 << 24
"""Bytes of the indexes of a chunk: of a million messages."""


class McapReading(FileReading):
    """See FileReading."""

    def __init__(self, path: Path, index: McapIndex) -> None:
        """Open a file; raises OSError."""
        self._stream = path.open("rb")
        self._index = index
        self._kept: OrderedDict[int, memoryview] = OrderedDict()

    def find(
        self, topics: Collection[str], start: int, end: int, since: int, *, few: bool = False
    ) -> Iterator[Part]:
        """See FileReading.find."""
        wanted = {n: t.name for n, t in self._index.channels.items() if t.name in topics}
        sources = []
        for number, chunk in enumerate(self._index.chunks):
            if chunk.start >= end or chunk.end < start:
                continue
            if chunk.counts is not None and not wanted.keys() & chunk.counts.keys():
                continue
            find = self._indexed if few and chunk.counts and not chunk.bare else self._entries
            entries = partial(find, number, chunk, wanted, (start, end, since))
            sources.append((max(chunk.start, start), entries))
        for _, part in merged(sources):
            yield part

    def read(self, found: Found) -> memoryview:
        """See FileReading.read."""
        number, at = found.place
        offset = self._index.chunks[number].offset
        try:
            data = self._data(number)
        except DamagedPartError as error:
            raise DamagedPartError(f"the chunk at byte {offset}: {error}") from error
        if HEAD.size <= at <= len(data) - MESSAGE_HEAD.size:
            kind, size = HEAD.unpack_from(data, at - HEAD.size)
            time = MESSAGE_HEAD.unpack_from(data, at)[2]
            if (kind, time) == (MESSAGE, found.time) and size <= len(data) - at:
                return data[at + MESSAGE_HEAD.size : at + size]
        raise DamagedPartError(f"the index of the chunk at byte {offset} leads to no message")

    def close(self) -> None:
        """See FileReading.close."""
        self._stream.close()
        self._kept.clear()

    def _entries(
        self, number: int, chunk: Chunk, wanted: dict[int, str], times: tuple[int, int, int]
    ) -> Iterator[Part]:
        """Yield a chunk's messages in order, after what is damaged."""
        start, end, since = times
        entries, damaged = self._look_into(number, chunk, wanted)
        when = max(chunk.start, since)
        if damaged and start <= when < end:
            yield Trouble(when, "", damaged)
        yield from sorted(entry for entry in entries if start <= entry.time < end)

    def _look_into(
        self, number: int, chunk: Chunk, wanted: dict[int, str]
    ) -> tuple[list[Found], str]:
        """Return where messages are, and what is damaged; no bytes of the chunk are held."""
        entries, outside = [], 0
        try:
            data = self._data(number)
            for kind, begin, stop in records(data):
                if kind != MESSAGE or stop - begin < MESSAGE_HEAD.size:
                    continue
                channel, _, time, published = MESSAGE_HEAD.unpack_from(data, begin)
                if not chunk.start <= time <= chunk.end:
                    outside += 1
                elif channel in wanted:
                    entries.append(Found(time, wanted[channel], (number, begin), published))
        except (DamagedPartError, OSError) as error:
            return entries, f"the chunk at byte {chunk.offset}: {error}"
        if outside:
            wrong = f"{outside} of its messages have times that are not the chunk's"
            return entries, f"the chunk at byte {chunk.offset}: {wrong}"
        return entries, ""

    def _indexed(
        self, number: int, chunk: Chunk, wanted: dict[int, str], times: tuple[int, int, int]
    ) -> Iterator[Part]:
        """Yield the same by the indexes that follow the chunk, which stays packed."""
        start, end, _ = times
        entries: list[Found] = []
        counted = dict.fromkeys(chunk.counts or (), 0)
        self._stream.seek(chunk.offset + chunk.length)
        size = 16 * sum((chunk.counts or {}).values()) + 15 * len(counted)
        data = memoryview(self._stream.read(min(size, MOST_INDEX)))
        try:
            for kind, begin, stop in records(data):
                if kind != MESSAGE_INDEX:
                    break
                channel, size = INDEX_HEAD.unpack_from(data, begin)
                pairs = data[begin + INDEX_HEAD.size : min(stop, begin + INDEX_HEAD.size + size)]
                for time, at in PAIR.iter_unpack(pairs):
                    if chunk.start <= time <= chunk.end:
                        counted[channel] = counted.get(channel, 0) + 1
                    if channel in wanted and start <= time < end:
                        place = number, at + HEAD.size
                        entries.append(Found(time, wanted[channel], place, time))
        except (DamagedPartError, struct.error):
            counted.clear()
        if counted == chunk.counts:
            yield from sorted(entries)
        else:
            yield from self._entries(number, chunk, wanted, times)

    def _data(self, number: int) -> memoryview:
        """Return the records in a chunk; raises DamagedPartError, OSError."""
        if number in self._kept:
            self._kept.move_to_end(number)
            return self._kept[number]
        data = self._kept[number] = read_chunk(self._stream, self._index.chunks[number])
        total = sum(len(kept) for kept in self._kept.values())
        while total > MOST_KEPT and len(self._kept) > 1:
            total -= len(self._kept.popitem(last=False)[1])
        return data
