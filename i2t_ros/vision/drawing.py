"""Boxes, lines and words on an image."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from i2t_ros.options import option
from i2t_ros.types import Image
from i2t_ros.vision.class_colors import Color
from i2t_ros.vision.colors import LUMA
from i2t_ros.vision.fonts import can_draw, right_to_left, text_mask


@dataclass(frozen=True, slots=True)
class DrawOptions:
    """What is written at the boxes, and how large."""

    labels: bool = option(True, "write the class at each box", name="draw_labels", changes="live")
    scores: bool = option(True, "write the score at each box", name="draw_scores", changes="live")
    scale: float = option(
        1.0,
        "scale of lines and letters; 1: the size that suits the image",
        name="draw_scale",
        bounds=(0.1, 10.0),
        changes="live",
    )


@dataclass(frozen=True, slots=True)
class Pen:
    """The width of lines and the height of letters, in pixels."""

    line: int
    letters: int

    @classmethod
    def for_image(cls, image: Image, scale: float = 1.0) -> "Pen":
        """Return a pen whose text is readable in ``image``, from 320x240 to 4K.

        Letters are a 36th of the shorter side high, at least 11 pixels.
        """
        side = scale * int(min(image.shape[:2]))
        return cls(max(1, round(side / 240)), max(11, round(side / 36)))

    def for_thing(self, width: float, height: float) -> "Pen":
        """Return a pen for something of this size in pixels, which it must not hide.

        Lines are a 24th of its shorter side wide. The letters' height is half of that side, but at
        least 60 % of what it is for large things, so that all can be read at the same distance.
        """
        side = min(width, height)
        letters = max(11, round(0.6 * self.letters), min(self.letters, round(side / 2)))
        return Pen(max(1, min(self.line, round(side / 24))), min(self.letters, letters))


Place = Literal["beside", "free", "over", "fixed"]


class Plate(NamedTuple):
    """Words that belong to a part of an image.

    box    left, top, right, bottom of that part, in pixels
    place  "beside" the box or in its corners, where least is hidden; "free", for a line of text:
           beside it where no line and no plate is hidden, or else left out; "over": the same, or
           else over it; "fixed": in the box, which is as large as the plate
    """

    text: str
    box: tuple[float, float, float, float]
    color: Color
    place: Place = "beside"


def draw_box(canvas: Image, box: Sequence[float], pen: Pen, color: Color) -> None:
    """Draw a box (left, top, right, bottom, in pixels), thinner around something small."""
    left, top, right, bottom = map(round, box)
    corner = (max(left, right - 1), max(top, bottom - 1))
    line = pen.for_thing(right - left, bottom - top).line
    cv2.rectangle(canvas, (left, top), corner, color, line)


def draw_plates(canvas: Image, plates: Sequence[Plate], pen: Pen) -> None:
    """Write all plates; the first ones choose their places first, and are on top."""
    plates = sorted(plates, key=lambda plate: plate.place != "fixed")
    pens = [
        pen if place == "fixed" else pen.for_thing(box[2] - box[0], box[3] - box[1])
        for _, box, _, place in plates
    ]
    sizes = [plate_size(plate.text, own) for plate, own in zip(plates, pens, strict=True)]
    corners = _places(plates, sizes, canvas.shape[1], canvas.shape[0])
    for plate, own, corner in reversed(list(zip(plates, pens, corners, strict=True))):
        if corner is not None:
            write(canvas, corner, plate.text, own, plate.color)


HIDDEN_PLATE = 10.0
"""How much worse it is to hide a plate than to hide as much of a thing."""

DISTANCE = np.array([0.01 * k for k in range(12)] + [0.2] * 8 + [0.4] * 8, np.float32)
"""What the places beside a box cost, in the order of _candidates(): 1 is to hide a whole thing."""


def _places(
    plates: Sequence[Plate], sizes: Sequence[tuple[int, ...]], width: int, height: int
) -> list[tuple[int, int] | None]:
    """Return the upper left corner of each plate on a canvas; None: it is left out.

    What a place costs is the share of each box that is hidden there, and of each plate that has its
    place already.
    """
    number = len(plates)
    taken = np.empty((2 * number, 4), np.float32)
    taken[:number] = np.reshape([plate.box for plate in plates], (-1, 4))
    areas = np.maximum(1, (taken[:number, 2:] - taken[:number, :2]).prod(axis=1))
    weights = np.concatenate([1 / areas, np.zeros(number, np.float32)])
    lines = np.ones(2 * number, np.float32)  # things do not count: letters may be on them
    lines[:number] = [plate.place in ("free", "over") for plate in plates]
    used = number
    places: list[tuple[int, int] | None] = []
    for plate, (high, wide) in zip(plates, sizes, strict=True):
        corners = _candidates(plate, wide, high)
        limits = max(0, width - wide), max(0, height - high)
        inside = [(min(max(0, x), limits[0]), min(max(0, y), limits[1])) for x, y in corners]
        own = weights[:used] if plate.place == "beside" else weights[:used] * lines[:used]
        costs = _costs(inside, wide, high, taken[:used], own)
        if plate.place == "beside":
            costs += DISTANCE[: len(costs)]
        best = int(costs.argmin())
        if plate.place == "free" and costs[best] > 0:
            places.append(None)
            continue
        x, y = inside[-1 if plate.place == "over" and costs[best] > 0 else best]
        places.append((x, y))
        taken[used] = x, y, x + wide, y + high
        weights[used] = HIDDEN_PLATE / (wide * high)
        used += 1
    return places


def _candidates(plate: Plate, wide: int, high: int) -> list[tuple[int, int]]:
    """Return where the upper left corner of a plate may be, best first."""
    left, top, right, bottom = map(round, plate.box)
    if plate.place == "fixed":
        return [(left, top)]
    outside = [(left, top - high), (left, bottom), (right, top), (left - wide, top)]
    if plate.place == "free":
        return outside
    if plate.place == "over":
        return [*outside, (left, top)]
    columns = left, right - wide
    sides = [(x, y) for y in (top, bottom - high) for x in (right, left - wide)]
    rows = top - high, bottom, top, bottom - high
    steps = -high, high, high, -high
    away = [y + k * step for k in (1, 2) for y, step in zip(rows, steps, strict=True)]
    places = [*((x, y) for y in rows for x in columns), *sides]
    return [*places, *((x, y) for y in away for x in columns)]


def _costs(
    corners: Sequence[tuple[int, int]],
    wide: int,
    high: int,
    taken: NDArray[np.float32],
    weights: NDArray[np.float32],
) -> NDArray[np.float32]:
    low = np.array(corners, np.float32)[:, None]
    size = np.array((wide, high), np.float32)
    common = np.minimum(low + size, taken[:, 2:]) - np.maximum(low, taken[:, :2])
    np.maximum(common, 0, out=common)
    hidden: NDArray[np.float32] = (common[..., 0] * common[..., 1]) @ weights
    return hidden


NOTES = "0123456789%#"
"""What may follow a label: a score, the number of a track."""
LEFT_TO_RIGHT_MARK = "\u200e"


def readable(name: str, label: Callable[[str], str]) -> str:
    """Return ``label(name)``, or ``name`` itself if this machine cannot draw that label."""
    translated = label(name)
    return translated if can_draw(translated + NOTES) else name


def caption(label: str, notes: Sequence[str]) -> str:
    """Return a label and what is noted after it, each of which may be missing: "dog 87% #4".

    After a label that is written from right to left, the notes still read as they do here: without
    marks around them they would be "%87" and "4#".
    """
    noted = " ".join(notes)
    if noted and right_to_left(label):
        noted = f"{LEFT_TO_RIGHT_MARK}{noted}{LEFT_TO_RIGHT_MARK}"
    return " ".join(filter(None, (label, noted)))


@functools.lru_cache(maxsize=512)
def _mask(text: str, pen: Pen) -> NDArray[np.uint8]:
    """Return how much of each pixel of a plate the letters cover, 0 to 255."""
    return np.pad(text_mask(text, pen.letters), pen.line + 1)


@functools.lru_cache(maxsize=512)
def _plate(text: str, pen: Pen, color: Color) -> Image:
    """Return a plate with its letters."""
    cover = _mask(text, pen)[..., None].astype(np.uint16)
    ink = np.uint16(0 if LUMA @ color > 128 else 255)  # black or white, whichever stands out more
    mixed = (np.array(color, np.uint16) * (255 - cover) + ink * cover + 127) // 255
    plate: Image = mixed.astype(np.uint8)
    return plate


def plate_size(text: str, pen: Pen) -> tuple[int, ...]:
    """Return the height and width in pixels of the plate for ``text``."""
    return _mask(text, pen).shape


def write(canvas: Image, corner: tuple[int, int], text: str, pen: Pen, color: Color) -> None:
    """Write ``text`` on a plate whose upper left corner is ``corner``, in the canvas."""
    x, y = corner
    height, width = plate_size(text, pen)
    part = canvas[y : y + height, x : x + width]
    part[:] = _plate(text, pen, color)[: part.shape[0], : part.shape[1]]
