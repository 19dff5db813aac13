"""Kept results: a table in any database that SQLAlchemy supports, and their pictures."""

import dataclasses
import hashlib
import json
import logging
import re
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from i2t_ros.bridges.http.history.pictures import KEY, PictureStore, open_store, picture_key
from i2t_ros.bridges.http.settings import HistorySettings
from i2t_ros.errors import I2tError, InvalidRequestError
from i2t_ros.installation import how_to_install
from i2t_ros.optional import can_import, needed_for
from i2t_ros.options import from_values
from i2t_ros.pipeline.description_json import description_from_json
from i2t_ros.resources import expanded
from i2t_ros.types import DescribeRequest, Picture

log = logging.getLogger("i2t_ros.history")

TABLE = "i2t_descriptions"
MAX_SIZE = 2**31 - 1  # bytes of a picture
UNREADABLE = (
    LookupError, TypeError, ValueError, AttributeError, OverflowError, RecursionError, I2tError
)  # fmt: skip
"""What reading a row raises that this package has not written, or a newer one."""
DRIVERS: Mapping[str, Mapping[str, str]] = {
    "postgresql": {"psycopg": "psycopg", "psycopg2": "psycopg2"},
    "mysql": {"pymysql": "pymysql", "mysqldb": "MySQLdb"},
    "mariadb": {"pymysql": "pymysql", "mysqldb": "MySQLdb"},
}
"""Database of a URL that names no driver -> drivers for it, the first that is installed; and the
module of each."""
_MYSQL = {"connect_timeout": 5, "read_timeout": 10, "write_timeout": 10}
_POSTGRESQL = {"connect_timeout": 5, "tcp_user_timeout": 10_000}
TIME_LIMITS: Mapping[str, Mapping[str, int]] = {
    "pymysql": _MYSQL,
    "mysqldb": _MYSQL,
    "psycopg": _POSTGRESQL,
    "psycopg2": _POSTGRESQL,
    "pysqlite": {"timeout": 5},
}
"""Driver -> its names for time limits: seconds, but for PostgreSQL's last one: milliseconds."""


