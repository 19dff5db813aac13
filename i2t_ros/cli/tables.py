"""Prints descriptions: one table for each task that found something."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from i2t_ros.pipeline.description_json import label_of
from i2t_ros.pipeline.tasks.registry import TASKS
from i2t_ros.types import Description

Row = Sequence[str]


def print_tables(description: Description) -> None:
    """Print each result on a line; positions are in pixels of the picture."""
    results, label = description.scene.results, label_of(description)
    for name, task in TASKS.items():
        table = task.table(results[name], label) if name in results else []
        if len(table) > 1:
            print()
            _print(table)
    print(f"\n{description.model}, {1000 * description.elapsed:.1f} ms")


def _print(table: Sequence[Row]) -> None:
    """Print rows with the first column aligned left and the others aligned right."""
    widths = [max(map(_columns, column)) for column in zip(*table, strict=True)]
    for first, *others in table:
        cells = [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
        print("  ".join([first + " " * (widths[0] - _columns(first)), *cells]))


def _columns(text: str) -> int:
    """Return the width of a text in columns: Chinese, Japanese and Korean letters take two."""
    return sum(1 + (unicodedata.east_asian_width(c) in "WF") for c in text)
