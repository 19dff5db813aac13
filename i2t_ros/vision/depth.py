"""How far away objects are, and where, from a depth image that is registered to the picture.

Registered means: made for the same camera, so that both show the same part of the world. Their
sizes may differ; a place in one is the same share of width and height in the other. Depth is the
distance along the optical axis, z, and not along the ray
(https://www.ros.org/reps/rep-0118.html).

The method, for each object:

1. Its pixels are those of its mask, without their outermost ring where enough is left, because
   depth is least certain at edges. Without a mask they are the middle half of its box, in width and
   in height. At most SAMPLES x SAMPLES of them are looked at, evenly spread.
2. Those without a depth are left out: 0, NaN, infinite, below NEAREST, beyond FARTHEST. If fewer
   than FEWEST are left, or less than LEAST_KNOWN of all, the position is not known.
3. The others are counted by the logarithm of their depth, in steps of STEP, smoothed over three
   steps. From the front, a surface begins where there are pixels, and ends where they become fewer
   than VALLEY of its densest step: two surfaces are told apart if they are about 10 % apart, while
   one that leans away stays one.
4. The object is the first surface with a share of the pixels of at least SHARE, or MASK_SHARE if
   there is a mask. So a stray pixel before it does not count, and neither does what is seen beside
   it or through it, as long as it is behind. What covers the object, with that share, is measured
   in its place. If no surface has it, the position is not known.
5. z is the median of that surface's depths, x and y are the median column and row of its pixels at
   that depth, by the pinhole model.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from i2t_ros.types import Detections, Mask
from i2t_ros.vision.masks import without_rim

SAMPLES = 48
"""Pixels that are looked at, in each direction, at most."""
NEAREST = 0.0005
"""Meters, half of the least that 16UC1 has. What is less is no depth, and the ratio of two depths
may be more than a float32 holds."""
FARTHEST = 1000.0
"""Meters. Simulators write such numbers where there is nothing."""
FEWEST = 5
"""Pixels with a depth that an object needs."""
LEAST_KNOWN = 0.1
"""Share of an object's pixels that must have a depth. Glass and black cloth often have none, and
what is left then is their edges."""
STEP = 1.025
"""Each step of depth begins this many times as far away as the one before."""
VALLEY = 0.1
"""A surface ends where a step has less than this share of the pixels of its densest one."""
SHARE = 0.2
"""Share of the middle of a box that an object covers at least: that of a chair made of bars."""
MASK_SHARE = 0.25
"""Share of a mask that an object covers at least: masks of thin things are a little too wide."""
ERODED = 0.25
"""A mask without its outermost ring is used if this share of it is left."""
SPREAD = (0.05, 0.95)
"""Its box in space holds what lies between these shares of a surface's depths, in their order."""
FLATTEST = 1000.0
"""The image of a pinhole camera is at most so many times as wide or high as its focal length: 179.8
degrees. The optical axis meets it no farther away than so many widths or heights. So all positions
are finite, and so are their squares in a float32."""
THINNEST = 0.01
"""Meters, the least depth of a box in space: rviz warns of boxes with none."""


