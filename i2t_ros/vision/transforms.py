"""From one coordinate frame to another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Transform:
    """How the frame of some points lies in another frame.

    translation  x, y, z of its origin there, meters
    rotation     a quaternion x, y, z, w, of any length but 0
    """

    translation: tuple[float, float, float]
    rotation: tuple[float, float, float, float]

    def __post_init__(self) -> None:
        """Refuse numbers that turn nothing, with a ValueError."""
        numbers = (*self.translation, *self.rotation)
        if not (np.isfinite(numbers).all() and np.linalg.norm(self.rotation) > 0):
            raise ValueError(f"expected finite numbers and a rotation, got {numbers}")

    def apply(self, points: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Return the points, (N, 3) meters, in the other frame: rotated, then moved.

        The matrix is that of https://en.wikipedia.org/wiki/Quaternions_and_spatial_rotation.
        """
        x, y, z, w = np.array(self.rotation) / np.linalg.norm(self.rotation)
        matrix = np.array(
            [
                [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
                [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
                [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
            ]
        )
        moved: NDArray[np.float64] = points @ matrix.T + np.array(self.translation)
        return moved
