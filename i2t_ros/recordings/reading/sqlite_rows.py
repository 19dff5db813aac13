"""The messages of a .db3 file of rosbag2, row by row.

A row is looked up by its number, so that a page that is damaged costs the messages on it and no
others. If the index of the times is damaged, all rows are looked up.
"""

import sqlite3
from bisect import bisect_left
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from i2t_ros.recordings.base import SECOND
from i2t_ros.recordings.reading.bag_parts import (
    LATEST_TIME,
    DamagedPartError,
    FileIndex,
    FileReading,
    Found,
    Part,
    Stretch,
    Topic,
    Trouble,
)

WINDOW = 10 * SECOND
"""Nanoseconds of rows that are put into order at once."""
STRETCH = 60 * SECOND
MOST_STRETCHES = 1_000_000
"""Of a minute each: almost two years."""
MOST_ROWS = 1_000_000
"""Rows in a window."""
MOST_SCANNED = 5_000_000
"""Rows that are looked up one by one if the index is damaged."""
MOST_TRIES = 100_000
"""Rows in succession that cannot be read, before the rest is given up."""


def read_index(path: Path) -> FileIndex:
    """Return what is in a file; raises DamagedPartError, OSError."""
    reading = SqliteReading(path)
    try:
        topics = {topic.name: topic for topic in reading.topics.values()}
        return FileIndex(topics, [Stretch(*times, None) for times in reading.stretches()])
    finally:
        reading.close()


class _Gap(NamedTuple):
    """Rows that cannot be read, and the times of the rows around them."""

    after: int
    before: int
    what: str


