"""Boxes, lines and words on an image."""

from __future__ import annotations

import colorsys
import functools
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from i2t_ros.options import option
from i2t_ros.types import Image
from i2t_ros.vision.fonts import can_draw, text_mask

Color = tuple[int, int, int]
"""Blue, green, red; 0 to 255."""


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


@functools.cache
def class_color(label: str) -> Color:
    """Return the color of a class: the same in every image, process and model."""
    # The hue is the name's CRC-32; bright and saturated colors stand out in photos.
    hue = zlib.crc32(label.encode()) / 2**32
    red, green, blue = colorsys.hsv_to_rgb(hue, 0.75, 1.0)
    return round(255 * blue), round(255 * green), round(255 * red)


def line_width(image: Image, scale: float = 1.0) -> int:
    """Return the line width in pixels that suits the size of ``image``."""
    return max(1, round(scale * int(min(image.shape[:2])) / 240))


def letter_size(image: Image, scale: float = 1.0) -> int:
    """Return the letter height in pixels: a 36th of the shorter side, at least 11."""
    return max(11, round(scale * int(min(image.shape[:2])) / 36))


@dataclass(frozen=True, slots=True)
class Pen:
    """The width of lines and the height of letters, in pixels."""

    line: int
    letters: int

    @classmethod
    def for_image(cls, image: Image, scale: float = 1.0) -> Pen:
        """Return a pen whose text is readable in ``image``, from 320x240 to 4K."""
        return cls(line_width(image, scale), letter_size(image, scale))


def draw_box(canvas: Image, box: NDArray[np.float32], text: str, pen: Pen, color: Color) -> None:
    """Draw a box (left, top, right, bottom, in pixels), and ``text`` on a plate at its corner."""
    left, top, right, bottom = (round(float(side)) for side in box)
    corner = (max(left, right - 1), max(top, bottom - 1))
    cv2.rectangle(canvas, (left, top), corner, color, pen.line)
    if text:
        _label(canvas, (left, top), text, pen, color)


def _label(canvas: Image, corner: tuple[int, int], text: str, pen: Pen, color: Color) -> None:
    """Write ``text`` on a plate above a corner, or below it if there is no room above."""
    height, width = plate_size(text, pen)
    left, top = corner
    x = min(max(0, left), max(0, canvas.shape[1] - width))
    write(canvas, (x, top - height if top >= height else max(0, top)), text, pen, color)


def readable(name: str, label: Callable[[str], str]) -> str:
    """Return ``label(name)``, or ``name`` itself if this machine has no font for that label."""
    translated = label(name)
    return translated if can_draw(translated) else name


def plate_size(text: str, pen: Pen) -> tuple[int, int]:
    """Return the height and width in pixels of the plate for ``text``."""
    mask, pad = text_mask(text, pen.letters), pen.line + 1
    return mask.shape[0] + 2 * pad, mask.shape[1] + 2 * pad


def write(canvas: Image, corner: tuple[int, int], text: str, pen: Pen, color: Color) -> None:
    """Write ``text`` on a plate whose upper left corner is ``corner``."""
    x, y = corner
    mask, pad = text_mask(text, pen.letters), pen.line + 1
    height, width = plate_size(text, pen)
    plate = canvas[y : y + height, x : x + width]
    plate[:] = color
    inside = plate[pad : pad + mask.shape[0], pad : pad + mask.shape[1]]
    cover = mask[: inside.shape[0], : inside.shape[1], None].astype(np.uint16)
    ink = np.array(_ink_on(color), np.uint16)
    inside[:] = (inside * (255 - cover) + ink * cover + 127) // 255


def _ink_on(color: Color) -> Color:
    """Return black or white, whichever stands out more on ``color``."""
    blue, green, red = color
    # Luma weights of ITU-R BT.601.
    return (0, 0, 0) if 0.299 * red + 0.587 * green + 0.114 * blue > 128 else (255, 255, 255)
