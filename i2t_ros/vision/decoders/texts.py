"""From the raw outputs of an OCR backend to lines of text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from i2t_ros.vision.decoders.objects import Decoder


class Line(NamedTuple):
    """A line of text: corners (4, 2) float32, clockwise from the top left of its first letter."""

    corners: NDArray[np.float32]
    text: str
    score: float


def lines(outputs: Sequence[NDArray[Any]], min_score: float) -> list[Line]:
    """Return the lines that a backend read in an image.

    outputs  corners (N, 4, 2), texts (N,) of str, scores (N,)
    """
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
    horizontal  whether the line was read without a quarter turn; a line that is higher than wide
                was first turned to the left by 90 degrees
    flipped     whether the line was then turned by 180 degrees to be read
    """
    first = (0 if horizontal else 1) + (2 if flipped else 0)
    return np.roll(corners, -first, axis=0)


TEXT_DECODERS: Mapping[str, Decoder] = MappingProxyType({"lines": Decoder(lines, 3)})
