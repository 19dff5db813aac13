"""Descriptions on the console: one table for each task that found something."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence

from i2t_ros import language as words
from i2t_ros.pipeline.description_json import LANDMARKS, hex_color
from i2t_ros.types import Description, Faces, TextRegion

Row = Sequence[str]


def print_tables(description: Description) -> None:
    """Print what was found, a line each; positions are in pixels of the picture."""
    for table in _tables(description):
        if len(table) > 1:
            print()
            _print(table)
    print(f"\n{description.model}, {1000 * description.elapsed:.1f} ms")


def _tables(description: Description) -> Iterator[list[Row]]:
    scene, language = description.scene, description.language
    if (found := scene.detections) is not None:
        yield [
            ("object", "score", "left", "top", "right", "bottom"),
            *(
                (words.label(found.label(i), language), f"{found.scores[i]:.2f}", *_sides(box))
                for i, box in enumerate(found.boxes.tolist())
            ),
        ]
    if (classes := scene.classification) is not None:
        yield [
            ("class", "score"),
            *(
                (words.label(label, language), f"{score:.2f}")
                for label, score in zip(classes.labels, classes.scores, strict=True)
            ),
        ]
    if scene.faces is not None:
        yield _faces(scene.faces)
    yield [("text", "score", "letters", "on", "left", "top"), *map(_text, scene.texts or ())]


def _faces(faces: Faces) -> list[Row]:
    header: Row = ("face", "score", "left", "top", "right", "bottom")
    rows: list[Row] = [
        (str(i + 1), f"{faces.scores[i]:.2f}", *_sides(box))
        for i, box in enumerate(faces.boxes.tolist())
    ]
    if faces.landmarks is not None:
        header = (*header, *(name.replace("_", " ") for name in LANDMARKS))
        rows = [
            (*row, *(f"{x:.0f},{y:.0f}" for x, y in points))
            for row, points in zip(rows, faces.landmarks.tolist(), strict=True)
        ]
    return [header, *rows]


def _text(region: TextRegion) -> Row:
    text = region.text + (f" ({region.translation})" if region.translation else "")
    left, top = region.corners[0].tolist()
    colors = hex_color(region.text_color), hex_color(region.background_color)
    return (text, f"{region.score:.2f}", *colors, f"{left:.0f}", f"{top:.0f}")


def _sides(box: Sequence[float]) -> Row:
    return [f"{side:.0f}" for side in box]


def _print(table: Sequence[Row]) -> None:
    """Print rows with their first column to the left and the others to the right."""
    widths = [max(map(_columns, column)) for column in zip(*table, strict=True)]
    for first, *others in table:
        cells = [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
        print("  ".join([first + " " * (widths[0] - _columns(first)), *cells]))


def _columns(text: str) -> int:
    """Return how wide a console shows a text: letters of Chinese, Japanese and Korean take two."""
    return sum(1 + (unicodedata.east_asian_width(c) in "WF") for c in text)
