"""16-bit values to 8-bit ones.

Sensors seldom use all 16 bits: a thermal camera may send 7000 to 7900, and a camera of 12 bits 0 to
4095. Divided by 257 such an image is nearly black, and nothing can be found in it.
"""

import re
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from i2t_ros.errors import InvalidRequestError

GRAY16 = "percentiles"
"""Default of the option ``gray16``."""

MOST = 65_535

CLIPPED = {"percentiles": 0.005, "range": 0.0}
"""Share of pixels that become black, and as many white: 0.5 % are more than are defective."""

BITS = (10, 12, 14, 16)
"""Bits of a color sensor's samples."""

_RANGE = re.compile(r"\s*(\d{1,5})\s*-\s*(\d{1,5})\s*")


def check_gray16(how: str) -> str:
    """Return a value of the option ``gray16``, or raise InvalidRequestError."""
    if how != "full" and how not in CLIPPED:
        _fixed_range(how)
    return how


def _fixed_range(how: str) -> tuple[int, int]:
    found = _RANGE.fullmatch(how)
    low, high = map(int, found.groups()) if found else (0, 0)
    if not low < high <= MOST:
        raise InvalidRequestError(
            "gray16: expected percentiles, range, full, or two numbers of 0 to 65535 such as "
            f"7000-7900, got {how[:40]!r}"
        )
    return low, high


def to_8_bits(pixels: NDArray[Any], how: str, *, gray: bool) -> NDArray[np.uint8]:
    """Return 16-bit samples, an array of any shape, as 8-bit ones of the same shape.

    how   of gray ones: "percentiles": all but the 0.5 % darkest and brightest fill 0 to 255;
          "range": all do; "7000-7900": these do; "full": 0 to 65535 do
    gray  whether the samples are gray; colors are only scaled, by the bits in use, so that they
          keep their hue; "full" holds for them, too

    An image of one value is scaled as by "full".
    """
    native = np.ascontiguousarray(pixels, np.uint16).reshape(len(pixels), -1)
    low, high = 0, MOST
    if gray and how in CLIPPED:
        low, high = _used_range(native, CLIPPED[how])
    elif gray and how != "full":
        low, high = _fixed_range(how)
    elif how != "full":
        top = int(native.max())
        high = next(2**bits - 1 for bits in BITS if top < 2**bits)
    if low >= high:
        low, high = 0, MOST
    if low:
        native = np.maximum(native, np.uint16(low)) - np.uint16(low)
    scaled = cv2.convertScaleAbs(native, alpha=255 / (high - low))  # what is brighter becomes 255
    return cast("NDArray[np.uint8]", scaled.reshape(pixels.shape))


def _used_range(native: NDArray[np.uint16], clipped: float) -> tuple[int, int]:
    """Return the smallest and the largest value, without this share of the pixels at each end."""
    counts = cv2.calcHist([native], [0], None, [MOST + 1], [0, MOST + 1]).ravel()
    below = np.cumsum(counts, dtype=np.float64)
    left_out = clipped * below[-1]
    low = np.searchsorted(below, left_out, side="right")
    high = np.searchsorted(below, below[-1] - left_out)
    return int(low), int(high)