class SqliteReading(FileReading):
    """See FileReading. ``topics`` are by the numbers that they have in the file."""

    def __init__(self, path: Path) -> None:
        """Open a file; raises DamagedPartError if it is no database of rosbag2."""
        self._scanned: list[tuple[int, int]] | None = None
        self._gaps: list[_Gap] = []
        self._size = path.stat().st_size
        # With a journal, the recorder was killed, and its last messages are in there.
        waiting = path.with_name(f"{path.name}-wal")
        how = "mode=ro" if waiting.exists() and waiting.stat().st_size else "immutable=1"
        self._database = sqlite3.connect(f"file:{quote(str(path))}?{how}", uri=True)
        try:
            self._database.text_factory = lambda data: data.decode("utf-8", "replace")
            self._database.execute("PRAGMA trusted_schema=OFF")
            # Nothing is written, but a file that was cut off is read as far as it goes.
            self._database.execute("PRAGMA writable_schema=ON")
            self.topics = self._read_topics()
        except sqlite3.Error as error:
            self.close()
            raise DamagedPartError(f"it cannot be opened as a database: {error}") from error
        except DamagedPartError:
            self.close()
            raise

    def stretches(self) -> Iterator[tuple[int, int]]:
        """Yield the times of the first and the last message of each minute that has one."""
        order = "SELECT timestamp FROM messages WHERE timestamp >= ? AND timestamp < ?"
        at = 0
        for _ in range(MOST_STRETCHES):
            try:
                first = self._rows(f"{order} ORDER BY timestamp LIMIT 1", at, LATEST_TIME - 1)
                if not first:
                    return
                start = int(first[0][0])
                last = f"{order} ORDER BY timestamp DESC LIMIT 1"
                yield start, int(self._rows(last, start, start + STRETCH)[0][0])
                at = start + STRETCH
            except sqlite3.Error:
                rest = [time for time, _ in self._scan() if time >= at]
                minutes = {time // STRETCH: time for time in reversed(rest)}
                latest = {time // STRETCH: time for time in rest}
                yield from sorted((first, latest[n]) for n, first in minutes.items())
                return

    def find(
        self, topics: Collection[str], start: int, end: int, since: int, *, few: bool = False
    ) -> Iterator[Part]:
        """See FileReading.find."""
        at = max(start, 0)
        end = min(end, LATEST_TIME - 1)
        while at < end:
            rows, gaps, upto = self._window(at, end)
            if len(rows) > MOST_ROWS:
                rows = rows[:MOST_ROWS]
                yield Trouble(at, "", f"more than {MOST_ROWS} messages within ten seconds")
            parts: list[Part] = [*gaps, *(part for row in rows for part in self._part(row, topics))]
            yield from sorted(parts, key=lambda part: part[:2])
            at = upto

    def read(self, found: Found) -> memoryview:
        """See FileReading.read."""
        number = found.place[1]
        try:
            rows = self._rows("SELECT data FROM messages WHERE id = ?", number)
        except sqlite3.Error as error:
            raise DamagedPartError(f"message {number}: {error}") from error
        if not rows or not isinstance(rows[0][0], bytes):
            raise DamagedPartError(f"message {number} has no bytes")
        return memoryview(rows[0][0])

    def close(self) -> None:
        """See FileReading.close."""
        self._database.close()

    def _rows(self, query: str, *values: Any) -> list[Any]:
        return self._database.execute(query, values).fetchall()

    def _read_topics(self) -> dict[int, Topic]:
        tables = dict(self._rows("SELECT name, sql FROM sqlite_master WHERE type = 'table'"))
        if not {"topics", "messages"} <= tables.keys() or "VIRTUAL" in str(tables):
            raise DamagedPartError("expected the tables topics and messages")
        for name in ("topics", "messages"):
            # A view or a computed column, whatever it is called, may go on without end.
            computed = any(row[6] for row in self._rows(f"PRAGMA table_xinfo({name})"))
            if computed or not str(tables[name]).upper().startswith("CREATE TABLE"):
                raise DamagedPartError(f"expected a plain table {name}")
        columns = {row[1] for row in self._rows("PRAGMA table_info(topics)")}
        newer = ("offered_qos_profiles", "type_description_hash")
        names = ["id", "name", "type", "serialization_format"]
        names += [name if name in columns else "''" for name in newer]
        definitions = {}
        if "message_definitions" in tables:
            found = "SELECT topic_type, encoding, encoded_message_definition"
            rows = self._rows(f"{found} FROM message_definitions ORDER BY id")
            definitions = {kind: (encoding, text) for kind, encoding, text in rows}
        topics = {}
        for row in self._rows(f"SELECT {', '.join(names)} FROM topics ORDER BY id"):  # noqa: S608
            number, name, kind, packing, qos, digest = row
            about = definitions.get(kind, ("", ""))
            texts = [str(text or "") for text in (name, kind, *about, qos, digest, packing)]
            topics[int(number)] = Topic(*texts)
        return topics

    def _window(self, start: int, end: int) -> tuple[list[tuple[int, int]], list[Trouble], int]:
        """Return times and numbers of the next rows, what is missing, and up to which time."""
        order = "FROM messages WHERE timestamp >= ? AND timestamp < ? ORDER BY timestamp"
        try:
            first = self._rows(f"SELECT timestamp {order} LIMIT 1", start, end)
            if not first:
                return [], [], end
            upto = min(end, int(first[0][0]) + WINDOW)
            query = f"SELECT timestamp, id {order}, id LIMIT {MOST_ROWS + 1}"
            return self._rows(query, start, upto), [], upto
        except sqlite3.Error:
            found = self._scan()
        gaps = [
            Trouble(max(gap.after, start), "", gap.what)
            for gap in self._gaps
            if gap.after < end and gap.before >= start
        ]
        low, high = bisect_left(found, (start, -1)), bisect_left(found, (end, -1))
        return found[low:high], gaps, end

    def _part(self, row: tuple[int, int], topics: Collection[str]) -> Iterator[Part]:
        time, number = row
        try:
            rows = self._rows("SELECT topic_id FROM messages WHERE id = ?", number)
        except sqlite3.Error as error:
            yield Trouble(time, "", f"message {number}: {error}")
            return
        topic = self.topics.get(rows[0][0]) if rows else None
        if topic is not None and topic.name in topics:
            yield Found(time, topic.name, (0, number), time)

    def _scan(self) -> list[tuple[int, int]]:
        """Return times and numbers of all rows that can be read, in order."""
        if self._scanned is not None:
            return self._scanned
        found: list[tuple[int, int]] = []
        number = tried = time = 0
        query = "SELECT timestamp, id FROM messages NOT INDEXED WHERE id > ? ORDER BY id"
        # A row has 20 bytes or more.
        while number <= self._size // 20 and tried < MOST_TRIES and len(found) < MOST_SCANNED:
            try:
                for when, row in self._database.execute(query, (number,)):
                    if tried:
                        what = f"messages {number - tried + 1} to {row - 1} are damaged"
                        self._gaps.append(_Gap(time, when if isinstance(when, int) else time, what))
                    number, tried = max(row, number + 1), 0
                    if isinstance(when, int) and 0 <= when < LATEST_TIME:
                        time = when
                        found.append((time, row))
                    if len(found) >= MOST_SCANNED:
                        break
                break
            except sqlite3.Error:
                number, tried = number + 1, tried + 1
        if tried:
            what = f"messages from {number - tried + 1} on are damaged"
            self._gaps.append(_Gap(time, LATEST_TIME, what))
        self._scanned = sorted(found)
        return self._scanned
