"""Where in the picture something is, from its box.

Across: the middle of the box lies in the left, the middle or the right third of the picture.

Depth, as one speaks of a picture and not a measurement:

near   the box covers at least a quarter of the picture
far    the box is lower than a tenth of the picture and the class is about a meter tall or more.
       At a vertical field of view of 50 degrees, height / (2 tan 25 deg) / 0.1, that is a person
       18 m away and a bicycle 11 m away; nothing is said of small things, whose boxes are small
       close by.
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

# COCO's names and VOC's; a class that is not here is never said to be far away.
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
