"""Kept results: a table in any database that SQLAlchemy supports, and their pictures."""

import dataclasses
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from i2t_ros.bridges.http.history.pictures import PictureStore, open_store
from i2t_ros.bridges.http.settings import HistorySettings
from i2t_ros.optional import needed_for
from i2t_ros.resources import expanded

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

    failures  the errors that its methods raise if the database or the pictures' store fails
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
        self.failures: tuple[type[Exception], ...] = sqlalchemy.exc.SQLAlchemyError, OSError
        self.failures += (ImportError,)  # the database's driver is missing

    def open(self) -> None:
        """Connect, and make the table if it is missing."""
        url = self._sql.engine.make_url(self._settings.database)
        if url.get_backend_name() == "sqlite" and url.database not in (None, "", ":memory:"):
            expanded(url.database).parent.mkdir(parents=True, exist_ok=True)
        self._store = open_store(self._settings)
        if self._store is not None:
            self.failures += self._store.failures
        self._engine = self._sql.create_engine(url, future=True, pool_pre_ping=True)
        self._table.metadata.create_all(self._engine)

    def close(self) -> None:
        """Disconnect. May be called more than once."""
        if self._engine is not None:
            self._engine.dispose()

    def find(self, key: str) -> Entry | None:
        """Return the result with this key, which counts as used now."""
        entry = self._first(self._table.c.key == key)
        if entry is not None:
            update = self._table.update().where(self._table.c.id == entry.id)
            self._write(update.values(used=self._clock()))
        return entry

    def get(self, number: int) -> Entry | None:
        """Return the result with this number."""
        return self._first(self._table.c.id == number)

    def newest(self, limit: int, before: int = 0) -> list[Entry]:
        """Return the newest results, those with numbers below ``before`` if it is not 0."""
        return self._select(self._table.c.id < before if before else self._sql.true(), limit)

    def add(self, entry: Entry, picture: bytes) -> Entry:
        """Keep a result, its picture unless that is kept already; return it with its number.

        Then remove the results beyond the limits.
        """
        entry = replace(entry, created=self._clock(), size=len(picture))
        if self._store is None:
            entry = replace(entry, picture="", size=0)
        elif self._first(self._table.c.picture == entry.picture) is None:
            self._store.put(entry.picture, picture)
        values = dataclasses.asdict(entry) | {"used": entry.created}
        del values["id"]
        # What the same question was answered before makes room for the newer answer.
        self._write(self._table.delete().where(self._table.c.key == entry.key))
        number = self._write(self._table.insert().values(**values)).inserted_primary_key[0]
        self._remove_excess()
        return replace(entry, id=int(number))

    def picture(self, entry: Entry) -> bytes | None:
        """Return the picture of a result, or None if it is not kept."""
        return self._store.get(entry.picture) if self._store and entry.picture else None

    def remove(self, number: int) -> bool:
        """Remove a result, and its picture if no other has it; return whether it was there."""
        entry = self.get(number)
        if entry is None:
            return False
        self._write(self._table.delete().where(self._table.c.id == number))
        if (
            self._store
            and entry.picture
            and not self._first(self._table.c.picture == entry.picture)
        ):
            try:
                self._store.delete(entry.picture)
            except self._store.failures as error:
                log.warning("the picture of a removed result could not be deleted: %s", error)
        return True

    def _remove_excess(self) -> None:
        """Remove results that are too old, then those unused longest, until the limits hold."""
        settings = self._settings
        self._remove_unused(self._table.c.used < self._clock() - settings.max_age, 1000)
        while True:
            count, size = self._totals()
            if count <= settings.max_results and size <= settings.max_bytes:
                return
            self._remove_unused(self._sql.true(), max(1, count - settings.max_results))

    def _remove_unused(self, clause: Any, limit: int) -> None:
        """Remove at most ``limit`` results of a clause, first those unused longest."""
        columns = self._table.c
        query = self._sql.select(columns.id).where(clause).order_by(columns.used, columns.id)
        for (number,) in self._read(query.limit(limit)):
            self.remove(number)

    def _totals(self) -> tuple[int, int]:
        """Return how many results there are, and the bytes of their pictures, each counted once."""
        columns, sql = self._table.c, self._sql
        count, largest = sql.func.count().label("count"), sql.func.max(columns.size).label("size")
        each = sql.select(count, largest).group_by(columns.picture).subquery()
        (totals,) = self._read(sql.select(sql.func.sum(each.c.count), sql.func.sum(each.c.size)))
        return int(totals[0] or 0), int(totals[1] or 0)

    def _first(self, clause: Any) -> Entry | None:
        return next(iter(self._select(clause, 1)), None)

    def _select(self, clause: Any, limit: int) -> list[Entry]:
        columns = [self._table.c[field.name] for field in dataclasses.fields(Entry)]
        query = self._sql.select(*columns).where(clause).order_by(self._table.c.id.desc())
        return [Entry(*row) for row in self._read(query.limit(limit))]

    def _read(self, query: Any) -> list[Any]:
        with self._engine.connect() as connection:
            return list(connection.execute(query))

    def _write(self, statement: Any) -> Any:
        with self._engine.begin() as connection:
            return connection.execute(statement)


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
