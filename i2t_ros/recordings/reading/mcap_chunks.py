"""The messages of an MCAP file, chunk by chunk.

A chunk is unpacked when its time has come, and its messages are put into order. Chunks may overlap
in time, as many as there are: of those that are in use, their messages' places are kept, and the
unpacked bytes of the last ones. So a chunk may be unpacked again, but memory stays bounded.
"""

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
    MESSAGE,
    MESSAGE_HEAD,
    Chunk,
    read_chunk,
    records,
)

MOST_KEPT = 1 << 28
"""Bytes of unpacked chunks that are kept; of one that has more, those of that one."""


class McapReading(FileReading):
    """See FileReading."""

    def __init__(self, path: Path, index: McapIndex) -> None:
        """Open a file; raises OSError."""
        self._stream = path.open("rb")
        self._index = index
        self._kept: OrderedDict[int, memoryview] = OrderedDict()

    def find(self, topics: Collection[str], start: int, end: int, since: int) -> Iterator[Part]:
        """See FileReading.find."""
        wanted = {n: t.name for n, t in self._index.channels.items() if t.name in topics}
        sources = []
        for number, chunk in enumerate(self._index.chunks):
            if chunk.start >= end or chunk.end < start:
                continue
            if chunk.counts is not None and not wanted.keys() & chunk.counts.keys():
                continue
            entries = partial(self._entries, number, chunk, wanted, (start, end, since))
            sources.append((max(chunk.start, start), entries))
        for _, part in merged(sources):
            yield part

    def read(self, found: Found) -> memoryview:
        """See FileReading.read."""
        number, at = found.place
        data = self._data(number)
        size = int.from_bytes(data[at - 8 : at], "little")
        return data[at + MESSAGE_HEAD.size : at + size]

    def close(self) -> None:
        """See FileReading.close."""
        self._stream.close()
        self._kept.clear()

    def _entries(
        self, number: int, chunk: Chunk, wanted: dict[int, str], times: tuple[int, int, int]
    ) -> Iterator[Part]:
        """Yield a chunk's messages in order, after what is damaged."""
        start, end, since = times
        entries, damaged, outside = [], "", 0
        try:
            data = self._data(number)
            for kind, begin, stop in records(data):
                if kind != MESSAGE or stop - begin < MESSAGE_HEAD.size:
                    continue
                channel, _, time, published = MESSAGE_HEAD.unpack_from(data, begin)
                if not chunk.start <= time <= chunk.end:
                    outside += 1
                elif channel in wanted and start <= time < end:
                    entries.append(Found(time, wanted[channel], (number, begin), published))
        except (DamagedPartError, OSError) as error:
            damaged = str(error)
        if outside:
            damaged = damaged or f"{outside} of its messages have times that are not the chunk's"
        when = max(chunk.start, since)
        if damaged and start <= when < end:
            yield Trouble(when, "", f"the chunk at byte {chunk.offset}: {damaged}")
        entries.sort()
        yield from entries

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
