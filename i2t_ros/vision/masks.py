"""Masks: which pixels of an image are part of a thing. Each array is only as large as its box."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from i2t_ros.types import Image, Mask
from i2t_ros.vision.boxes import Boxes
from i2t_ros.vision.class_colors import Color
from i2t_ros.vision.letterbox import Placement

Polygon = NDArray[np.float32]
"""(N, 2) x and y in pixels of the image; the last point is joined to the first."""

MOST_PIXELS = 200_000_000
"""Pixels of all masks of an image: as many bytes. A hundred things that fill a picture of 4K have
more; then the best have masks, and those that are left have empty ones."""

WIDEST = 32_766
"""Pixels of a side that OpenCV can still resample; masks of more are not scaled, but their outlines
are."""

MOST_POLYGONS = 16
"""Of one mask, the largest; what a fence parts into more pieces is mostly fence."""
MOST_POINTS = 500
"""Of one polygon."""
MOST_POINTS_OF_ALL = 200_000
"""Of the polygons of all masks of an image, and one more for each polygon: a hundred things with
twenty times as many as usual have fewer. If there are more, only the best things have polygons."""
MOST_CROSSINGS = 5_000_000
"""Of the lines of all outlines of an image with its rows of pixels: a hundred things as high as a
picture of 4K, each with ten lines from its top to its bottom, have half as many. Each takes some 80
bytes of memory, and 0.3 µs."""
TOLERANCE = 0.45
"""Pixels by which a polygon may be off the line between a mask's pixels and the others."""

FILL = 0.4
"""How much of a drawn mask is its color."""
_LEVELS = np.arange(256)[:, None]


class Grid(NamedTuple):
    """Where the cells of a map of the model's input lie in an image.

    The map's cell ``column`` has its center at ``(column + 0.5) * step[0] + start[0]`` pixels from
    the image's left edge; rows in the same way.

    size  width and height of the map, cells
    step  width and height of a cell, pixels of the image
    start  x and y of the upper left corner of the first cell, pixels of the image
    """

    size: tuple[int, int]
    step: tuple[float, float]
    start: tuple[float, float]

    @classmethod
    def of(cls, shape: tuple[int, int], model: tuple[int, int], at: Placement) -> "Grid":
        """Return the grid of a map that covers the whole input of the model.

        shape  height and width of the map, cells
        model  width and height of the input, pixels
        at     where the image lies in the input
        """
        x_scale, y_scale = at.original_width / at.width, at.original_height / at.height
        step = model[0] / shape[1] * x_scale, model[1] / shape[0] * y_scale
        return cls((shape[1], shape[0]), step, (-at.left * x_scale, -at.top * y_scale))


class Logits(Protocol):
    """Tells which cells of a map are part of which candidate."""

    def __call__(self, i: int, rows: slice, columns: slice) -> NDArray[np.float32]:
        """Return a part of the map of candidate ``i``: above 0 in a cell that is part of it."""
        ...


EMPTY = Mask(0, 0, np.zeros((0, 0), np.bool_))
"""The mask of a thing whose mask was not made."""


def masks_of(
    logits: Logits, numbers: Sequence[int], boxes: Boxes, grid: Grid, image: tuple[int, int]
) -> tuple[Mask, ...]:
    """Return the mask of each candidate in every pixel that its box touches.

    numbers  of the candidates, the best first
    boxes    (N, 4) of these candidates, xyxy, pixels of the image, within it
    image    width and height, pixels

    Between the centers of cells logits are interpolated linearly, and a pixel is covered if the
    value at its center is above 0.
    """
    masks, budget = [], MOST_PIXELS
    low = np.floor(boxes[:, :2]).astype(int)
    high = np.minimum(np.ceil(boxes[:, 2:]).astype(int), image)
    for i, corner, size in zip(numbers, low.tolist(), (high - low).tolist(), strict=True):
        budget -= size[0] * size[1]
        masks.append(_mask(logits, i, corner, size, grid) if budget >= 0 else EMPTY)
    return tuple(masks)


def _mask(logits: Logits, i: int, corner: list[int], size: list[int], grid: Grid) -> Mask:
    """Return one mask: ``corner`` is left and top, ``size`` width and height, in pixels."""
    parts, rows = [], np.zeros((2, 3))
    for axis in (0, 1):
        step = 1 / grid.step[axis]
        # The cell, with its fraction, that has the center of the first pixel at its own center.
        first = (corner[axis] + 0.5 - grid.start[axis]) * step - 0.5
        last = first + (size[axis] - 1) * step
        cells = grid.size[axis]
        begin = min(max(0, int(np.floor(first))), cells - 1)
        parts.append(slice(begin, min(max(begin + 1, int(np.ceil(last)) + 1), cells)))
        rows[axis, [axis, 2]] = step, first - begin
    part = np.ascontiguousarray(logits(i, parts[1], parts[0]), np.float32)
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    values = cv2.warpAffine(part, rows, size, flags=how, borderMode=cv2.BORDER_REPLICATE)
    return Mask(corner[0], corner[1], values > 0)