SHA256 = re.compile("[0-9a-f]{64}")
_KINDS = {"width": int, "height": int} | dict.fromkeys(
    ("sentence", "language", "style", "model"), str
)
"""The types of what a description has always."""


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
    drawing      key of the kept annotated picture; empty if none was asked for, or it was not kept
    drawing_size  bytes of the kept annotated picture
    """

    key: str
    sha256: str
    asked: dict[str, Any]
    description: dict[str, Any]
    created: float = 0.0
    picture: str = ""
    size: int = 0
    drawing: str = ""
    drawing_size: int = 0
    id: int = 0


class History:
    """The kept results. Blocks; call it in its own thread, and in no other.

    failures  the errors that its methods raise if the database or the pictures' store fails
    """

    def __init__(self, settings: HistorySettings, clock: Callable[[], float] = time.time) -> None:
        """Prepare; ``open`` connects. Raises BackendMissingError if SQLAlchemy is missing."""
        with needed_for("a history", how_to_install("history")):
            import sqlalchemy  # noqa: PLC0415
        self._sql = sqlalchemy
        self._settings = settings
        self._clock = clock
        self._store: PictureStore | None = None
        self._engine: Any = None
        self._table: Any = _table(sqlalchemy)
        self._unreadable: set[int] = set()  # the numbers of results of which the log has told
        self.failures: tuple[type[Exception], ...] = sqlalchemy.exc.SQLAlchemyError, OSError

    def check(self) -> None:
        """Raise InvalidRequestError if the URL can never work: it is none, or has no driver."""
        try:
            dialect = self._url().get_dialect()
            (getattr(dialect, "import_dbapi", None) or dialect.dbapi)()  # SQLAlchemy 2, 1.4
        except (self._sql.exc.ArgumentError, ValueError, ImportError) as error:
            raise InvalidRequestError(f"http_history_database: {error}") from None

    def open(self) -> None:
        """Connect, and make the table, or its newer columns, if they are missing.

        May be called again, to connect anew.
        """
        self.close()
        url = self._url()
        if url.get_backend_name() == "sqlite" and url.database not in (None, "", ":memory:"):
            path = expanded(url.database)
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.touch(mode=0o600)  # for this user alone; SQLite's other files are like it
            url = url.set(database=str(path))
        self._store = open_store(self._settings)
        if self._store is not None:
            self.failures = self._sql.exc.SQLAlchemyError, OSError, *self._store.failures
        limits = TIME_LIMITS.get(url.get_driver_name(), {})
        self._engine = self._sql.create_engine(
            url,
            future=True,
            pool_pre_ping=True,
            connect_args={name: limits[name] for name in limits if name not in url.query},
        )
        if url.get_backend_name() == "sqlite":
            self._sql.event.listen(self._engine, "connect", _read_any_text)
        self._table.metadata.create_all(self._engine)
        there = {column["name"] for column in self._sql.inspect(self._engine).get_columns(TABLE)}
        for column in self._table.c:
            if column.name not in there:
                made = self._sql.schema.CreateColumn(column).compile(self._engine)
                self._write(self._sql.text(f"ALTER TABLE {TABLE} ADD COLUMN {made}"))

    def _url(self) -> Any:
        """Return the database's URL with a driver that is installed, unless it names one itself."""
        try:
            url = self._sql.engine.make_url(self._settings.database)
        except (self._sql.exc.ArgumentError, ValueError):  # its message may hold the password
            raise ValueError(
                "the database's URL is not one that SQLAlchemy reads; expected one such as "
                "mysql+pymysql://user:password@host/robot"
            ) from None
        drivers = DRIVERS.get(url.drivername)
        if drivers is None:
            return url
        for driver, module in drivers.items():
            if can_import(module):
                return url.set(drivername=f"{url.drivername}+{driver}")
        first = next(iter(drivers))  # psycopg without its binary part needs a library of the system
        install = how_to_install("psycopg[binary]" if first == "psycopg" else first)
        raise ImportError(f"no driver for {url.drivername}: {install}")

    def close(self) -> None:
        """Disconnect. May be called more than once."""
        if self._engine is not None:
            self._engine.dispose()

    def find(self, key: str, picture: Picture | None = None) -> Entry | None:
        """Return the result with this key, which counts as used now.

        Its ``picture`` is put into the store again if it has gone from there.
        """
        entry = self._first(self._table.c.key == key)
        if entry is not None:
            update = self._table.update().where(self._table.c.id == entry.id)
            self._write(update.values(used=self._clock()))
            if self._store and picture and entry.picture and not self._store.has(entry.picture):
                self._store.put(entry.picture, bytes(picture))
        return entry

    def get(self, number: int) -> Entry | None:
        """Return the result with this number."""
        return self._first(self._table.c.id == number)

    def newest(self, limit: int, before: int = 0) -> list[Entry]:
        """Return the newest results, those with numbers below ``before`` if it is not 0."""
        found: list[Entry] = []
        while len(found) < limit:
            rows = self._rows(self._table.c.id < before if before else self._sql.true(), limit)
            found += self._readable(rows)
            if len(rows) < limit:
                break
            before = rows[-1].id
        return found[:limit]

    def add(
        self, entry: Entry, picture: Picture | bytes, drawing: Picture | None = None
    ) -> Entry | None:
        """Keep a result and its pictures, each once; return it with its number.

        What the same question was answered before makes room for it. Then remove the results
        beyond the limits: None if that is this one.

        A picture is never kept without its result, where nobody would count or remove it, even if
        the process is killed: the result comes first, and goes last.
        """
        entry = self._with_drawing(replace(entry, created=self._clock()), drawing)
        if self._store is None:
            entry = replace(entry, picture="")
        entry = replace(entry, size=len(picture) if entry.picture else 0)
        values = dataclasses.asdict(entry) | {"used": entry.created}
        del values["id"]
        same = self._table.c.key == entry.key
        self._discard(same, but={entry.picture, entry.drawing})
        with self._engine.begin() as connection:
            connection.execute(self._table.delete().where(same))
            added = connection.execute(self._table.insert().values(**values))
        number = int(added.inserted_primary_key[0])
        try:
            self._keep(entry.picture, picture)
            self._keep(entry.drawing, drawing)
        except self.failures:
            self.remove(number)
            raise
        self._remove_excess()
        return self.get(number)

    def add_drawing(self, entry: Entry, drawing: Picture) -> Entry | None:
        """Keep the annotated picture of a result; return it with that, None if it is removed."""
        entry = self._with_drawing(entry, drawing)
        update = self._table.update().where(self._table.c.id == entry.id)
        values = {"drawing": entry.drawing, "drawing_size": entry.drawing_size}
        if self._write(update.values(**values)).rowcount:
            self._keep(entry.drawing, drawing)
        self._remove_excess()
        return self.get(entry.id)

    def picture(self, key: str) -> bytes | None:
        """Return a picture or drawing by its key, or None if it is not kept.

        A damaged one, such as an empty file after a loss of power, is removed, to be kept anew.
        """
        data = self._store.get(key) if self._store and key else None
        if data is None or hashlib.sha256(data).hexdigest() == key[:64]:
            return data
        log.warning("the kept picture %s is damaged, and is removed", key)
        self._delete(key)
        return None

    def remove(self, number: int) -> bool:
        """Remove a result, and its pictures if no other has them; return whether it was there."""
        this = self._table.c.id == number
        self._discard(this)
        return bool(self._write(self._table.delete().where(this)).rowcount)

    def _with_drawing(self, entry: Entry, drawing: Picture | None) -> Entry:
        if self._store is None or drawing is None:
            return replace(entry, drawing="", drawing_size=0)
        return replace(entry, drawing=picture_key(drawing), drawing_size=len(drawing))

    def _keep(self, key: str, picture: Picture | bytes | None) -> None:
        """Put a picture into the store unless it is there; others may have removed it."""
        if self._store and key and picture is not None and not self._store.has(key):
            self._store.put(key, bytes(picture))

    def _discard(self, clause: Any, but: Collection[str] = ()) -> None:
        """Delete the pictures, ``but`` some, of the results of a clause that no other has."""
        if self._store is None:
            return
        columns, sql = self._table.c, self._sql
        for number, *keys in self._read(
            sql.select(columns.id, columns.picture, columns.drawing).where(clause)
        ):
            for key in {key for key in keys if KEY.fullmatch(str(key))}.difference(but):
                has_it = (columns.picture == key) | (columns.drawing == key)
                if self._read(sql.select(columns.id).where(has_it, columns.id != number).limit(1)):
                    continue
                self._delete(key)

    def _delete(self, key: str) -> None:
        assert self._store is not None  # noqa: S101 (or there are no pictures)
        try:
            self._store.delete(key)
        except self._store.failures as error:
            log.warning("a picture that is not needed could not be deleted: %s", error)

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

        def bytes_of(column: Any) -> Any:  # others may have written anything into the database
            return sql.case((column.between(0, MAX_SIZE), column), else_=0)

        drawings = sql.select(columns.drawing, bytes_of(columns.drawing_size))
        pictures = sql.select(columns.picture, bytes_of(columns.size).label("size"))
        kept = pictures.union(drawings).subquery()
        (count,) = self._read(sql.select(sql.func.count()).select_from(self._table))
        (size,) = self._read(sql.select(sql.func.sum(kept.c.size)))
        return int(count[0]), int(size[0] or 0)

    def _first(self, clause: Any) -> Entry | None:
        return next(self._readable(self._rows(clause, 1)), None)

    def _rows(self, clause: Any, limit: int) -> list[Any]:
        """Return the newest rows of a clause, with the fields of an Entry; JSON is still a text."""
        columns, sql = self._table.c, self._sql
        raw = {
            name: sql.type_coerce(columns[name], sql.Text).label(name)
            for name in ("asked", "description")
        }
        fields = [raw.get(field.name, columns[field.name]) for field in dataclasses.fields(Entry)]
        query = sql.select(*fields).where(clause).order_by(columns.id.desc())
        return self._read(query.limit(limit))

    def _readable(self, rows: Iterable[Any]) -> Iterator[Entry]:
        """Yield what can be read of rows. Others may have written into the database."""
        for row in rows:
            try:
                yield _entry(row)
            except UNREADABLE as error:
                if row.id not in self._unreadable:
                    self._unreadable.add(row.id)
                    log.warning("result %s is left out: it cannot be read: %r", row.id, error)

    def _read(self, query: Any) -> list[Any]:
        with self._engine.connect() as connection:
            return list(connection.execute(query))

    def _write(self, statement: Any) -> Any:
        with self._engine.begin() as connection:
            return connection.execute(statement)


