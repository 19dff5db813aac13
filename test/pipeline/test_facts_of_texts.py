from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from making import scene_of
from scene_words import compose_scene

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


@pytest.mark.parametrize(
    ("scores", "said"),
    [
        ((0.95, 0.9), "The text reads “a” and “b.”"),
        ((0.95, 0.89), "The text reads “a” and may also read “b.”"),
        ((0.8, 0.3), "The text may read “a” and “b.”"),
    ],
)
def test_what_is_doubtful_is_called_so_without_being_asked(scores, said) -> None:
    regions = [
        replace(line(name, x, 0), score=s) for name, x, s in zip("ab", (0, 80), scores, strict=True)
    ]
    assert compose_scene(scene_of(600, 400, texts=tuple(regions))) == said


def test_writing_that_was_not_read_is_mentioned_once_and_not_quoted() -> None:
    unread = [replace(line("", 0, y), score=0.8, script="korean") for y in (0, 30)]
    korean = "There is writing that looks Korean and that I cannot read."
    assert compose_scene(scene_of(600, 400, texts=tuple(unread))) == korean
    both = scene_of(600, 400, texts=(*unread, line("EXIT", 0, 60)))
    assert compose_scene(both) == f"The text reads “EXIT.” {korean}"
    assert compose_scene(both, style="changes") == f"The text reads “EXIT.” {korean}"
    many = scene_of(600, 400, texts=(*unread, *(line("EXIT", 0, y) for y in range(60, 340, 40))))
    assert compose_scene(many).endswith(f"There is one more line of text. {korean}")


def test_text_is_cleaned_and_blank_lines_are_not_text() -> None:
    regions = (line(" STOP\n\u0000 here ", 0, 0), line(" \t", 0, 30))
    found = TextTask().facts(regions, (600, 400), "sentence")

    assert found.found == (TextFact("STOP here"),)
    assert found.more == 0
