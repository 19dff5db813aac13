from __future__ import annotations

import numpy as np
import pytest

from i2t_ros.language import TextFact, compose, scene_facts
from i2t_ros.language.facts import reading_order
from i2t_ros.language.places import places_of
from i2t_ros.types import Classification, Detections, Faces, Scene, TextRegion

WIDTH, HEIGHT = 600, 400


def line(text: str, x: float, y: float, height: float = 10, width: float = 50) -> TextRegion:
    corners = np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height]])
    return TextRegion(corners, text, 0.9, (0, 0, 0), (255, 255, 255))


def place(box: tuple[float, float, float, float], name: str = "person") -> str:
    (found,) = places_of(np.array([box], np.float32), [name], WIDTH, HEIGHT)
    return found


@pytest.mark.parametrize(
    ("x", "expected"),
    [(0, "left"), (199, "left"), (201, "middle"), (399, "middle"), (401, "right"), (600, "right")],
)
def test_across_the_middle_of_the_box_decides(x: float, expected: str) -> None:
    assert place((x - 50, 100, x + 50, 200)) == expected


def test_a_box_beyond_the_edge_is_at_that_edge() -> None:
    assert place((-300, 100, -100, 200)) == "left"
    assert place((700, 100, 900, 200)) == "right"


def test_near_is_a_quarter_of_the_picture() -> None:
    assert place((150, 0, 450, 200)) == "middle_near"
    assert place((150, 0, 450, 199)) == "middle"
    assert place((0, 0, 150, 400), "cup") == "left_near"


def test_far_is_low_and_tall_in_the_world() -> None:
    assert place((500, 0, 520, 39)) == "right_far"
    assert place((500, 0, 520, 41)) == "right"
    assert place((500, 0, 520, 39), "cup") == "right"
    assert place((500, 0, 520, 39), "forklift") == "right"


def test_no_boxes_have_no_places() -> None:
    assert places_of(np.empty((0, 4), np.float32), [], WIDTH, HEIGHT) == []


def test_a_task_that_did_not_run_leaves_no_fact() -> None:
    facts = scene_facts(Scene(WIDTH, HEIGHT))

    assert (facts.objects, facts.classification, facts.faces, facts.texts) == (None,) * 4
    assert not facts


def test_a_task_that_found_nothing_leaves_an_empty_fact() -> None:
    nothing = Scene(
        WIDTH,
        HEIGHT,
        detections=Detections.empty(("dog",)),
        classification=Classification((), ()),
        faces=Faces(np.empty((0, 4)), np.empty(0)),
        texts=(),
    )
    facts = scene_facts(nothing)

    assert (facts.objects, facts.classification, facts.faces, facts.texts) == ((), (), 0, ())
    assert not facts


def test_places_are_counted_by_themselves() -> None:
    boxes = np.array([[0, 100, 50, 200], [10, 100, 60, 200], [500, 100, 550, 200]], np.float32)
    found = Detections(boxes, np.full(3, 0.9), np.zeros(3), ("dog",))
    facts = scene_facts(Scene(WIDTH, HEIGHT, detections=found), with_places=True)

    assert facts.objects is not None
    assert [(fact.place, fact.count) for fact in facts.objects] == [("left", 2), ("right", 1)]


def test_a_class_without_a_name_keeps_its_number() -> None:
    found = Detections(np.zeros((1, 4)), np.ones(1), np.array([1]), ("dog", ""))
    facts = scene_facts(Scene(WIDTH, HEIGHT, detections=found))

    assert facts.objects is not None
    assert facts.objects[0].class_id == "class 1"


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
    facts = scene_facts(Scene(WIDTH, HEIGHT, texts=tuple(regions)))

    assert facts.texts is not None
    assert [fact.text for fact in facts.texts] == [f"line {i}" for i in range(3, 9)]
    assert facts.more_texts == 3


def test_text_is_cleaned_and_blank_lines_are_not_text() -> None:
    regions = (line(" STOP\n\u0000 here ", 0, 0), line(" \t", 0, 30))
    facts = scene_facts(Scene(WIDTH, HEIGHT, texts=regions))

    assert facts.texts == (TextFact("STOP here"),)
    assert facts.more_texts == 0


def test_a_class_of_the_whole_picture_that_is_not_likely_is_not_said() -> None:
    seen = Classification(("cat", "lobster"), (0.6, 0.09))
    facts = scene_facts(Scene(WIDTH, HEIGHT, classification=seen))
    assert [fact.label for fact in facts.classification or ()] == ["cat"]
    guess = Classification(("lobster",), (0.02,))
    assert compose(Scene(WIDTH, HEIGHT, classification=guess)) == (
        "I don't see anything I recognize."
    )
