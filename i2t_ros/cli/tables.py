"""What is found, on the console: tables for people, an object for JSON."""

import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from i2t_ros.pipeline.description_json import description_to_json, reply_to_json
from i2t_ros.pipeline.tasks.registry import TASKS
from i2t_ros.types import DescribeReply, Description, Picture

MOST_POINTS = 5
"""A row has the landmarks of a face, but not the key points of a body."""
HIDDEN = ("class_id", "polygons")
"""Keys that tables leave out: the label is the class in the language asked for, and hundreds of
points make no column."""


def print_tables(description: Description) -> None:
    """Print what each task found, with one thing on a line; positions are pixels of the picture."""
    found = description_to_json(description)
    for name in dict.fromkeys(name for task in TASKS.values() for name in task.result_json):
        things = found[name]
        if isinstance(things, list) and things:
            rows = [_cells(thing) for thing in things]
            heads = dict.fromkeys(head for row in rows for head, cell in row.items() if cell)
            print(f"\n{name}:")
            print_table([[*heads], *([row.get(head, "") for head in heads] for row in rows)])
        elif things not in (None, []):
            print(f"\n{name}: {things}")
    print(f"\n{description.model}, {1000 * description.elapsed:.1f} ms")


def reply_object(
    reply: DescribeReply, picture: Picture | None, receive: float = 0.0, saved: Path | None = None
) -> dict[str, Any]:
    """Return a reply with the keys that it has over HTTP, for JSON.

    receive  seconds that reading the picture took
    saved    the path of the drawing, which is ``annotated``
    """
    total = receive + reply.description.elapsed
    return {
        **reply_to_json(reply, picture),
        "annotated": str(saved) if saved else None,
        "history": None,
        "timings_ms": {"receive": round(1000 * receive, 2), "total": round(1000 * total, 2)},
    }


def printable(text: str) -> str:
    """Return a text on one line, which cannot steer the terminal: names of files, models' words."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def print_table(rows: Sequence[Sequence[str]]) -> None:
    """Print rows, the first being the heads of the columns."""
    widths = [max(map(_width, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = zip(row, widths, strict=True)
        print("  ".join(cell + " " * (width - _width(cell)) for cell, width in cells).rstrip())


def _cells(thing: dict[str, Any]) -> dict[str, str]:
    """Return the row of one thing, by the heads of the columns.

    What would fill the screen is left to JSON: outlines, and more than a few points.
    """
    cells: dict[str, str] = {}
    for name, value in thing.items():
        if isinstance(value, dict):
            cells |= _cells(value) if len(value) <= MOST_POINTS else {}
        elif name not in HIDDEN:
            cells[name.replace("_", " ")] = _text(value)
    return cells


def _text(value: Any) -> str:
    if isinstance(value, list):
        return (" " if value and isinstance(value[0], list) else ",").join(map(_text, value))
    if isinstance(value, float):
        return f"{value:g}"
    return "" if value is None else str(value)


def _width(text: str) -> int:
    """Return the width of a text in columns: Chinese, Japanese and Korean letters take two."""
    return sum(1 + (unicodedata.east_asian_width(c) in "WF") for c in text)
