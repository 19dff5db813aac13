"""What was found in the images of a unit, kept in small files so that a crash loses little."""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

import msgspec

from i2t_ros.recordings.work.store import Store

_NAME = re.compile(r"(\d{6})-(\d{6})(\.end)?\.jsonl")


class Record(msgspec.Struct, omit_defaults=True, frozen=True):
    """One item of a recording, and what was found in it.

    number                                see writing.base.Told; known when the image is told
    source, topic, time, stamp, frame_id  as in RecordedImage and Damage
    found      what description_to_json() returned; None: there is no description
    damage     why there is none, for people
    thumbnail  a small JPEG; see writing.base.Told
    """

    source: str
    topic: str = ""
    time: int | None = None
    stamp: int | None = None
    frame_id: str = ""
    found: dict[str, Any] | None = None
    damage: str = ""
    thumbnail: bytes = b""
    number: int = 0


_decode = msgspec.json.Decoder(Record).decode
_encode = msgspec.json.Encoder().encode


def encode_records(records: Sequence[Record]) -> bytes:
    """Return records as lines of JSON."""
    return b"".join(_encode(record) + b"\n" for record in records)


def decode_records(data: bytes) -> list[Record]:
    """Return the records of such lines."""
    return [_decode(line) for line in data.splitlines()]


class UnitRecords:
    """The records of one unit, in files of a store: each has those of about a second of work.

    A file's name says which items it has, and whether the last one of the unit is among them. If
    two machines work on the same unit, because one of them was taken for dead, files overlap; they
    have the same records, so it does not matter which one is read.
    """

    def __init__(self, store: Store, folder: str) -> None:
        """``folder`` is the unit's own, in the store."""
        self._store = store
        self._folder = folder

    def load(self) -> tuple[list[Record], bool]:
        """Return the records from the first one to the first gap, and whether that is all.

        A file that does not have what its name says, as after a power failure, is removed: what
        was in it is found again.
        """
        records: list[Record] = []
        for name, first, count, last in self._files():
            if first > len(records):
                break
            if first + count > len(records) or last:
                found = self._read(name)
                if len(found) != count:
                    self._store.remove(f"{self._folder}/{name}")
                    break
                records += found[len(records) - first :]
            if last:
                return records, True
        return records, False

    def add(self, first: int, records: Sequence[Record], *, last: bool) -> None:
        """Write records; ``first`` is the number of the first, ``last`` whether none follows."""
        end = ".end" if last else ""
        name = f"{first:06d}-{len(records):06d}{end}.jsonl"
        self._store.write(f"{self._folder}/{name}", encode_records(records))

    def progress(self) -> tuple[int, bool]:
        """Return how many records load() would return, and whether that is all; reads no file."""
        done = 0
        for _, first, count, last in self._files():
            if first > done:
                break
            done = max(done, first + count)
            if last:
                return done, True
        return done, False

    def _read(self, name: str) -> list[Record]:
        """Return the records in a file; none if it is damaged."""
        with suppress(msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return decode_records(self._store.read(f"{self._folder}/{name}"))
        return []

    def _files(self) -> Iterator[tuple[str, int, int, bool]]:
        for name in self._store.names(self._folder):
            if match := _NAME.fullmatch(name):
                yield name, int(match[1]), int(match[2]), bool(match[3])