def polygons_of(mask: Mask) -> tuple[Polygon, ...]:
    """Return the outer outlines of a mask, the largest first; those that it was made of, if any.

    A line runs midway between the centers of a covered pixel and of its uncovered neighbor, less
    than ``TOLERANCE`` off, and at most MOST_POLYGONS have at most MOST_POINTS points each. Holes
    and parts of less than a pixel's width are left out.
    """
    if mask.polygons is not None:
        return mask.polygons
    covered = mask.covered.view(np.uint8)
    if not covered.any():  # OpenCV refuses an image without pixels
        return ()
    found, _ = cv2.findContours(covered, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    lines = sorted(map(_between_pixels, found), key=cv2.contourArea, reverse=True)
    corner = np.array((mask.left, mask.top), np.float32)
    simple = (_simplified(line) for line in lines[:MOST_POLYGONS] if cv2.contourArea(line) >= 1)
    return tuple(line + corner for line in simple if len(line) > 2)


def outlines_of(masks: Sequence[Mask]) -> list[tuple[Polygon, ...]]:
    """Return the polygons of each mask, the best first, with MOST_POINTS_OF_ALL in all."""
    outlines, budget = [], MOST_POINTS_OF_ALL
    for mask in masks:
        polygons = polygons_of(mask) if budget > 0 else ()
        budget -= sum(len(line) + 1 for line in polygons)
        outlines.append(polygons if budget >= 0 else ())
    return outlines


def _between_pixels(contour: NDArray[Any]) -> Polygon:
    """Return the line around the pixels of a contour of OpenCV, which are its outermost own.

    Of two neighbors on a contour the line between their centers is moved outward: by half a pixel
    if they share a side, and else, in steps, by half of the way to the next diagonal.
    """
    points = contour.reshape(-1, 2).astype(np.float32) + 0.5
    if len(points) == 1:
        diamond: Polygon = points + np.array([[-0.5, 0], [0, -0.5], [0.5, 0], [0, 0.5]], np.float32)
        return diamond
    along = np.roll(points, -1, axis=0) - points
    # OpenCV goes around a thing counterclockwise as one sees it, so outward is to the right.
    outward = np.stack([-along[:, 1], along[:, 0]], axis=1)
    outward *= np.where(along.all(axis=1), 0.25, 0.5)[:, None].astype(np.float32)
    return np.stack([points + outward, points + along + outward], axis=1).reshape(-1, 2)


def _simplified(line: Polygon) -> Polygon:
    """Return a line with few points, at most MOST_POINTS."""
    tolerance = TOLERANCE
    while True:
        points = cv2.approxPolyDP(line, tolerance, closed=True)
        if len(points) <= MOST_POINTS:
            return points.reshape(-1, 2).astype(np.float32, copy=False)
        tolerance *= 2


def outlined_masks(outlines: Sequence[Sequence[Polygon]]) -> tuple[Mask, ...]:
    """Return for each list of polygons the mask of every pixel whose center is in one of them.

    Points must be finite. What is beyond MOST_PIXELS or MOST_CROSSINGS has an empty mask.
    """
    masks, budget, crossings = [], MOST_PIXELS, MOST_CROSSINGS
    for polygons in map(tuple, outlines):
        points = np.concatenate(polygons) if polygons else np.zeros((1, 2), np.float32)
        left, top = np.maximum(np.floor(points.min(axis=0)), 0).astype(int).tolist()
        right, bottom = np.maximum(np.ceil(points.max(axis=0)), 0).astype(int).tolist()
        budget -= (right - left + 1) * (bottom - top)
        crossings -= sum(map(_crossings, polygons))
        if budget < 0 or crossings < 0:
            masks.append(replace(EMPTY, polygons=polygons))
            continue
        # Where a row of centers, from left to right, crosses a line, it goes in or out.
        changes = np.zeros((bottom - top, right - left + 1), np.uint8)
        for polygon in polygons:
            _add_crossings(changes, polygon - (left + 0.5, top + 0.5))
        covered = np.bitwise_xor.accumulate(changes[:, :-1], axis=1)
        masks.append(Mask(left, top, covered.view(np.bool_), polygons))
    return tuple(masks)


def _crossings(points: Polygon) -> int:
    """Return how many rows the lines of a polygon cross, all of them together."""
    heights = np.abs(np.roll(points[:, 1], -1) - points[:, 1], dtype=np.float64)
    return int(heights.sum()) + len(points)


def _add_crossings(changes: NDArray[np.uint8], points: Polygon) -> None:
    """Note a change at each pixel that is the first right of a crossing.

    points  (N, 2), in pixels from the center of the first one
    """
    height, width = changes.shape
    ends = np.roll(points, -1, axis=0)
    begin, end = (
        np.where((points[:, 1] < ends[:, 1])[:, None], *pair)
        for pair in ((points, ends), (ends, points))
    )
    first = np.clip(np.ceil(begin[:, 1]), 0, height).astype(int)
    count = np.clip(np.ceil(end[:, 1]), first, height).astype(int) - first
    line = np.repeat(np.arange(len(points)), count)
    row = np.arange(len(line)) - np.repeat(np.cumsum(count) - count, count) + first[line]
    slope = (end[line, 0] - begin[line, 0]) / (end[line, 1] - begin[line, 1])
    at = np.ceil(begin[line, 0] + (row - begin[line, 1]) * slope)
    np.bitwise_xor.at(changes, (row, np.clip(at, 0, width - 1).astype(int)), 1)


def scaled_masks(masks: Sequence[Mask], factors: NDArray[np.float32]) -> tuple[Mask, ...]:
    """Return the masks for an image whose width and height are these times as large."""
    scaled, budget = [], MOST_PIXELS
    x, y = map(float, factors)
    for mask in masks:
        height, width = mask.covered.shape
        box = np.array([mask.left, mask.top, mask.left + width, mask.top + height], np.float32)
        left, top, right, bottom = np.rint(box * np.tile(factors, 2)).astype(int).tolist()
        size = [right - left, bottom - top]
        budget -= size[0] * size[1]
        if budget < 0 or not min(size) or max(width, height) > WIDEST:
            outlines = tuple(line * factors for line in polygons_of(mask))
            scaled.append(replace(EMPTY, polygons=outlines))
            continue
        soft = mask.covered - np.float32(0.5)
        grid = Grid((width, height), (x, y), (mask.left * x, mask.top * y))
        lines = None if mask.polygons is None else tuple(each * factors for each in mask.polygons)
        made = _mask(lambda _, rows, columns: soft[rows, columns], 0, [left, top], size, grid)  # noqa: B023
        scaled.append(replace(made, polygons=lines))
    return tuple(scaled)


def instance_map(masks: Sequence[Mask], image: tuple[int, int]) -> NDArray[np.uint16]:
    """Return (height, width) uint16: the number of the thing in each pixel, from 1; 0: none.

    The first is on top. ``image`` is width and height in pixels.
    """
    numbers = np.zeros(image[::-1], np.uint16)
    for number, mask in reversed(list(enumerate(masks, 1))):
        _part(numbers, mask)[mask.covered] = number
    return numbers


def draw_masks(canvas: Image, masks: Sequence[Mask], colors: Sequence[Color], line: int) -> None:
    """Lay the masks over an image, translucent and with an outline; the first is on top.

    line  width of the outlines, pixels
    """
    for mask, color in reversed(list(zip(masks, colors, strict=True))):
        if mask.covered.size:  # OpenCV refuses an image without pixels
            part, tinted = _part(canvas, mask), _LEVELS * (1 - FILL) + np.array(color) * FILL
            mixed = cv2.LUT(part, np.rint(tinted).astype(np.uint8)[None])
            cv2.copyTo(mixed, mask.covered.view(np.uint8), part)  # 40 times as fast as np.copyto
        # In 16ths of a pixel, from the center of the first one.
        lines = [np.rint((points - 0.5) * 16).astype(np.int32) for points in polygons_of(mask)]
        cv2.polylines(canvas, lines, True, color, line, cv2.LINE_AA, 4)


def without_rim(covered: NDArray[np.bool_], fewest: float) -> NDArray[np.bool_]:
    """Return a mask (height, width) without its outermost ring, or as it is if fewer are left."""
    if not covered.any():  # OpenCV refuses an image without pixels
        return covered
    kernel, outside = np.ones((3, 3), np.uint8), cv2.BORDER_CONSTANT
    inner = cv2.erode(covered.astype(np.uint8), kernel, borderType=outside, borderValue=(0,)) > 0
    return inner if np.count_nonzero(inner) >= fewest else covered


def _part(image: NDArray[Any], mask: Mask) -> NDArray[Any]:
    """Return the part of an image that a mask is about."""
    height, width = mask.covered.shape
    return image[mask.top : mask.top + height, mask.left : mask.left + width]
