"""What a stream shows while its camera shows nothing."""

import functools

import cv2
import numpy as np

from i2t_ros.types import Image
from i2t_ros.vision.codecs import encode_image
from i2t_ros.vision.drawing import Pen, plate_size, write

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
    for text, top, letters in ((reason, y + 110, 24), (camera, y + 145, 20)):
        pen = Pen(0, letters)
        left = max(0, (width - plate_size(text[:40], pen)[1]) // 2)
        write(image, (left, top), text[:40], pen, GROUND)
    return bytes(encode_image(image, "jpeg").data)