@dataclass(frozen=True, eq=False, slots=True)
class DepthImage:
    """Depths as a camera sends them; only those that are needed become meters.

    pixels   (height, width), of any byte order: uint16 in millimeters, or float32 in meters
    inverse  a, b: the pixels are uint16, and their depth in meters is a / (pixel - b); None: as
             above. 0 is always no depth
    """

    pixels: NDArray[Any]
    inverse: tuple[float, float] | None = None

    def meters(self, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> NDArray[np.float32]:
        """Return the depths where these rows and columns cross, float32; 0: not known."""
        picked = self.pixels[np.ix_(rows, columns)]
        found: NDArray[np.float32] = picked.astype(np.float32)
        if self.inverse is not None:
            a, b = self.inverse
            with np.errstate(all="ignore"):
                found = np.where(found > 0, np.float32(a) / (found - np.float32(b)), 0)
        elif picked.dtype.kind == "u":
            found *= np.float32(0.001)
        with np.errstate(invalid="ignore"):
            found[~((found >= NEAREST) & (found <= FARTHEST))] = 0
        return found


class Intrinsics(NamedTuple):
    """The pinhole model of a camera, in pixels of an image of this size.

    fx, fy  focal lengths
    cx, cy  where the optical axis meets the image; the center of the top left pixel is 0, 0, as in
            sensor_msgs/CameraInfo
    """

    fx: float
    fy: float
    cx: float
    cy: float
    width: int
    height: int

    def scaled(self, width: int, height: int) -> Intrinsics:
        """Return the same camera's with another size of the image."""
        across, down = width / self.width, height / self.height
        cx, cy = (self.cx + 0.5) * across - 0.5, (self.cy + 0.5) * down - 0.5
        return Intrinsics(self.fx * across, self.fy * down, cx, cy, width, height)

    def point(self, column: float, row: float, z: float) -> tuple[float, float]:
        """Return x and y in meters of what is seen there, at the depth z."""
        return (column - self.cx) / self.fx * z, (row - self.cy) / self.fy * z


def intrinsics(
    matrix: NDArray[np.float64], projection: NDArray[np.float64], width: int, height: int
) -> Intrinsics:
    """Return the pinhole model of a camera_info.

    matrix      K, (9,)
    projection  P, (12,), which is preferred, as depth_image_proc does; zeros if there is none

    Raises ValueError for numbers that no camera has.
    """
    if width < 1 or height < 1:
        raise ValueError(f"expected a size of the image, got {width}x{height}")
    fx, cx, fy, cy = projection[[0, 2, 5, 6]] if projection[0] else matrix[[0, 2, 4, 5]]
    found = Intrinsics(float(fx), float(fy), float(cx), float(cy), width, height)
    if not (np.isfinite(found).all() and fx >= width / FLATTEST and fy >= height / FLATTEST):
        raise ValueError(
            f"expected focal lengths of pixels, {width / FLATTEST:g} and {height / FLATTEST:g} or "
            f"more, got fx {fx:g}, fy {fy:g}"
        )
    if abs(cx) > FLATTEST * width or abs(cy) > FLATTEST * height:
        raise ValueError(f"expected an optical axis in the image, got cx {cx:g}, cy {cy:g}")
    return found


class Located(NamedTuple):
    """Where objects are: meters, in the optical frame of the camera (REP-103); zeros: not known.

    positions  (N, 3) float32, x, y, z of the surface that was measured
    centers    (N, 3) float32, the middle of a box around the object
    sizes      (N, 3) float32, of that box: its width and height are those of the box in the picture
               at the depth of the object; along z it holds what the camera sees of the object, from
               the nearest to the farthest, and not its hidden back
    """

    positions: NDArray[np.float32]
    centers: NDArray[np.float32]
    sizes: NDArray[np.float32]

    @classmethod
    def unknown(cls, count: int) -> Located:
        """Return that nothing is known of so many objects."""
        return cls(*(np.zeros((count, 3), np.float32) for _ in range(3)))


def locate(
    found: Detections, size: tuple[int, int], depth: DepthImage, camera: Intrinsics
) -> Located:
    """Measure where objects are.

    size    width and height of the picture, whose pixels the boxes and masks are in
    depth   registered to that picture, of any size
    camera  of the depth image
    """
    height, width = depth.pixels.shape
    camera = camera.scaled(width, height)
    scale = width / size[0], height / size[1]
    located = Located.unknown(len(found))
    for i, box in enumerate((found.boxes * np.tile(scale, 2)).tolist()):
        mask = found.masks[i] if found.masks is not None else None
        surface = _surface(depth, box, mask, scale)
        if surface is None:
            continue
        column, row, z, near, far = surface
        left, top, right, bottom = box
        across, down = (left + right - 1) / 2, (top + bottom - 1) / 2  # where pixels' centers are
        located.positions[i] = *camera.point(column, row, z), z
        located.centers[i] = *camera.point(across, down, z), (near + far) / 2
        wide, high = (right - left) / camera.fx * z, (bottom - top) / camera.fy * z
        located.sizes[i] = wide, high, max(far - near, THINNEST)
    return located


class _Surface(NamedTuple):
    """What is seen of an object: median column and row in the depth image, depths in meters."""

    column: float
    row: float
    z: float
    near: float
    far: float


def _surface(
    depth: DepthImage, box: list[float], mask: Mask | None, scale: tuple[float, float]
) -> _Surface | None:
    """Return the surface of an object; ``box`` is in pixels of the depth image."""
    height, width = depth.pixels.shape
    left, top, right, bottom = box
    if mask is None:
        columns, rows = _middle(left, right, width), _middle(top, bottom, height)
        inside = np.ones((len(rows), len(columns)), np.bool_)
    else:
        columns, along = _under(left, right, mask.left, mask.covered.shape[1], scale[0], width)
        rows, down = _under(top, bottom, mask.top, mask.covered.shape[0], scale[1], height)
        inside = mask.covered[np.ix_(down, along)]
        inside = without_rim(inside, ERODED * np.count_nonzero(inside))
    asked = np.count_nonzero(inside)
    if asked < FEWEST:
        return None
    meters = depth.meters(rows, columns)
    down, along = np.nonzero(inside & (meters > 0))
    known = meters[down, along]
    if len(known) < max(FEWEST, LEAST_KNOWN * asked):
        return None
    chosen = _nearest(known, SHARE if mask is None else MASK_SHARE)
    if chosen is None:
        return None
    near, z, far = _ranked(known[chosen], SPREAD[0], 0.5, SPREAD[1])
    column = columns[int(*_ranked(along[chosen], 0.5))]
    row = rows[int(*_ranked(down[chosen], 0.5))]
    return _Surface(float(column), float(row), z, near, far)


def _ranked(values: NDArray[Any], *shares: float) -> list[float]:
    """Return the values at these shares of their order: as np.quantile, in a third of the time."""
    ordered = np.sort(values)
    return [ordered[int(share * (len(ordered) - 1))].item() for share in shares]


def _middle(start: float, end: float, length: int) -> NDArray[np.intp]:
    """Return indices of pixels in the middle half of a side, at least three if it has as many."""
    start, end = max(start, 0.0), min(end, float(length))
    quarter = min((end - start) / 4, max((end - start - 3) / 2, 0))
    return _spread(math.floor(start + quarter), math.ceil(end - quarter), length)


def _under(  # noqa: PLR0913, PLR0917 (a side of a box, one of a mask, and what is under both)
    start: float, end: float, first: int, count: int, scale: float, length: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return indices of depth pixels in a box and under a mask, and of the mask's pixels there.

    start, end    of the box in the depth image
    first, count  where the mask is in the picture, in pixels; it may be larger than the box
    """
    begin, stop = max(start, first * scale), min(end, (first + count) * scale)
    pixels = _spread(math.floor(begin), math.ceil(stop), length)
    under = np.floor((pixels + 0.5) / scale).astype(np.intp) - first
    fits = (under >= 0) & (under < count)
    return pixels[fits], under[fits]


def _spread(start: int, end: int, length: int) -> NDArray[np.intp]:
    """Return at most SAMPLES indices, evenly spread, from ``start`` to before ``end``."""
    start, end = max(start, 0), min(end, length)
    return np.arange(start, end, max(1, math.ceil((end - start) / SAMPLES)))


def _nearest(known: NDArray[np.float32], share: float) -> NDArray[np.bool_] | None:
    """Return which depths are on the nearest surface that has this share of them, if any has."""
    steps = (np.log(known / known.min()) / math.log(STEP)).astype(np.intp)
    counts = np.bincount(steps + 1, minlength=int(steps.max()) + 3)
    smooth = (counts[:-2] + counts[1:-1] + counts[2:]).tolist()  # smooth[i] is around step i
    before = [0, *np.cumsum(counts[1:-1]).tolist()]  # before[i]: how many are before step i
    begin = peak = 0
    for step, count in enumerate([*smooth, 0]):
        if count and count >= VALLEY * peak:
            peak = max(peak, count)
            continue
        if before[step] - before[begin] >= share * len(known):
            return np.asarray((steps >= begin) & (steps < step))
        begin, peak = step, count
    return None
