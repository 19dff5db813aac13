"""Depth images with a known answer, and their bytes as cameras send them."""

import struct

import cv2
import numpy as np

from i2t_ros.types import Detections
from i2t_ros.vision.depth import DepthImage, Intrinsics

WIDTH, HEIGHT = 640, 480
CAMERA = Intrinsics(600.0, 600.0, 319.5, 239.5, WIDTH, HEIGHT)


def plane(z, across=0.0, down=0.0, camera=CAMERA):
    """Return the depths of a plane that is ``z`` meters away on the optical axis.

    across, down  degrees by which it is turned: at positive ones its right, or lower, side is
                  farther away
    """
    columns, rows = np.meshgrid(np.arange(camera.width), np.arange(camera.height))
    tilt = np.tan(np.radians(across)) * (columns - camera.cx) / camera.fx
    tilt = tilt + np.tan(np.radians(down)) * (rows - camera.cy) / camera.fy
    with np.errstate(divide="ignore"):
        depths = np.where(tilt < 1, z / (1 - tilt), np.inf)
    return depths.astype(np.float32)


def millimeters(meters):
    """Return a depth image of 16UC1: what is too far, or not known, is 0."""
    known = np.isfinite(meters) & (meters < 65.5)
    return np.round(np.where(known, meters, 0) * 1000).astype(np.uint16)


def person(height=360, left=240, top=60, width=160):
    """Return the box of a standing person with arms and legs apart, and her outline, bool."""
    outline = np.zeros((HEIGHT, WIDTH), np.uint8)
    middle, unit = left + width // 2, height / 8
    head = (middle, round(top + 0.6 * unit)), (round(0.4 * unit), round(0.6 * unit))
    cv2.ellipse(outline, *head, 0, 0, 360, 1, -1)
    limb = round(0.45 * unit)
    shoulders, hips = round(top + 1.6 * unit), round(top + 4 * unit)
    half = round(0.8 * unit)
    cv2.rectangle(outline, (middle - half, shoulders), (middle + half, hips), 1, -1)
    for side in (-1, 1):
        hand = (middle + side * (width // 2 - limb // 2), hips)
        cv2.line(outline, (middle + side * half, shoulders), hand, 1, limb)
        foot = (middle + side * half, top + height - limb)
        cv2.line(outline, (middle + side * half // 2, hips), foot, 1, limb)
    rows, columns = np.nonzero(outline)
    box = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
    return box, outline.astype(bool)


def found(*boxes, masks=None):
    """Return objects with these boxes."""
    count = len(boxes)
    return Detections(boxes, [0.9] * count, [0] * count, ("person",), masks=masks)


def compressed(pixels, packing="png", quantization=(0.0, 0.0)):
    """Return the data of a message of the transport compressedDepth; pixels are uint16."""
    header = struct.pack("<iff", 0, *quantization)
    if packing == "png":
        return header + cv2.imencode(".png", pixels)[1].tobytes()
    return header + rvl(pixels)


def inverse(meters, nearest=100.0, farthest=10.0):
    """Return float depths as compressedDepth codes them, uint16, and the two numbers to read them.

    As in codec.cpp of compressed_depth_image_transport, whose parameters these are.
    """
    a = nearest * (nearest + 1)
    b = 1 - a / farthest
    known = np.isfinite(meters) & (meters > 0) & (meters < farthest)
    with np.errstate(all="ignore"):
        return np.where(known, a / meters + b, 0).astype(np.uint16), (a, b)


def rvl(pixels):
    """Return the bytes of RVL: width, height, and numbers in groups of three bits."""
    flat, groups = pixels.ravel().tolist(), []

    def write(number):
        while True:
            rest = number >> 3
            groups.append(number & 7 | (8 if rest else 0))
            number = rest
            if not number:
                return

    at, before = 0, 0
    while at < len(flat):
        start = at
        while at < len(flat) and not flat[at]:
            at += 1
        write(at - start)
        start = at
        while at < len(flat) and flat[at]:
            at += 1
        write(at - start)
        for value in flat[start:at]:
            difference = value - before
            write(2 * difference if difference >= 0 else -2 * difference - 1)
            before = value
    groups += [0] * (-len(groups) % 8)
    words = [
        sum(g << 4 * (7 - i) for i, g in enumerate(groups[k : k + 8]))
        for k in range(0, len(groups), 8)
    ]
    return struct.pack(f"<II{len(words)}I", pixels.shape[1], pixels.shape[0], *words)


def depth_image(meters):
    """Return a depth image of float meters."""
    return DepthImage(np.asarray(meters, np.float32))
