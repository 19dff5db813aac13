"""Records of MCAP files, from bytes that nobody vouches for.

The format: https://mcap.dev/spec. All numbers are little-endian.
"""

import importlib
import io
import struct
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple

from i2t_ros.recordings.reading.bag_parts import MOST_MESSAGE, DamagedPartError, Topic

MAGIC = b"\x89MCAP0\r\n"
FOOTER, SCHEMA, CHANNEL, MESSAGE, CHUNK, MESSAGE_INDEX = 2, 3, 4, 5, 6, 7
CHUNK_INDEX, STATISTICS, DATA_END = 8, 11, 15
HEAD = struct.Struct("<BQ")
"""Of a record: what it is, and how many bytes follow."""
MESSAGE_HEAD = struct.Struct("<HIQQ")
"""Channel, sequence number, log time, publish time."""
INDEX_HEAD = struct.Struct("<HI")
"""Channel, bytes of pairs."""
PAIR = struct.Struct("<QQ")
"""Log time, and where the message is in the unpacked chunk."""
CHUNK_HEAD = struct.Struct("<QQQI")
"""Earliest and latest log time, size and CRC of what is in it."""


class Chunk(NamedTuple):
    """Where messages are in a file.

    start, end      log times of the earliest and the latest message, nanoseconds since 1970
    offset, length  of the record; without a record around them, of the messages themselves
    counts          messages of each channel; None: nobody knows
    bare            whether there is no record around them
    """

    start: int
    end: int
    offset: int
    length: int
    counts: dict[int, int] | None
    bare: bool = False


class Fields:
    """Reads the fields of a record; raises DamagedPartError if they are not in it."""

    def __init__(self, data: bytes | memoryview) -> None:
        """Begin with the first field; ``data`` is the record without its head."""
        self._data = memoryview(data)
        self._at = 0

    def numbers(self, layout: str) -> tuple[int, ...]:
        """Return the next numbers, as struct.unpack does."""
        layout = f"<{layout}"
        return struct.unpack(layout, self.take(struct.calcsize(layout)))

    def take(self, size: int) -> memoryview:
        """Return the next bytes."""
        found = self._data[self._at : self._at + size]
        if len(found) < size:
            raise DamagedPartError(f"a record ends too early: expected {size} bytes more")
        self._at += size
        return found

    def text(self) -> str:
        """Return the next text."""
        (size,) = self.numbers("I")
        try:
            return str(self.take(size), "utf-8")
        except UnicodeDecodeError as error:
            raise DamagedPartError(f"a text in a record is not UTF-8: {error}") from error

    def texts(self) -> dict[str, str]:
        """Return the next texts, by their names."""
        (size,) = self.numbers("I")
        inner, found = Fields(self.take(size)), {}
        while inner._at < size:
            name = inner.text()
            found[name] = inner.text()
        return found


class Catalog:
    """The channels of a file, as far as they have been seen."""

    def __init__(self) -> None:
        """Know none."""
        self._schemas: dict[int, tuple[str, str, str]] = {}
        self.channels: dict[int, Topic] = {}

    def add(self, kind: int, data: bytes | memoryview) -> None:
        """Take a record, of any kind; raises DamagedPartError."""
        fields = Fields(data)
        if kind == SCHEMA:
            (number,) = fields.numbers("H")
            name, encoding = fields.text(), fields.text()
            self._schemas[number] = name, encoding, fields.text()
        elif kind == CHANNEL:
            number, schema = fields.numbers("HH")
            name, packing, more = fields.text(), fields.text(), fields.texts()
            qos, digest = more.get("offered_qos_profiles", ""), more.get("topic_type_hash", "")
            about = self._schemas.get(schema, ("", "", ""))
            self.channels[number] = Topic(name, *about, qos, digest, packing)


def records(data: memoryview) -> Iterator[tuple[int, int, int]]:
    """Yield the kind, the beginning and the end of each record; raises DamagedPartError."""
    at = 0
    while at < len(data):
        if at + HEAD.size > len(data):
            raise DamagedPartError("a record ends too early")
        kind, size = HEAD.unpack_from(data, at)
        begin = at + HEAD.size
        if size > len(data) - begin:
            raise DamagedPartError(
                f"a record ends too early: expected {size} bytes, got {len(data) - begin}"
            )
        yield kind, begin, begin + size
        at = begin + size


def read_chunk(stream: BinaryIO, chunk: Chunk) -> memoryview:
    """Return the records in a chunk; raises DamagedPartError, OSError."""
    if chunk.length > MOST_MESSAGE:
        raise DamagedPartError(f"expected at most {MOST_MESSAGE} bytes, got {chunk.length}")
    stream.seek(chunk.offset)
    data = memoryview(stream.read(chunk.length))
    if len(data) < chunk.length:
        raise DamagedPartError(f"expected {chunk.length} bytes, got {len(data)}")
    if chunk.bare:
        return data
    kind, begin, end = next(records(data), (0, 0, 0))
    if kind != CHUNK:
        raise DamagedPartError(f"expected a chunk at byte {chunk.offset}, got a record {kind}")
    fields = Fields(data[begin:end])
    _, _, size, crc = fields.numbers("QQQI")
    how = fields.text()
    (packed,) = fields.numbers("Q")
    found = _unpack(fields.take(packed), how, size)
    if crc and zlib.crc32(found) != crc:
        raise DamagedPartError("its checksum is another one")
    return found


def _unpack(data: memoryview, how: str, size: int) -> memoryview:
    if size > MOST_MESSAGE:
        raise DamagedPartError(f"expected at most {MOST_MESSAGE} bytes unpacked, got {size}")
    if how == "":
        found: Any = data
    elif how == "zstd":
        found = unzstd(data, size)
    elif how == "lz4":
        lz4 = importlib.import_module("lz4.frame")
        try:
            found = lz4.LZ4FrameDecompressor().decompress(data, max_length=size + 1)
        except (RuntimeError, EOFError) as error:
            raise DamagedPartError(f"it cannot be unpacked: {error}") from error
    else:
        raise DamagedPartError(f"its compression is {how[:40]!r}: expected zstd, lz4 or none")
    if len(found) != size:
        raise DamagedPartError(f"expected {size} bytes unpacked, got {len(found)}")
    return memoryview(found)


def unzstd(data: bytes | memoryview, most: int = MOST_MESSAGE) -> bytes:
    """Return unpacked bytes, or one more than ``most``; raises DamagedPartError."""
    zstandard = importlib.import_module("zstandard")
    try:
        expected = zstandard.frame_content_size(data)  # -1: it does not say
        with zstandard.ZstdDecompressor().stream_reader(io.BytesIO(data)) as reader:
            found: bytes = reader.read(min(most, expected if expected >= 0 else most) + 1)
    except zstandard.ZstdError as error:
        raise DamagedPartError(f"it cannot be unpacked: {error}") from error
    if len(found) < expected <= most:
        raise DamagedPartError(
            f"it cannot be unpacked: expected {expected} bytes, got {len(found)}"
        )
    return found
