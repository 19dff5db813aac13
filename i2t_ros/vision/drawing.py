"""Draws what was found onto a copy of the image."""

from __future__ import annotations

import colorsys
import functools
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from i2t_ros.types import Classification, Detections, Faces, Image, Scene, TextRegion
from i2t_ros.vision.fonts import can_draw, text_mask

Color = tuple[int, int, int]
"""Blue, green, red; 0 to 255."""

FACE_COLOR: Color = (200, 80, 255)
TEXT_COLOR: Color = (255, 190, 60)
CLASS_COLOR: Color = (235, 235, 235)

DRAWN_CLASS = 0.1
"""Probability from which a class of the whole picture is written on it."""


@dataclass(frozen=True, slots=True)
class DrawOptions:
    """What is written beside the boxes, and how large.

    labels, scores  whether to write the class and the score
    scale           of lines and letters beside the size that fits the image
    """

    labels: bool = True
    scores: bool = True
    scale: float = 1.0


def draw_scene(
    image: Image,
    scene: Scene,
    name: Callable[[str], str] = str,
    options: DrawOptions = DrawOptions(),
) -> Image:
    """Return a copy of ``image`` with the scene's boxes, labels, landmarks and texts on it.

    Classes of the whole picture stand in its lower left corner, the likeliest on top.

    ``name`` turns a class name of the model into the words to write; where this machine has no
    font for them, the class name itself is written. Line width and letters grow with the image,
    so that they can be read at 320x240 and at 4K.
    """
    canvas: Image = image.copy()
    pen = _Pen(line_width(image, options.scale), letter_size(image, options.scale))
    found = scene.detections
    if found is not None:
        # The best is drawn last, so that it is on top.
        for i in range(len(found) - 1, -1, -1):
            color = class_color(found.label(i))
            _draw_box(canvas, found.boxes[i], _caption(found, i, name, options), pen, color)
    if scene.faces is not None:
        _draw_faces(canvas, scene.faces, pen, options)
    _draw_texts(canvas, scene.texts or (), pen)
    if scene.classification is not None:
        _draw_classes(canvas, scene.classification, name, pen)
    return canvas


@functools.cache
def class_color(label: str) -> Color:
    """Return the color of a class: the same in every image, process and model."""
    # A hue from the name's CRC-32, always bright and saturated, so that it stands out of photos.
    hue = zlib.crc32(label.encode()) / 2**32
    red, green, blue = colorsys.hsv_to_rgb(hue, 0.75, 1.0)
    return round(255 * blue), round(255 * green), round(255 * red)


def line_width(image: Image, scale: float = 1.0) -> int:
    """Return the width of lines in pixels for an image of this size."""
    return max(1, round(scale * int(min(image.shape[:2])) / 240))


def letter_size(image: Image, scale: float = 1.0) -> int:
    """Return the height of letters in pixels: a 36th of the shorter side, at least 11."""
    return max(11, round(scale * int(min(image.shape[:2])) / 36))


@dataclass(frozen=True, slots=True)
class _Pen:
    """line, letters: width of lines and height of letters, in pixels."""

    line: int
    letters: int


def _caption(found: Detections, i: int, name: Callable[[str], str], options: DrawOptions) -> str:
    """Return what is written at a box: "dog 87% #4"."""
    parts = []
    if options.labels:
        translated = name(found.label(i))
        parts.append(translated if can_draw(translated) else found.label(i))
    if options.scores:
        parts.append(f"{round(100 * float(found.scores[i]))}%")
    if found.track_ids is not None and found.track_ids[i] >= 0:
        parts.append(f"#{found.track_ids[i]}")
    return " ".join(parts)


def _draw_box(canvas: Image, box: NDArray[np.float32], text: str, pen: _Pen, color: Color) -> None:
    left, top, right, bottom = (round(float(side)) for side in box)
    corner = (max(left, right - 1), max(top, bottom - 1))
    cv2.rectangle(canvas, (left, top), corner, color, pen.line)
    if text:
        _draw_label(canvas, (left, top), text, pen, color)


def _draw_label(canvas: Image, corner: tuple[int, int], text: str, pen: _Pen, color: Color) -> None:
    """Write ``text`` on a plate above a corner, or below it where there is no room above."""
    height, width = _plate_size(text, pen)
    left, top = corner
    x = min(max(0, left), max(0, canvas.shape[1] - width))
    _write(canvas, (x, top - height if top >= height else max(0, top)), text, pen, color)


