"""The decoder of the task text."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from i2t_ros.vision.decoders.base import Outputs


class Line(NamedTuple):
    """A line of text: corners (4, 2) float32, clockwise from the top left of its first letter."""

    corners: NDArray[np.float32]
    text: str
    score: float


def lines(outputs: Outputs, min_score: float) -> list[Line]:
    """Read the corners (N, 4, 2), texts (N,) of str and scores (N,) of an OCR backend."""
    corners, texts, scores = outputs
    return [
        Line(corners[i], str(texts[i]), float(scores[i]))
        for i in np.flatnonzero(scores >= min_score)
    ]


def in_reading_order(
    corners: NDArray[np.float32], *, horizontal: bool, flipped: bool
) -> NDArray[np.float32]:
    """Return the (4, 2) corners of a line, starting at the top left of its first letter.

    corners     clockwise, starting at the corner nearest the top left of the image
    horizontal  False: the line is higher than wide, and was first turned left by 90 degrees
    flipped     whether the line was then turned by 180 degrees to be read
    """
    return np.roll(corners, -(not horizontal) - 2 * flipped, axis=0)
