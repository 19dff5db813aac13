"""A table of objects as CSV (RFC 4180): one row an object, for spreadsheets and scripts."""

import csv
import sys
from typing import Any, TypeAlias

from i2t_ros.cli.inputs import Shot
from i2t_ros.cli.tables import printable
from i2t_ros.errors import InvalidRequestError
from i2t_ros.pipeline.describe_options import DescribeOptions
from i2t_ros.pipeline.description_json import description_to_json
from i2t_ros.pipeline.tasks.registry import TASKS
from i2t_ros.types import Description

HEADS = (
    *("source", "seconds", "class_id", "label", "score", "left", "top", "right", "bottom"),
    *("track_id", "distance", "x", "y", "z", "color"),
)
FORMULA = "=+-@"
"""What a spreadsheet takes for a formula if a text begins with it; see
https://owasp.org/www-community/attacks/CSV_Injection."""

Cell: TypeAlias = "str | float | None"


def check_objects(options: DescribeOptions) -> None:
    """Raise InvalidRequestError if no task of the options finds objects."""
    finders = [name for name, task in TASKS.items() if "detections" in task.result_json]
    if not set(finders) & set(options.tasks):
        raise InvalidRequestError(
            f"--csv: expected a task that finds objects ({', '.join(finders)}), "
            f"got {', '.join(options.tasks)}"
        )


def print_heads() -> None:
    """Print the row with the names of the columns."""
    csv.writer(sys.stdout).writerow(HEADS)


def print_objects(shot: Shot, description: Description) -> None:
    """Print a row for each object, the best first; what is not known is empty."""
    where = {"source": shot.name, "seconds": shot.where.get("time")}
    rows = csv.DictWriter(sys.stdout, HEADS)
    for found in description_to_json(description)["detections"] or ():
        rows.writerow({name: _cell(value) for name, value in (where | _columns(found)).items()})


def _columns(found: dict[str, Any]) -> dict[str, Cell]:
    """Return an object of the JSON with a column for each number of its box and position."""
    sides = zip(("left", "top", "right", "bottom"), found["box"], strict=True)
    place = zip("xyz", found.get("position") or (None,) * 3, strict=True)
    others = {name: value for name, value in found.items() if name in HEADS}
    return {**others, **dict(sides), **dict(place)}


def _cell(value: Cell) -> Cell:
    """Return a value that neither a terminal nor a spreadsheet takes for a command.

    A text that would be a formula begins with an apostrophe, as users write such texts there.
    """
    if not isinstance(value, str):
        return value
    text = printable(value)
    return f"'{text}" if text[:1] in FORMULA and len(text) > 1 else text