def _draw_classes(
    canvas: Image, classes: Classification, name: Callable[[str], str], pen: _Pen
) -> None:
    """Write the likely classes above one another, from the lower edge upwards."""
    bottom = canvas.shape[0]
    for label, score in reversed(list(zip(classes.labels, classes.scores, strict=True))):
        if score >= DRAWN_CLASS:
            translated = name(label)
            text = f"{translated if can_draw(translated) else label} {round(100 * score)}%"
            bottom -= _plate_size(text, pen)[0]
            _write(canvas, (0, max(0, bottom)), text, pen, CLASS_COLOR)


def _plate_size(text: str, pen: _Pen) -> tuple[int, int]:
    """Return height and width of the plate that ``text`` needs, in pixels."""
    mask, pad = text_mask(text, pen.letters), pen.line + 1
    return mask.shape[0] + 2 * pad, mask.shape[1] + 2 * pad


def _write(canvas: Image, corner: tuple[int, int], text: str, pen: _Pen, color: Color) -> None:
    """Write ``text`` on a plate whose upper left corner is ``corner``."""
    x, y = corner
    mask, pad = text_mask(text, pen.letters), pen.line + 1
    height, width = _plate_size(text, pen)
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


def _draw_faces(canvas: Image, faces: Faces, pen: _Pen, options: DrawOptions) -> None:
    for i in range(len(faces) - 1, -1, -1):
        text = f"{round(100 * float(faces.scores[i]))}%" if options.scores else ""
        _draw_box(canvas, faces.boxes[i], text, pen, FACE_COLOR)
    if faces.landmarks is not None:
        for x, y in faces.landmarks.reshape(-1, 2):
            center = (round(float(x)), round(float(y)))
            cv2.circle(canvas, center, pen.line + 1, FACE_COLOR, cv2.FILLED, cv2.LINE_AA)


def _draw_texts(canvas: Image, regions: Sequence[TextRegion], pen: _Pen) -> None:
    """Outline each line of text, and write what it says beside it where that hides no other one.

    A translation that finds no such place is written over its own line.
    """
    corners = [np.rint(region.corners).astype(np.int32) for region in regions]
    cv2.polylines(canvas, corners, True, TEXT_COLOR, pen.line, cv2.LINE_AA)
    taken = [(*c.min(axis=0).tolist(), *c.max(axis=0).tolist()) for c in corners]
    for i, region in enumerate(regions):
        translation = region.translation if can_draw(region.translation) else ""
        text = translation or region.text
        height, width = _plate_size(text, pen)
        others = np.array(taken[:i] + taken[i + 1 :]).reshape(-1, 4)
        place = _free_place(canvas, taken[i], (width, height), others)
        if place is None and translation:
            place = _at_corner(canvas, taken[i][:2], (width, height))
        if place is not None:
            _write(canvas, place, text, pen, TEXT_COLOR)
            taken.append((*place, place[0] + width, place[1] + height))


def _free_place(
    canvas: Image, box: Sequence[int], size: tuple[int, int], others: NDArray[np.int_]
) -> tuple[int, int] | None:
    """Return where a plate of this size hides none of the others: above, below or beside a box.

    box, others  left, top, right, bottom
    """
    left, top, right, bottom = box
    width, height = size
    for corner in ((left, top - height), (left, bottom), (right, top), (left - width, top)):
        x, y = _at_corner(canvas, corner, size)
        beside = x >= right or x + width <= left or y >= bottom or y + height <= top
        hidden = (others[:, 0] < x + width) & (x < others[:, 2])
        hidden &= (others[:, 1] < y + height) & (y < others[:, 3])
        if beside and not hidden.any():
            return x, y
    return None


def _at_corner(canvas: Image, corner: Sequence[int], size: tuple[int, int]) -> tuple[int, int]:
    """Return a place for a plate that is near a corner and inside the canvas, where it fits."""
    inside = (canvas.shape[1] - size[0], canvas.shape[0] - size[1])
    x, y = (min(max(0, at), max(0, most)) for at, most in zip(corner, inside, strict=True))
    return x, y
