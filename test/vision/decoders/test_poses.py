"""Key points: each format against the same people, written down value by value."""

import numpy as np
import pytest

from i2t_ros.errors import ModelMismatchError
from i2t_ros.vision.decoders.base import InputSize
from i2t_ros.vision.decoders.poses import MARGIN, movenet, yolo26_pose, yolov8_pose

SIZE = InputSize(200, 100)
RANDOM = np.random.default_rng(3)
POINTS = (RANDOM.uniform(0, 1, (3, 17, 2)) * SIZE).astype(np.float32)
CERTAIN = RANDOM.uniform(0, 1, (3, 17)).astype(np.float32)
BOXES = np.float32([[10, 20, 50, 90], [0, 0, 200, 100], [150, 10, 160, 40]])
SCORES = np.float32([0.9, 0.2, 0.5])
WHOLE = np.float32([*SIZE])


def rows_of(boxes, points, *more):
    """Return (N, ...): box, what else there is, and 17 times x, y, score."""
    triples = np.concatenate([points, CERTAIN[..., None]], axis=2).reshape(3, 51)
    return np.hstack([boxes, SCORES[:, None], *more, triples])


def as_yolov8(boxes, points):
    centers, sides = (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]
    return rows_of(np.hstack([centers, sides]), points).T[None]


def as_yolo26(boxes, points):
    return rows_of(boxes, points, np.zeros((3, 1), np.float32))[None]


@pytest.mark.parametrize(
    ("decode", "written"), [(yolov8_pose, as_yolov8), (yolo26_pose, as_yolo26)]
)
@pytest.mark.parametrize("normalized", [False, True])
def test_ultralytics_formats(decode, written, normalized):
    by = WHOLE if normalized else np.float32([1, 1])
    output = written(BOXES / np.tile(by, 2), POINTS / by)
    found = decode([output.astype(np.float32)], SIZE, 0.5, normalized)
    np.testing.assert_allclose(found.boxes, BOXES[[0, 2]], atol=1e-3)
    np.testing.assert_allclose(found.scores, [0.9, 0.5])
    np.testing.assert_allclose(found.points, POINTS[[0, 2]], atol=1e-3)
    np.testing.assert_allclose(found.point_scores, CERTAIN[[0, 2]])


def as_movenet(certain):
    return np.concatenate([POINTS[:1, :, ::-1] / WHOLE[::-1], certain[None, :, None]], axis=2)[None]


def test_movenet_has_y_before_x_in_fractions():
    certain = np.full(17, 0.1, np.float32)
    certain[[3, 8, 16]] = 0.6, 0.7, 0.8
    found = movenet([as_movenet(certain)], SIZE, 0.69)
    np.testing.assert_allclose(found.points, POINTS[:1], atol=1e-3)
    np.testing.assert_allclose(found.point_scores, [certain])
    np.testing.assert_allclose(found.scores, [0.7], atol=1e-6)  # of the best three
    sure = POINTS[0, [3, 8, 16]]
    low, high = sure.min(axis=0), sure.max(axis=0)
    margin = MARGIN * (high - low).max()
    np.testing.assert_allclose(found.boxes, [[*(low - margin), *(high + margin)]], atol=1e-3)
    assert len(movenet([as_movenet(certain)], SIZE, 0.71).scores) == 0


def test_movenet_has_a_box_even_where_nothing_is_sure():
    found = movenet([as_movenet(np.linspace(0, 0.2, 17, dtype=np.float32))], SIZE, 0.01)
    assert found.boxes.shape == (1, 4)
    assert np.isfinite(found.boxes).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_movenet_without_numbers_is_named(bad):
    with pytest.raises(ValueError, match="finite numbers, got NaN or infinity"):
        movenet([as_movenet(np.full(17, bad, np.float32))], SIZE, 0.01)


@pytest.mark.parametrize(
    ("decode", "shape", "message"),
    [
        (movenet, (1, 6, 56), r"movenet: expected an output of shape \(1, 1, 17, 3\)"),
        (movenet, (1, 1, 17, 2), r"got \(1, 1, 17, 2\)"),
        (yolov8_pose, (1, 84, 8400), r"of shape \(1, 56, N\), .* got \(1, 84, 8400\)"),
        (yolov8_pose, (56, 8400), r"got \(56, 8400\)"),
        (yolov8_pose, (2, 56, 8400), r"got \(2, 56, 8400\)"),
        (yolo26_pose, (1, 300, 6), r"of shape \(1, N, 57\), .* got \(1, 300, 6\)"),
        (yolo26_pose, (300, 57), r"got \(300, 57\)"),
    ],
)
def test_other_shapes_are_refused(decode, shape, message):
    with pytest.raises(ModelMismatchError, match=message):
        decode([np.zeros(shape, np.float32)], SIZE, 0.5)
