"""detections.parquet: the rows of detections.jsonl in typed columns."""

import importlib
from typing import Any

from i2t_ros.installation import how_to_install
from i2t_ros.optional import needed_for
from i2t_ros.recordings.writing.base import Telling, Told, Writer
from i2t_ros.recordings.writing.jsonl import object_rows

GROUP = 32_768
"""Rows that are kept in memory, and then written together: about 20 MB."""

_TEXTS = ("source", "topic", "frame_id", "class_id", "label", "color")
_NUMBERS = {"seconds": "float64", "track_id": "int64"}
"""All others but the stamp are float32, as the detector has them."""
_COLUMNS = (
    *("source", "topic", "seconds", "stamp", "frame_id", "class_id", "label", "score"),
    *("left", "top", "right", "bottom", "track_id", "distance", "x", "y", "z", "color"),
)


class ParquetWriter(Writer):
    """Writes one row an object; without any object, the columns alone."""

    def __init__(self, telling: Telling) -> None:
        """See Writer."""
        with needed_for("writing Parquet", how_to_install("recordings")):
            self._arrow: Any = importlib.import_module("pyarrow")
            parquet: Any = importlib.import_module("pyarrow.parquet")
        self._schema = self._arrow.schema([(name, self._type(name)) for name in _COLUMNS])
        path = telling.path("detections", "parquet")
        self._file = parquet.ParquetWriter(path, self._schema, compression="zstd")
        self._rows: list[dict[str, Any]] = []

    def image(self, told: Told) -> None:
        """See Writer."""
        self._rows += object_rows(told)
        while len(self._rows) >= GROUP:
            self._write(self._rows[:GROUP])
            del self._rows[:GROUP]

    def close(self) -> None:
        """See Writer."""
        if self._rows:
            self._write(self._rows)
        self._file.close()

    def _write(self, rows: list[dict[str, Any]]) -> None:
        table = self._arrow.Table.from_pylist(rows, schema=self._schema)
        self._file.write_table(table, row_group_size=GROUP)

    def _type(self, name: str) -> Any:
        arrow = self._arrow
        if name in _TEXTS:
            return arrow.dictionary(arrow.int32(), arrow.string())
        if name == "stamp":
            return arrow.timestamp("ns", tz="UTC")
        return getattr(arrow, _NUMBERS.get(name, "float32"))()
