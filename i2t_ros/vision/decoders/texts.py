"""From an OCR engine's raw outputs to lines of text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from i2t_ros.vision.decoders.objects import Decoder


class Line(NamedTuple):
    """A line of text: corners (4, 2) float32, clockwise from the top left as it is read."""

    corners: NDArray[np.float32]
    text: str
    score: float


def lines(outputs: Sequence[NDArray[Any]], min_score: float) -> list[Line]:
    """Return what a backend that takes pictures read.

    outputs  corners (N, 4, 2), texts (N,) of str, scores (N,)
    """
    corners, texts, scores = outputs
    return [
        Line(corners[i], str(texts[i]), float(scores[i]))
        for i in np.flatnonzero(scores >= min_score)
    ]


def as_it_is_read(
    corners: NDArray[np.float32], *, lying: bool, turned: bool
) -> NDArray[np.float32]:
    """Return the (4, 2) corners of a line, from the top left corner of its first letter.

    corners  clockwise, from the corner nearest the top left of the picture
    lying    whether the line was cut out as it lies; otherwise it is higher than wide, and was
             turned to the left by 90 degrees before it was read
    turned   whether it was then turned by 180 degrees to be read
    """
    first = (0 if lying else 1) + (2 if turned else 0)
    return np.roll(corners, -first, axis=0)


TEXT_DECODERS: Mapping[str, Decoder] = MappingProxyType({"lines": Decoder(lines, 3)})
