"""Where in the picture something is, from its box.

Left, middle, right: the third of the picture in which the center of the box lies.

Depth is what people would say of a picture, not a measurement:

near   the box covers at least a quarter of the picture
far    the box is lower than a tenth of the picture, and the class is about a meter tall or more.
       With a vertical field of view of 50 degrees, height / (2 tan 25 deg) / 0.1 puts a person at
       18 m and a bicycle at 11 m. Small things are never far: their boxes are small close by, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

Place = Literal[
    "left_near",
    "left",
    "left_far",
    "middle_near",
    "middle",
    "middle_far",
    "right_near",
    "right",
    "right_far",
]
PLACES: tuple[Place, ...] = get_args(Place)

NEAR_AREA = 1 / 4
FAR_HEIGHT = 1 / 10

# Names of COCO and VOC; a class that is not listed is never far.
_TALL = """
person bicycle car motorcycle motorbike airplane aeroplane bus train truck boat
horse cow elephant bear zebra giraffe
"""
TALL = frozenset(_TALL.split())


def places_of(
    boxes: NDArray[np.float32], classes: Sequence[str], width: int, height: int
) -> list[Place]:
    """Return the place of each box, (N, 4) xyxy in pixels, in an image of width x height."""
    left, top, right, bottom = boxes.T
    thirds = np.clip((left + right) / 2 * 3 / width, 0, 2.5).astype(np.intp)
    near = (right - left) * (bottom - top) >= NEAR_AREA * width * height
    low = bottom - top < FAR_HEIGHT * height
    return [
        PLACES[3 * third + (0 if is_near else 2 if is_low and name in TALL else 1)]
        for third, is_near, is_low, name in zip(
            thirds.tolist(), near.tolist(), low.tolist(), classes, strict=True
        )
    ]
