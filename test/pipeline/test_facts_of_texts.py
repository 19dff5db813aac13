from __future__ import annotations

import numpy as np

from i2t_ros.pipeline.tasks.text import TextFact, TextRegion, TextTask, reading_order


def line(text: str, x: float, y: float, height: float = 10, width: float = 50) -> TextRegion:
    corners = np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height]])
    return TextRegion(corners, text, 0.9, (0, 0, 0), (255, 255, 255))


def test_text_is_read_by_rows_even_where_they_tremble() -> None:
    first, second = line("one", 0, 4), line("two", 100, 0)
    third, fourth = line("three", 0, 22), line("four", 100, 25)

    for order in ([0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]):
        regions = [[first, second, third, fourth][i] for i in order]
        assert [region.text for region in reading_order(regions)] == ["one", "two", "three", "four"]


def test_a_text_without_height_is_read_too() -> None:
    flat = [line("b", 100, 0, height=0), line("a", 0, 0, height=0)]

    assert {region.text for region in reading_order(flat)} == {"a", "b"}


def test_the_largest_lines_are_read_and_the_others_counted() -> None:
    regions = [line(f"line {i}", 0, 30 * i, height=10 + i) for i in range(9)]
    found = TextTask().facts(regions, (600, 400), "sentence")

    assert [fact.key for fact in found.found] == [f"line {i}" for i in range(3, 9)]
    assert found.more == 3


def test_text_is_cleaned_and_blank_lines_are_not_text() -> None:
    regions = (line(" STOP\n\u0000 here ", 0, 0), line(" \t", 0, 30))
    found = TextTask().facts(regions, (600, 400), "sentence")

    assert found.found == (TextFact("STOP here"),)
    assert found.more == 0
