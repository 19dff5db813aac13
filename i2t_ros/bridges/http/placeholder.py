"""What a stream shows while its camera shows nothing."""

from __future__ import annotations

import functools

import cv2
import numpy as np

from i2t_ros.types import Image
from i2t_ros.vision.codecs import encode_image
from i2t_ros.vision.fonts import text_mask

SIZE = (640, 480)  # width, height, in pixels
GROUND = (41, 33, 28)
LINES = (150, 132, 118)


@functools.lru_cache(maxsize=64)
def placeholder(camera: str, reason: str = "no picture") -> bytes:
    """Return a JPEG of a camera that is off, with its name and why there is no picture."""
    width, height = SIZE
    image: Image = np.full((height, width, 3), GROUND, np.uint8)
    x, y = width // 2, height // 2 - 40
    cv2.rectangle(image, (x - 80, y - 45), (x + 35, y + 45), LINES, 5, cv2.LINE_AA)
    lens = np.array([[x + 48, y - 8], [x + 82, y - 34], [x + 82, y + 34], [x + 48, y + 8]])
    cv2.polylines(image, [lens.astype(np.int32)], True, LINES, 5, cv2.LINE_AA)
    cv2.line(image, (x - 100, y + 68), (x + 95, y - 68), GROUND, 18, cv2.LINE_AA)
    cv2.line(image, (x - 96, y + 66), (x + 92, y - 66), LINES, 5, cv2.LINE_AA)
    _write(image, reason, y + 110, 24)
    _write(image, camera, y + 145, 20)
    return bytes(encode_image(image, "jpeg").data)


def _write(image: Image, text: str, top: int, size: int) -> None:
    """Write a line of text into the middle of the image."""
    if not text:
        return
    mask = text_mask(text[:40], size)[:, : image.shape[1]]
    left = (image.shape[1] - mask.shape[1]) // 2
    part = image[top : top + mask.shape[0], left : left + mask.shape[1]]
    cover = mask[: part.shape[0], :, None].astype(np.uint16)
    part[:] = (part * (255 - cover) + np.array(LINES, np.uint16) * cover + 127) // 255
