import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from i2t_ros.vision.boxes import are_boxes, check_points, non_maximum_suppression, xywh_to_xyxy

EMPTY = np.empty((0, 4), np.float32)


def iou(a, b):
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    shared = max(width, 0) * max(height, 0)
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)


def plain_suppression(boxes, scores, class_ids, threshold):
    """Apply the definition, box by box."""
    kept = []
    for i in sorted(range(len(boxes)), key=lambda i: (-scores[i], i)):
        rivals = [j for j in kept if class_ids[j] == class_ids[i]]
        if all(iou(boxes[i].astype(float), boxes[j].astype(float)) <= threshold for j in rivals):
            kept.append(i)
    return kept


def crowd(count, objects, classes, seed):
    rng = np.random.default_rng(seed)
    centers = rng.uniform(-50, 400, (objects, 2))[rng.integers(0, objects, count)]
    sides = rng.uniform(5, 80, (count, 2))
    boxes = xywh_to_xyxy(np.hstack([centers + rng.normal(0, 5, (count, 2)), sides]))
    scores = rng.uniform(0.01, 1, count).astype(np.float32)
    return boxes.astype(np.float32), scores, rng.integers(0, classes, count).astype(np.int32)


@given(st.integers(1, 60), st.integers(1, 6), st.integers(1, 3), st.integers(0, 2**32 - 1))
def test_suppression_is_as_defined(count, objects, classes, seed):
    boxes, scores, class_ids = crowd(count, objects, classes, seed)
    kept = non_maximum_suppression(boxes, scores, class_ids, 0.45)
    assert kept.tolist() == plain_suppression(boxes, scores, class_ids, 0.45)


@pytest.mark.parametrize("count", [1000, 3000])
def test_suppression_of_thousands(count):
    boxes, scores, class_ids = crowd(count, count // 30, 80, 1)
    kept = non_maximum_suppression(boxes, scores, class_ids, 0.65)
    assert kept.tolist() == plain_suppression(boxes, scores, class_ids, 0.65)


def test_points_may_lie_outside_of_an_image_but_not_of_all():
    check_points(np.array([[[-5e5, 3], [7, 9e5]]], np.float32))
    check_points(np.empty((0, 5, 2), np.float32))
    with pytest.raises(ValueError, match="expected up to 1e\\+06 pixels, got 2e\\+06"):
        check_points(np.array([[[-2e6, 3]]], np.float32))


def test_suppression_of_nothing():
    none = np.empty(0, np.float32)
    kept = non_maximum_suppression(EMPTY, none, none.astype(np.int32), 0.5)
    assert kept.shape == (0,)
    assert kept.dtype == np.intp


def test_the_same_box_in_two_classes_stays_twice():
    boxes = np.array([[0, 0, 10, 10]] * 3, np.float32)
    kept = non_maximum_suppression(
        boxes, np.array([0.5, 0.9, 0.7], np.float32), np.array([0, 1, 0]), 0.5
    )
    assert kept.tolist() == [1, 2]


def test_inputs_are_left_alone():
    boxes, scores, class_ids = crowd(20, 2, 2, 3)
    copies = boxes.copy(), scores.copy(), class_ids.copy()
    non_maximum_suppression(boxes, scores, class_ids, 0.5)
    are_boxes(boxes)
    for array, copy in zip((boxes, scores, class_ids), copies, strict=True):
        np.testing.assert_array_equal(array, copy)


def test_centers_and_sides_become_corners():
    np.testing.assert_array_equal(
        xywh_to_xyxy(np.array([[10, 20, 4, 6]], np.float32)), [[8, 17, 12, 23]]
    )
    assert xywh_to_xyxy(EMPTY).shape == (0, 4)


def test_what_is_a_box():
    boxes = np.array(
        [[0, 0, 1, 1], [0, 0, 0, 1], [2, 0, 1, 1], [0, 0, np.inf, 1], [np.nan, 0, 1, 1]], np.float32
    )
    assert are_boxes(boxes).tolist() == [True, False, False, False, False]
    assert are_boxes(EMPTY).shape == (0,)
