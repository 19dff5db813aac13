from __future__ import annotations

import numpy as np
import pytest

from i2t_ros.language.facts import count_objects, places_of
from i2t_ros.types import Detections

WIDTH, HEIGHT = 600, 400


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


def test_places_are_counted_by_themselves() -> None:
    boxes = np.array([[0, 100, 50, 200], [10, 100, 60, 200], [500, 100, 550, 200]], np.float32)
    found = Detections(boxes, np.full(3, 0.9), np.zeros(3), ("dog",))

    counts = count_objects(found, (WIDTH, HEIGHT))

    assert [(fact.place, fact.count) for fact in counts] == [("left", 2), ("right", 1)]
    assert [(fact.place, fact.count) for fact in count_objects(found)] == [("", 3)]


def test_a_class_without_a_name_keeps_its_number() -> None:
    found = Detections(np.zeros((1, 4)), np.ones(1), np.array([1]), ("dog", ""))

    assert [fact.key for fact in count_objects(found)] == ["class 1"]
