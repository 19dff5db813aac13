"""The color that an object is said to have: one of the eleven basic color terms, or none.

The terms are those of Berlin and Kay, Basic Color Terms (1969). Which colors people call by which
term is the model of Benavente, Vanrell and Baldrich, Parametric fuzzy sets for automatic color
naming, JOSA A 25 (2008), https://doi.org/10.1364/JOSAA.25.002582, fitted to what people said of
colors in CIELAB: gray is an ellipse around the axis of lightness, beyond it each hue has a name,
and lightness decides between brown and orange, red and pink, black, gray and white. Each pixel
votes for every term, by how well it fits.

The model was fitted to chips in a booth. It is changed where photos and screens have other colors:
see WIDENED, DARK, PALE and VIVID. There is no white balance: under a street lamp things are orange.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from i2t_ros.types import COLORS, Detections, Image, Mask, Scene
from i2t_ros.vision.masks import without_rim

ACHROMATIC = 3
"""The first ones of COLORS are without hue."""

LEAST_SHARE = 0.45
"""Of the votes: a color with less does not stand out."""
BOX_SHARE = 0.5
"""The same without a mask, when it may be the background that has the color."""
LEAST_LEAD = 1.5
"""Times as many votes as the second color: one with less does not stand out. Gray is no second
color of what is black or white, nor are they of gray: light and shadow make one of the other."""
COLORED = 2.0
"""How many gray pixels a colored one outvotes: windows, wheels, shadows and glare are gray on
things of any color, and nobody calls a red car gray for them."""
WIDENED = 1.5
"""How much wider gray is than in the model: the light of the sky and of walls tints it."""
DARK = 9.0
"""L* + chroma / 4 below which everything is black: the hue of such pixels is noise."""
PALE = 38.0, 70.0, 28.0
"""Chroma and L* below which orange, yellow, and red of a hue above so many degrees are brown, as in
the ISCC-NBS system (Kelly and Judd, 1976, https://doi.org/10.6028/NBS.SP.440): wood, sand and dogs
are neither orange nor red. The model has its names from the most vivid chips, which are."""
VIVID = ((30.0, 50.0, 1.0, 1.5, 10.0), (285.0, 320.0, 2.0, 3.0, 6.0))
"""Reds and blues of a screen are more vivid than any chip, and CIELAB's hue there turns to orange
and purple. So hues between two are turned back, the more the higher chroma / L* is, from none to
some degrees. Then they have the names of the XKCD survey (https://xkcd.com/color/rgb/)."""
LEAST_PIXELS = 16
"""Fewer tell nothing: such a thing has no color."""

SIDE = 24
"""An object is thinned out to so many rows and columns at most."""
MIDDLE = 0.5
"""Without a mask, this part of the box's width and height, around its center, counts: the corners
are background."""
MARGIN = 0.15
"""The background is what is around the box, so many times its width and height far."""
BACKGROUND = 0.4
"""How much of a color's share of the background is taken from its share of the object. What is all
around a thing is often seen through it, too; or it is the color of the light, also with a mask."""
CLOTHES = 0.2, 0.6
"""Which part of a person's height tells the color of the clothes, from the top: below the face,
above the legs."""
BUST = 1.4
"""A person whose box is not so many times as high as wide is near or sits: the face is larger."""
BUST_CLOTHES = 0.4, 0.8
CHEST = 0.3
"""Without a mask, this part of the width of a person's box counts: beside it are arms and
background."""
PEOPLE = frozenset({"person", "man", "woman", "boy", "girl", "pedestrian"})
SKIN = (0, 133, 77), (255, 173, 127)
"""The least and most Y, Cr and Cb of skin, of people of all colors, from Chai and Ngan, Face
segmentation using skin-color map in videophone applications, IEEE TCSVT 9 (1999),
https://doi.org/10.1109/76.767122. Brown clothes are among it, and have no name."""
UNTOLD = frozenset({"tv", "laptop", "cell phone", "bowl", "wine glass", "zebra"})
"""These have no color: one sees what is on the screen, in the bowl, behind the glass; stripes."""


class _Plane(NamedTuple):
    """The names of the colors that are about equally light.

    up_to    L* of the lightest of them
    center   a* and b* of the ellipse that is gray
    axes     half the width and the height of the ellipse, in units of a* and b*
    turned   by how many degrees
    edge     how sharp its edge is
    hues     where each name begins, in degrees of CIELAB hue, and how sharply: per unit of a*, b*
    """

    up_to: float
    center: tuple[float, float]
    axes: tuple[float, float]
    turned: float
    edge: float
    hues: dict[str, tuple[float, float]]


_PLANES = (
    _Plane(
        *(31, (0.42, 0.25), (5.89, 7.47), 2.3, 9.84),
        {
            "brown": (33.5, 1.72),
            "green": (104.6, 0.84),
            "blue": (224.6, 1.95),
            "purple": (302.8, 1.01),
            "red": (357.8, 0.90),
        },
    ),
    _Plane(
        *(42, (0.23, 0.66), (6.46, 7.87), 17.6, 6.03),
        {
            "red": (2.2, 0.52),
            "brown": (41.2, 5.0),
            "green": (96.9, 0.69),
            "blue": (210.5, 0.96),
            "purple": (301.5, 0.92),
            "pink": (344.3, 1.10),
        },
    ),
    _Plane(
        *(51, (-0.12, 0.52), (5.38, 6.98), 19.6, 6.81),
        {
            "red": (13.6, 1.0),
            "orange": (44.5, 0.57),
            "brown": (61.2, 0.52),
            "green": (96.7, 0.84),
            "blue": (199.4, 0.60),
            "purple": (301.8, 0.80),
            "pink": (337.4, 0.62),
        },
    ),
    _Plane(
        *(66, (-0.44, 1.08), (6.06, 7.50), 24.5, 7.32),
        {
            "red": (26.5, 0.94),
            "orange": (33.0, 0.75),
            "yellow": (80.1, 0.48),
            "green": (95.7, 0.73),
            "blue": (198.3, 0.64),
            "purple": (301.2, 0.76),
            "pink": (326.1, 5.0),
        },
    ),
    _Plane(
        *(76, (-0.57, 1.16), (5.37, 6.90), 24.8, 100.0),
        {
            "orange": (25.8, 2.0),
            "yellow": (74.2, 0.84),
            "green": (102.3, 0.86),
            "blue": (188.6, 0.74),
            "purple": (299.2, 0.47),
            "pink": (327.5, 1.74),
        },
    ),
    _Plane(
        *(100, (-1.26, 1.81), (6.04, 7.39), -1.2, 100.0),
        {
            "orange": (25.7, 1.03),
            "yellow": (72.4, 0.79),
            "green": (106.2, 0.96),
            "blue": (190.0, 0.90),
            "purple": (300.6, 0.60),
            "pink": (327.6, 1.93),
        },
    ),
)
# L* where black becomes gray, and gray white, and how sharply.
_GRAY_FROM = 28.28, 0.714
_WHITE_FROM = 79.65, 0.307

_SHADES = {"black": (2,), "white": (2,), "gray": (0, 1)}  # indices of COLORS

_STEPS = np.array([1 << 12, 1 << 6, 1], np.intp)  # from blue, green and red to the row of the table


def _around() -> NDArray[np.float64]:
    """Return the x and y of a grid within MARGIN outside of the square from 0 to 1."""
    steps = (np.arange(SIDE) + 0.5) / SIDE * (1 + 2 * MARGIN) - MARGIN
    grid = np.stack(np.meshgrid(steps, steps)).reshape(2, -1)
    return grid[:, np.abs(grid - 0.5).max(axis=0) > 0.5]


_AROUND = _around()

Floats = NDArray[np.floating[Any]]


def color_of(
    pixels: NDArray[np.uint8],
    around: NDArray[np.uint8] | None = None,
    *,
    least: float = LEAST_SHARE,
    clothes: bool = False,
) -> str:
    """Return the one of COLORS that stands out in pixels; "" if none does.

    pixels   (..., 3) uint8, blue-green-red
    around   (..., 3) uint8, the background; None if there is none
    least    the share of the votes that a color needs
    clothes  whether pixels of the color of skin have no vote; they count in the whole
    """
    if pixels.size < 3 * LEAST_PIXELS:
        return ""
    numbers = _numbers(pixels)
    votes = _votes(numbers)
    total = votes.sum()
    if clothes:
        votes = _votes(numbers[~_is_skin()[numbers]])
    if around is not None and around.size:
        background = _votes(_numbers(around))
        votes -= BACKGROUND * total / background.sum() * background
    first = int(votes.argmax())
    most = votes[first]
    votes[[first, *_SHADES.get(COLORS[first], ())]] = 0
    stands_out = most >= max(least * total, LEAST_LEAD * votes.max())
    return COLORS[first] if stands_out else ""


def _numbers(pixels: NDArray[np.uint8]) -> NDArray[np.intp]:
    """Return the rows of pixels (..., 3) in the table."""
    numbers: NDArray[np.intp] = (pixels.reshape(-1, 3) >> 2) @ _STEPS
    return numbers


def _votes(numbers: NDArray[np.intp]) -> NDArray[np.float32]:
    """Return the votes of these rows of the table for each of COLORS."""
    rows = _table().take(numbers, axis=0).astype(np.float32)
    votes: NDArray[np.float32] = np.ones(len(rows), np.float32) @ rows  # quicker than sum()
    votes[ACHROMATIC:] *= COLORED
    return votes


def colored(scene: Scene, image: Image) -> Scene:
    """Return the scene with the colors of its objects; without objects, the scene itself.

    The scene is in the pixels of ``image``. With a mask, an object's color is that of what the mask
    covers but for its rim, else of the middle of its box. Colors that are frequent around the box
    count less. Of people it is the color of their clothes. UNTOLD things have none.
    """
    found = scene.detections
    if found is None:
        return scene
    names = tuple(_color(found, i, image) for i in range(len(found)))
    return scene.with_detections(replace(found, colors=names))


def _color(found: Detections, i: int, image: Image) -> str:
    label = found.label(i).lower()
    if label in UNTOLD:
        return ""
    around = _pixels_around(found.boxes[i].tolist(), image)
    is_person = label in PEOPLE
    least = LEAST_SHARE if found.masks else BOX_SHARE
    pixels = _pixels_of(found, i, image, is_person)
    return color_of(pixels, around, least=least, clothes=is_person)


def _pixels_around(box: list[float], image: Image) -> NDArray[np.uint8]:
    """Return pixels (N, 3) of the image within MARGIN outside of a box."""
    left, top, right, bottom = box
    x = (left + _AROUND[0] * (right - left)).astype(np.intp)
    y = (top + _AROUND[1] * (bottom - top)).astype(np.intp)
    inside = (x >= 0) & (x < image.shape[1]) & (y >= 0) & (y < image.shape[0])
    pixels: NDArray[np.uint8] = image[y[inside], x[inside]]
    return pixels


def _pixels_of(found: Detections, i: int, image: Image, is_person: bool) -> NDArray[np.uint8]:
    """Return the pixels that tell the color of an object, at most SIDE squared of them."""
    mask = found.masks[i] if found.masks else None
    part = MIDDLE if mask is None else 1.0
    across, down = _around_center(part), _around_center(part)
    if is_person:
        across, down = _around_center(CHEST if mask is None else 1.0), CLOTHES
    left, top, right, bottom = found.boxes[i].tolist()
    if is_person and bottom - top < BUST * (right - left):
        down = BUST_CLOTHES
    columns = _spread(left, right, across, image.shape[1])
    rows = _spread(top, bottom, down, image.shape[0])
    patch = image[rows[:, None], columns]
    return patch if mask is None else patch[_covered(mask, rows, columns)]


def _around_center(part: float) -> tuple[float, float]:
    return 0.5 - part / 2, 0.5 + part / 2


def _spread(start: float, end: float, part: tuple[float, float], size: int) -> NDArray[np.intp]:
    """Return up to SIDE indices below ``size``, evenly over a part of what lies between two."""
    first, last = (round(start + share * (end - start)) for share in part)
    first, last = max(0, first), min(size, last)
    number = max(0, min(SIDE, last - first))
    steps = (np.arange(number) + 0.5) * (last - first) / max(1, number)
    return (first + steps).astype(np.intp)


def _covered(mask: Mask, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Return which of these pixels a mask covers, without the rim unless that is all there is."""
    height, width = mask.covered.shape
    ys, xs = rows - mask.top, columns - mask.left
    inside = np.zeros((len(rows), len(columns)), np.bool_)
    fits_y, fits_x = (ys >= 0) & (ys < height), (xs >= 0) & (xs < width)
    inside[np.ix_(fits_y, fits_x)] = mask.covered[np.ix_(ys[fits_y], xs[fits_x])]
    return without_rim(inside, LEAST_PIXELS)


def _every_color() -> NDArray[np.float32]:
    """Return the colors that the rows of the table stand for, (262144, 1, 3), 0 to 1."""
    steps = (np.arange(2, 256, 4) / 255).astype(np.float32)
    return np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), -1).reshape(-1, 1, 3)


@cache
def _is_skin() -> NDArray[np.bool_]:
    """Return which rows of the table are of colors that skin has, (262144,)."""
    colors = np.rint(255 * _every_color()).astype(np.uint8)
    return cv2.inRange(cv2.cvtColor(colors, cv2.COLOR_BGR2YCrCb), *SKIN)[:, 0] > 0


@cache
def _table() -> NDArray[np.uint8]:
    """Return the votes of every color, (262144, 11): by blue, green and red in steps of 4.

    It takes 3 MB, and 0.2 s once; then an object takes 0.1 ms.
    """
    lightness, a, b = cv2.cvtColor(_every_color(), cv2.COLOR_BGR2LAB)[:, 0].T
    chroma = np.hypot(a, b)
    a, b = _turned_back(a, b, chroma / np.maximum(lightness, 1))
    votes = np.zeros((len(lightness), len(COLORS)), np.float32)
    members = np.searchsorted([plane.up_to for plane in _PLANES[:-1]], lightness)
    for number, plane in enumerate(_PLANES):
        here = members == number
        for name, fit in _fits(plane, a[here], b[here]):
            votes[here, COLORS.index(name)] = fit
    votes *= _sigmoid(lightness + chroma / 4 - DARK)[:, None]
    pale = _sigmoid((PALE[0] - chroma) / 3) * _sigmoid(PALE[1] - lightness)
    brownish = pale * _sigmoid(_turned(a, b, PALE[2])[1])
    for name, share in (("orange", pale), ("yellow", pale), ("red", brownish)):
        moved = votes[:, COLORS.index(name)] * share
        votes[:, COLORS.index(name)] -= moved
        votes[:, COLORS.index("brown")] += moved
    gray = np.clip(1 - votes.sum(axis=1), 0, 1)
    above_black, above_gray = (
        _sigmoid(sharp * (lightness - start)) for start, sharp in (_GRAY_FROM, _WHITE_FROM)
    )
    votes[:, 0] = gray * (1 - above_black)
    votes[:, 1] = gray * above_gray
    votes[:, 2] = gray * (above_black - above_gray)
    table: NDArray[np.uint8] = np.rint(255 * votes.clip(0, 1)).astype(np.uint8)
    return table


def _turned_back(a: Floats, b: Floats, saturation: Floats) -> tuple[Floats, Floats]:
    """Return a* and b* with the hues that VIVID turns; ``saturation`` is chroma / L*."""
    hue, angle = np.degrees(np.arctan2(b, a)) % 360, np.zeros_like(a)
    for start, end, none, all, degrees in VIVID:
        share = np.clip((saturation - none) / (all - none), 0, 1)
        angle += degrees * share * ((start < hue) & (hue < end))
    return _turned(a, b, angle)


def _fits(plane: _Plane, a: Floats, b: Floats) -> Iterator[tuple[str, Floats]]:
    """Yield each term of a plane, and how well colors fit it, 0 to 1."""
    x, y = a - plane.center[0], b - plane.center[1]
    across, along = _turned(x, y, plane.turned)
    out = np.hypot(across / plane.axes[0], along / plane.axes[1]) / WIDENED
    vivid = _sigmoid(plane.edge * (out**2 - 1))
    starts = list(plane.hues.items())
    for (name, start), (_, end) in zip(starts, starts[1:] + starts[:1], strict=True):
        since, until = (sharp * _turned(x, y, hue)[1] for hue, sharp in (start, end))
        yield name, vivid * _sigmoid(since) * _sigmoid(-until)


def _turned(x: Floats, y: Floats, degrees: float | Floats) -> tuple[Floats, Floats]:
    """Return coordinates along an axis of this direction, and to its left."""
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return x * cosine + y * sine, y * cosine - x * sine


def _sigmoid(values: Floats) -> Floats:
    return 1 / (1 + np.exp(-np.clip(values, -60, 60)))
