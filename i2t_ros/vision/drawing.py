"""Boxes, lines and words on an image."""

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
from i2t_ros.vision.colors import LUMA
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


def draw_box(canvas: Image, box: NDArray[np.float32], text: str, pen: Pen, color: Color) -> None:
    """Draw a box (left, top, right, bottom, in pixels), and ``text`` on a plate at its corner."""
    left, top, right, bottom = (round(float(side)) for side in box)
    corner = (max(left, right - 1), max(top, bottom - 1))
    cv2.rectangle(canvas, (left, top), corner, color, pen.line)
    if text:
        height, width = plate_size(text, pen)
        x = min(max(0, left), max(0, canvas.shape[1] - width))
        y = top - height if top >= height else max(0, top)  # below if there is no room above
        write(canvas, (x, y), text, pen, color)


def readable(name: str, label: Callable[[str], str]) -> str:
    """Return ``label(name)``, or ``name`` itself if this machine has no font for that label."""
    translated = label(name)
    return translated if can_draw(translated) else name


@functools.lru_cache(maxsize=512)
def _plate(text: str, pen: Pen) -> NDArray[np.uint8]:
    """Return how much of each pixel of a plate the letters cover, 0 to 255."""
    return np.pad(text_mask(text, pen.letters), pen.line + 1)


def plate_size(text: str, pen: Pen) -> tuple[int, ...]:
    """Return the height and width in pixels of the plate for ``text``."""
    return _plate(text, pen).shape


def write(canvas: Image, corner: tuple[int, int], text: str, pen: Pen, color: Color) -> None:
    """Write ``text`` on a plate whose upper left corner is ``corner``."""
    x, y = corner
    height, width = plate_size(text, pen)
    plate = canvas[y : y + height, x : x + width]
    cover = _plate(text, pen)[: plate.shape[0], : plate.shape[1], None].astype(np.uint16)
    ink = np.uint16(0 if LUMA @ color > 128 else 255)  # black or white, whichever stands out more
    plate[:] = (np.array(color, np.uint16) * (255 - cover) + ink * cover + 127) // 255
