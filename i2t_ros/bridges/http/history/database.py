"""Results that are kept: a table in any database that SQLAlchemy reaches, and their pictures."""

from __future__ import annotations

import dataclasses
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from i2t_ros.bridges.http.history.pictures import PictureStore, open_store
from i2t_ros.bridges.http.settings import HistorySettings
from i2t_ros.errors import ServiceError
from i2t_ros.optional import needed_for

log = logging.getLogger("i2t_ros.history")


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """One result.

    id           its number; 0 before it has one
    key          hash of all that the answer depends on
    sha256       of the picture
    asked        options of the request that its description does not tell
    description  as description_to_json() writes it
    created      seconds since 1970
    picture      key of the kept picture; empty if it was not kept
    size         bytes of the kept picture
    """

    key: str
    sha256: str
    asked: dict[str, Any]
    description: dict[str, Any]
    created: float = 0.0
    picture: str = ""
    size: int = 0
    id: int = 0


class History:
    """The kept results. Blocks; call it in its own thread, and in no other.

    Raises ServiceError if the database fails.
    """

    def __init__(self, settings: HistorySettings, clock: Callable[[], float] = time.time) -> None:
        """Prepare; ``open`` connects. Raises BackendMissingError if SQLAlchemy is missing."""
        install = 'pip install "i2t_ros[history]", or apt install python3-sqlalchemy'
        with needed_for("a history", install):
            import sqlalchemy  # noqa: PLC0415
        self._sql = sqlalchemy
        self._settings = settings
        self._clock = clock
        self._store: PictureStore | None = None
        self._engine: Any = None
        self._table: Any = _table(sqlalchemy)

    def open(self) -> None:
        """Connect, and make the table if it is missing."""
        try:
            url = self._sql.engine.make_url(self._settings.database)
            if url.get_backend_name() == "sqlite" and url.database not in (None, "", ":memory:"):
                Path(url.database).expanduser().parent.mkdir(parents=True, exist_ok=True)
            self._engine = self._sql.create_engine(url, future=True, pool_pre_ping=True)
            self._table.metadata.create_all(self._engine)
            self._store = open_store(self._settings)
        except (self._sql.exc.SQLAlchemyError, ImportError, OSError) as error:
            self.close()
            raise ServiceError(f"the history cannot be opened: {error}") from error

    def close(self) -> None:
        """Disconnect. May be called more than once."""
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None

    def find(self, key: str) -> Entry | None:
        """Return the result with this key, which counts as used now."""
        entries = self._select(self._table.c.key == key)
        if entries:
            self._write(
                self._table.update()
                .where(self._table.c.id == entries[0].id)
                .values(used=self._clock())
            )
        return entries[0] if entries else None

    def get(self, number: int) -> Entry | None:
        """Return the result with this number."""
        entries = self._select(self._table.c.id == number)
        return entries[0] if entries else None

    def newest(self, limit: int, before: int = 0) -> list[Entry]:
        """Return the newest results, those with numbers below ``before`` if it is not 0."""
        clause = self._table.c.id < before if before else self._table.c.id > 0
        return self._select(clause, limit)

    def add(self, entry: Entry, picture: bytes) -> Entry:
        """Keep a result, its picture unless that is kept already; return it with its number.

        Then let go of what is too much or too old.
        """
        kept = self._store is not None
        if self._store is not None and not self._select(self._table.c.picture == entry.picture):
            try:
                self._store.put(entry.picture, picture)
            except OSError as error:
                raise ServiceError(f"the history's pictures: {error}") from error
        entry = replace(
            entry,
            created=self._clock(),
            picture=entry.picture if kept else "",
            size=len(picture) if kept else 0,
        )
        number = self._insert(entry)
        self._let_go()
        return replace(entry, id=number)

    def picture(self, entry: Entry) -> bytes | None:
        """Return the picture of a result, or None if it is not kept."""
        if self._store is None or not entry.picture:
            return None
        try:
            return self._store.get(entry.picture)
        except OSError as error:
            raise ServiceError(f"the history's pictures: {error}") from error

    def remove(self, number: int) -> bool:
        """Forget a result, and its picture if no other has it; return whether it was there."""
        entry = self.get(number)
        if entry is None:
            return False
        self._write(self._table.delete().where(self._table.c.id == number))
        shared = entry.picture and self._select(self._table.c.picture == entry.picture)
        if self._store is not None and entry.picture and not shared:
            try:
                self._store.delete(entry.picture)
            except OSError as error:
                log.warning("a picture that is kept no longer could not be deleted: %s", error)
        return True

    def _insert(self, entry: Entry) -> int:
        values = dataclasses.asdict(entry) | {"used": entry.created}
        del values["id"]
        # What the same question was answered before makes room for the newer answer.
        self._write(self._table.delete().where(self._table.c.key == entry.key))
        return int(self._write(self._table.insert().values(**values)).inserted_primary_key[0])

    def _let_go(self) -> None:
        """Remove the results that have gone unused longest, until the limits hold."""
        table, settings = self._table, self._settings
        stale = self._numbers(table.c.used < self._clock() - settings.max_age)
        for number in stale:
            self.remove(number)
        while True:
            count, size = self._totals()
            if count <= settings.max_results and size <= settings.max_bytes:
                return
            for number in self._numbers(table.c.id > 0, limit=max(1, count - settings.max_results)):
                self.remove(number)

    def _numbers(self, clause: Any, limit: int = 1000) -> list[int]:
        table = self._table
        query = self._sql.select(table.c.id).where(clause).order_by(table.c.used, table.c.id)
        return [row[0] for row in self._read(query.limit(limit))]

    def _totals(self) -> tuple[int, int]:
        """Return how many results there are, and the bytes of their pictures, each counted once."""
        table, sql = self._table, self._sql
        count = self._read(sql.select(sql.func.count()).select_from(table))[0][0]
        each = sql.select(table.c.picture, sql.func.max(table.c.size).label("size"))
        each = each.group_by(table.c.picture).subquery()
        size = self._read(sql.select(sql.func.sum(each.c.size)))[0][0]
        return int(count), int(size or 0)

    def _select(self, clause: Any, limit: int = 1) -> list[Entry]:
        table = self._table
        query = self._sql.select(table).where(clause).order_by(table.c.id.desc()).limit(limit)
        return [_entry(row._mapping) for row in self._read(query)]

    def _read(self, query: Any) -> list[Any]:
        try:
            with self._engine.connect() as connection:
                return list(connection.execute(query))
        except self._sql.exc.SQLAlchemyError as error:
            raise ServiceError(f"the history cannot be read: {error}") from error

    def _write(self, statement: Any) -> Any:
        try:
            with self._engine.begin() as connection:
                return connection.execute(statement)
        except self._sql.exc.SQLAlchemyError as error:
            raise ServiceError(f"the history cannot be written: {error}") from error


def _table(sql: Any) -> Any:
    return sql.Table(
        "i2t_descriptions",
        sql.MetaData(),
        sql.Column("id", sql.Integer, primary_key=True, autoincrement=True),
        sql.Column("key", sql.String(64), nullable=False, unique=True),
        sql.Column("sha256", sql.String(64), nullable=False),
        sql.Column("asked", sql.JSON, nullable=False),
        sql.Column("description", sql.JSON, nullable=False),
        sql.Column("created", sql.Float(53), nullable=False),
        sql.Column("used", sql.Float(53), nullable=False, index=True),
        sql.Column("picture", sql.String(80), nullable=False, index=True),
        sql.Column("size", sql.Integer, nullable=False),
        sqlite_autoincrement=True,  # numbers are not given twice
    )


def _entry(row: Any) -> Entry:
    return Entry(**{field.name: row[field.name] for field in dataclasses.fields(Entry)})
