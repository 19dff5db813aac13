"""The color of letters and the color behind them.

Background: the fullest bin of a color histogram of the region, then the mean of the pixels close to
that color. Pixels near the region's edge count more, because a detected line of text has a margin.

Letters: in a photo, perhaps no pixel of a thin letter has the letter's own color. The edges are
mixtures with the background, and JPEG and video keep color at half the resolution of lightness
(4:2:0), so color bleeds into the background. But mixing keeps the sum: if a_i is the share of pixel
i that letters cover, and d_i its difference from the background, the letters differ from the
background by sum(d_i) / sum(a_i). The shares come from lightness, which is sharp, or from the
colors themselves if letters and background are equally light.
"""

from typing import Any, TypeAlias, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from i2t_ros.types import Image

Rgb: TypeAlias = "tuple[int, int, int]"
"""Red, green, blue; 0 to 255."""

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

# Luma weights of ITU-R BT.601, blue-green-red; JPEG's own.
LUMA = np.array([0.114, 0.587, 0.299], np.float32)

# Regions are thinned out to this size: strokes of letters 48 pixels high are several pixels wide,
# and more pixels add nothing.
SAMPLED_HEIGHT = 48
SAMPLED_PIXELS = 60_000

# A color at the border of two bins of the histogram counts for both.
SMOOTHING = np.array([[1.0], [2.0], [1.0]])

EDGE_WEIGHT = 3.0
"""How much more a pixel near the edge of the region counts for the background."""
EDGE_WIDTH = 0.08
"""Width of that edge, as a fraction of the region's height."""

LEAST_CONTRAST = 24.0
"""Difference of lightness, in levels, from which lightness alone gives the shares."""


def text_colors(image: Image, corners: Floats) -> tuple[Rgb, Rgb]:
    """Return the color of the letters and the color of the background of one line of text.

    corners  (4, 2), x and y in pixels of ``image``, the first side along the text; parts outside
             the image are ignored

    For a region of one color both are that color; for a region outside the image both are black.
    """
    patch, inside, middle = _cut_out(image, corners)
    if not inside.any():
        return (0, 0, 0), (0, 0, 0)
    weights = np.where(middle[inside], 1.0, EDGE_WEIGHT)
    background = _background(patch[inside], weights)
    difference = patch.astype(np.float32) - background
    # Leave out the edge: it holds no letters, and may cover something else.
    letters = background + _letters(difference, middle if middle.any() else inside)
    return _rgb(letters), _rgb(background)


def _cut_out(image: Image, corners: Floats) -> tuple[Image, Mask, Mask]:
    """Return the pixels around the region, thinned out, and masks of its inside and its middle."""
    height, width = image.shape[:2]
    low = np.clip(np.floor(corners.min(axis=0)), 0, [width, height]).astype(int)
    high = np.clip(np.ceil(corners.max(axis=0)) + 1, 0, [width, height]).astype(int)
    patch = image[low[1] : high[1], low[0] : high[0]]
    ends = np.linalg.norm([corners[3] - corners[0], corners[2] - corners[1]], axis=1)
    tall, many = ends.min() / SAMPLED_HEIGHT, patch.size / 3 / SAMPLED_PIXELS
    step = max(1, int(tall), int(many**0.5))
    patch = patch[::step, ::step]
    inside = np.zeros(patch.shape[:2], np.uint8)
    if not inside.size:
        return patch, inside > 0, inside > 0
    cv2.fillConvexPoly(inside, np.rint((corners - low) / step).astype(np.int32), 1)
    edge = max(1, round(float(ends.min()) / step * EDGE_WIDTH))
    middle = cv2.erode(
        inside,
        np.ones((2 * edge + 1, 2 * edge + 1), np.uint8),
        borderType=cv2.BORDER_CONSTANT,
        borderValue=0,
    )
    return patch, inside > 0, middle > 0


def _background(pixels: NDArray[np.uint8], weights: NDArray[np.float64]) -> Floats:
    """Return the most frequent color of (N, 3) pixels, each counted ``weights`` times."""
    levels = pixels.astype(np.int32) >> 4
    bins = (levels[:, 0] << 8) | (levels[:, 1] << 4) | levels[:, 2]
    counts: NDArray[Any] = np.bincount(bins, weights, minlength=16**3).reshape(16, 16, 16)
    for _ in range(3):  # along each axis
        table = counts.reshape(16, 256)
        table = cv2.filter2D(table, -1, SMOOTHING, borderType=cv2.BORDER_CONSTANT)
        counts = table.reshape(16, 16, 16).transpose(1, 2, 0)
    fullest = np.array(np.unravel_index(counts.argmax(), counts.shape))
    color = (fullest * 16 + 8).astype(np.float32)
    column = np.ascontiguousarray(pixels[:, None])
    for _ in range(3):  # from the bin's center, move to the mean of the pixels nearby
        close = cv2.inRange(column, color - 16, color + 16)
        if close.any():
            color = np.array(cv2.mean(column, close)[:3], np.float32)
    return color


def _letters(difference: Floats, inside: Mask) -> Floats:
    """Return how the letters' color differs from the background's; zeros if there are none."""
    weights = np.where(inside, np.square(difference).sum(axis=2), 0)
    direction = (difference * weights[..., None]).sum(axis=(0, 1))
    along = difference @ (direction / (np.linalg.norm(direction) or 1.0))
    shares = _shares(along, inside)
    light = difference @ LUMA * np.sign(direction @ LUMA)
    strongest, lightest = np.percentile(along[inside], 99), np.percentile(light[inside], 99)
    if lightest >= max(LEAST_CONTRAST, strongest / 4):
        shares = _shares(light, inside)
    # Color bleeds by two pixels at most; anything farther away belongs to something else.
    near = cv2.dilate((shares > 0.3).astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    near &= inside
    return cast(Floats, difference[near].sum(axis=0) / (shares[near].sum() or 1.0))


def _shares(values: Floats, inside: Mask) -> Floats:
    """Return the share of each pixel that letters cover, 0 to 1.

    ``values`` grow with the share. Small shares, the noise of the background, become 0.
    """
    top = np.percentile(values[inside], 99)
    if top <= 0:
        return np.zeros_like(values)
    whole = np.median(values[inside & (values >= 0.85 * top)])
    shares = np.clip(values / whole, 0, 1)
    shares[(shares < 0.12) | ~inside] = 0
    return cast(Floats, shares)


def _rgb(bgr: Floats) -> Rgb:
    blue, green, red = (round(float(value)) for value in np.clip(bgr, 0, 255))
    return red, green, blue
