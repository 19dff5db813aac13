"""Points from one coordinate frame to another."""

import math

import numpy as np
import pytest

from i2t_ros.vision.transforms import Transform

POINTS = np.array([[1, 2, 3], [0, 0, 0], [-4, 0.5, 6]], np.float32)
HALF = math.sqrt(0.5)


def test_the_optical_frame_in_a_robots():
    """REP-103: z, forward, becomes x; x, right, becomes -y; y, down, becomes -z."""
    moved = Transform((0.1, 0, 0.5), (-0.5, 0.5, -0.5, 0.5)).apply(POINTS)
    x, y, z = POINTS.T
    np.testing.assert_allclose(moved, np.stack([z + 0.1, -x, 0.5 - y], 1), atol=1e-6)


@pytest.mark.parametrize(
    ("rotation", "expected"),
    [
        ((0, 0, 0, 1), (1, 2, 3)),
        ((HALF, 0, 0, HALF), (1, -3, 2)),  # a quarter turn about x: y becomes z
        ((0, HALF, 0, HALF), (3, 2, -1)),
        ((0, 0, HALF, HALF), (-2, 1, 3)),
        ((0, 0, -5, -5), (-2, 1, 3)),  # the same turn
    ],
)
def test_quarter_turns(rotation, expected):
    np.testing.assert_allclose(Transform((0, 0, 0), rotation).apply(POINTS)[0], expected, atol=1e-6)


def test_lengths_stay():
    random = np.random.default_rng(0)
    for _ in range(20):
        moved = Transform((0, 0, 0), tuple(random.normal(size=4))).apply(POINTS)
        np.testing.assert_allclose(
            np.linalg.norm(moved, axis=1), np.linalg.norm(POINTS, axis=1), rtol=1e-6
        )


@pytest.mark.parametrize(
    ("translation", "rotation"),
    [((0, 0, 0), (0, 0, 0, 0)), ((math.nan, 0, 0), (0, 0, 0, 1)), ((0, 0, 0), (0, math.inf, 0, 1))],
)
def test_what_turns_nothing_is_refused(translation, rotation):
    with pytest.raises(ValueError, match="a rotation"):
        Transform(translation, rotation)