def _entry(row: Any) -> Entry:
    """Return the result of a row; raises one of UNREADABLE."""
    values = dict(row._mapping)
    for name in ("asked", "description"):  # psycopg has read them already
        if isinstance(values[name], str):
            values[name] = json.loads(values[name])
    entry = Entry(**{**values, "created": float(values["created"])})
    description = entry.description
    for name, kind in _KINDS.items():
        if type(description[name]) is not kind:
            raise TypeError(f"{name} is no {kind.__name__}")
    from_values(DescribeRequest, {**entry.asked})
    description_from_json(description)
    if not SHA256.fullmatch(entry.sha256):
        raise ValueError("not a hash")
    if not all(not key or KEY.fullmatch(key) for key in (entry.picture, entry.drawing)):
        raise ValueError("not a picture's key")
    # What JSON has no form for, also in what is not looked at here: 1e999, half a character.
    shown = [entry.created, entry.asked, description]
    json.dumps(shown, allow_nan=False, ensure_ascii=False).encode()
    return entry


def _read_any_text(connection: Any, _: object) -> None:
    """Have SQLite return texts that are no UTF-8: by default one of them fails the whole query."""
    connection.text_factory = lambda text: text.decode(errors="replace")


def _table(sql: Any) -> Any:
    return sql.Table(
        TABLE,
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
        sql.Column("drawing", sql.String(80), nullable=False, server_default="", index=True),
        sql.Column("drawing_size", sql.Integer, nullable=False, server_default="0"),
        sqlite_autoincrement=True,  # numbers are not given twice
    )
