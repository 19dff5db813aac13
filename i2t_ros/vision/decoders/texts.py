"""The decoder of the task text."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from i2t_ros.vision.decoders.base import Outputs


class Line(NamedTuple):
    """A line of text: corners (4, 2) float32, clockwise from the top left of its first letter.

    ``script`` is empty, or the script that could not be read; then ``text`` is empty.
    """

    corners: NDArray[np.float32]
    text: str
    score: float
    script: str = ""


class Unread(str):
    """The script of a line that could not be read, in place of its text."""

    __slots__ = ()


def lines(outputs: Outputs, min_score: float) -> list[Line]:
    """Read the corners (N, 4, 2), texts (N,) of str and scores (N,) of an OCR backend.

    ``min_score`` is for what was read; an ``Unread`` line is told in any case.
    """
    corners, texts, scores = outputs
    found = []
    for i, (text, score) in enumerate(zip(texts, scores.tolist(), strict=True)):
        if isinstance(text, Unread):
            found.append(Line(corners[i], "", score, str(text)))
        elif score >= min_score:
            found.append(Line(corners[i], str(text), score))
    return found


def in_reading_order(
    corners: NDArray[np.float32], *, horizontal: bool, flipped: bool
) -> NDArray[np.float32]:
    """Return the (4, 2) corners of a line, starting at the top left of its first letter.

    corners     clockwise, starting at the corner nearest the top left of the image
    horizontal  False: the line is higher than wide, and was first turned left by 90 degrees
    flipped     whether the line was then turned by 180 degrees to be read
    """
    return np.roll(corners, -(not horizontal) - 2 * flipped, axis=0)
