from __future__ import annotations

import numpy as np
import pytest

from i2t_ros.language.facts import count_objects, places_of, rounded_meters
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


@pytest.mark.parametrize(
    ("meters", "said"),
    [
        *[(0.05, 0.5), (0.7, 0.5), (0.8, 1), (1.6, 1.5), (2.2, 2), (2.3, 2.5), (2.7, 2.5)],
        *[(2.8, 3), (3.4, 3), (3.6, 4), (9.4, 9), (9.8, 10), (14, 10), (16, 20), (47, 50)],
    ],
)
def test_distances_are_rounded_as_people_say_them(meters: float, said: float) -> None:
    assert rounded_meters(meters) == said


def placed(positions: list[list[float]], colors: tuple[str, ...] | None = None) -> Detections:
    n = len(positions)
    boxes = np.tile([10, 10, 40, 390], (n, 1))
    return Detections(
        boxes, np.full(n, 0.5), np.zeros(n), ("person",), positions=positions, colors=colors
    )


def test_the_nearest_comes_first() -> None:
    found = placed([[0, 0, 6], [0, 0, 6], [0, 0, 1]])
    facts = count_objects(found, (WIDTH, HEIGHT))
    assert [(fact.count, fact.distance) for fact in facts] == [(1, 1), (2, 6)]


def test_each_distance_that_people_tell_apart_is_counted_by_itself() -> None:
    found = placed([[0, 0, 2.1], [0, 0, 1.9], [0, 0, 6], [0, 0, 0]])
    facts = count_objects(found, (WIDTH, HEIGHT))
    assert [(fact.count, fact.place, round(fact.distance, 3)) for fact in facts] == [
        (2, "left", 2),
        (1, "left", 6),
        (1, "left", 0),
    ]
    assert [(fact.count, fact.distance) for fact in count_objects(found)] == [(4, 0)]


def test_colors_are_counted_within_a_class() -> None:
    (fact,) = count_objects(placed([[0, 0, 0]] * 4, ("red", "", "blue", "red")))
    assert fact.colors == (("red", 2), ("blue", 1))
