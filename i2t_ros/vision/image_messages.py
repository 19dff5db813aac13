"""What sensor_msgs/Image and CompressedImage hold, as pixels and pictures; without ROS.

The results of common encodings are those of cv_bridge. They are read with NumPy and OpenCV alone,
and a bgr8 image without a copy.
"""

import re
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from i2t_ros.errors import ImageMessageError, NotAnImageError, UnsupportedFormatError
from i2t_ros.types import ByteBuffer, Image, Picture
from i2t_ros.vision.codecs import check_pixels, picture_format
from i2t_ros.vision.depth_codecs import Layout
from i2t_ros.vision.levels import to_8_bits

# Encoding -> channels, NumPy type of one channel, OpenCV conversion to BGR (None: it is BGR).
# OpenCV names a Bayer pattern by the second row's second and third pixel, ROS by the first row's
# first two, hence BG for rggb. The YUV names are those of sensor_msgs/image_encodings.hpp.
ENCODINGS: dict[str, tuple[int, str, int | None]] = {
    "bgr8": (3, "u1", None),
    "8UC3": (3, "u1", None),
    "rgb8": (3, "u1", cv2.COLOR_RGB2BGR),
    "bgra8": (4, "u1", cv2.COLOR_BGRA2BGR),
    "8UC4": (4, "u1", cv2.COLOR_BGRA2BGR),
    "rgba8": (4, "u1", cv2.COLOR_RGBA2BGR),
    "mono8": (1, "u1", cv2.COLOR_GRAY2BGR),
    "8UC1": (1, "u1", cv2.COLOR_GRAY2BGR),
    "mono16": (1, "u2", cv2.COLOR_GRAY2BGR),
    "16UC1": (1, "u2", cv2.COLOR_GRAY2BGR),
    "bgr16": (3, "u2", None),
    "rgb16": (3, "u2", cv2.COLOR_RGB2BGR),
    "bayer_rggb8": (1, "u1", cv2.COLOR_BayerBG2BGR),
    "bayer_bggr8": (1, "u1", cv2.COLOR_BayerRG2BGR),
    "bayer_gbrg8": (1, "u1", cv2.COLOR_BayerGR2BGR),
    "bayer_grbg8": (1, "u1", cv2.COLOR_BayerGB2BGR),
    "bayer_rggb16": (1, "u2", cv2.COLOR_BayerBG2BGR),
    "bayer_bggr16": (1, "u2", cv2.COLOR_BayerRG2BGR),
    "bayer_gbrg16": (1, "u2", cv2.COLOR_BayerGR2BGR),
    "bayer_grbg16": (1, "u2", cv2.COLOR_BayerGB2BGR),
    "yuv422": (2, "u1", cv2.COLOR_YUV2BGR_UYVY),
    "uyvy": (2, "u1", cv2.COLOR_YUV2BGR_UYVY),
    "yuv422_yuy2": (2, "u1", cv2.COLOR_YUV2BGR_YUY2),
    "yuyv": (2, "u1", cv2.COLOR_YUV2BGR_YUY2),
}
"""Those that are read here, and how."""

LONGEST_FRAME_ID = 255
"""Characters of a coordinate frame's name. It is repeated in the message of each object."""

_GRAY16 = ("mono16", "16UC1")

_VIDEO = {"h264", "h265", "hevc", "avc", "av1", "vp8", "vp9", "mpeg4", "libx264", "libx265"}
"""Words in the format of a compressed message that is a part of a video stream."""


def camera_info_topic(topic: str) -> str:
    """Return the topic of the camera_info of an image topic, as image_transport has it.

    It is in the same namespace; transports are not part of that.
    """
    for transport in ("/compressedDepth", "/compressed"):
        topic = topic.removesuffix(transport)
    namespace, slash, _ = topic.rpartition("/")
    return f"{namespace}{slash}camera_info"


def check_frame_id(frame_id: str) -> None:
    """Raise ImageMessageError for a coordinate frame whose name is too long."""
    if len(frame_id) > LONGEST_FRAME_ID:
        raise ImageMessageError(
            f"header.frame_id: expected at most {LONGEST_FRAME_ID} characters, got {len(frame_id)}"
        )


def compressed_picture(data: ByteBuffer, format: str) -> Picture:
    """Return the picture of a compressed message; raises ImageError, naming its format, if none."""
    try:
        picture_format(data)
    except (NotAnImageError, UnsupportedFormatError) as error:
        raise type(error)(f"{_not_pictures(format)}: {error}") from error
    return Picture(data)


def unsupported(encoding: str) -> str:
    """Return that an encoding cannot be read, and which can."""
    return (
        f"image encoding {encoding[:80]!r} is not supported; supported are {', '.join(ENCODINGS)}"
    )


def pixels_from_rows(data: ByteBuffer, layout: Layout, max_pixels: int, gray16: str) -> Image:
    """Return the pixels of an image message as BGR, of 8 bits; see levels.to_8_bits for 16.

    A bgr8 image shares the memory of its data, any other is new. Raises ImageError.
    """
    check_pixels(layout.width, layout.height, max_pixels)
    if layout.encoding not in ENCODINGS:
        raise ImageMessageError(unsupported(layout.encoding))
    channels, kind, conversion = ENCODINGS[layout.encoding]
    dtype = np.dtype(kind).newbyteorder(">" if layout.big_endian else "<")
    check_rows(data, layout, channels * dtype.itemsize, dtype.itemsize)
    strides = (layout.step, channels * dtype.itemsize, dtype.itemsize)
    shape = (layout.height, layout.width, channels)
    pixels = np.ndarray(shape, dtype, buffer=memoryview(data), strides=strides)
    if dtype.itemsize == 2:
        pixels = to_8_bits(pixels, gray16, gray=layout.encoding in _GRAY16)
    return _to_bgr(pixels, layout.encoding, conversion)


def check_rows(data: ByteBuffer, layout: Layout, pixel: int, unit: int) -> None:
    """Raise ImageMessageError unless step and data hold rows of pixels of ``pixel`` bytes.

    The step is a multiple of ``unit``. The last row may end with its last pixel.
    """
    row = layout.width * pixel
    if layout.step < row or layout.step % unit:
        raise ImageMessageError(
            f"image step: expected at least {row} bytes for {layout.width} pixels of "
            f"{layout.encoding}, got {layout.step}"
        )
    if len(data) < layout.step * (layout.height - 1) + row:
        raise ImageMessageError(
            f"image data: expected {layout.step * layout.height} bytes "
            f"({layout.height} rows of {layout.step}), got {len(data)}"
        )


def _not_pictures(format: str) -> str:
    """Return what a compressed message holds that is no picture, by its format, and what helps."""
    format = format[:80]
    shown = f"the message's format is {format!r}"
    words = set(re.findall(r"[a-z0-9]+", format.lower().replace(".", "")))
    if "compresseddepth" in words:
        return f"{shown}, a depth image: take the topic of the camera's color images"
    if words & _VIDEO:
        return (
            f"{shown}, a part of a video stream: decode it first, as with ros2 run image_transport "
            "republish, and take the raw topic"
        )
    return shown


def _to_bgr(pixels: NDArray[Any], encoding: str, conversion: int | None) -> Image:
    pixels = np.ascontiguousarray(pixels)
    if conversion is None:
        return pixels
    try:
        return cast(Image, cv2.cvtColor(pixels, conversion))
    except cv2.error as error:
        # YUV 4:2:2 needs an even width, Bayer patterns at least two rows and columns.
        height, width = pixels.shape[:2]
        raise ImageMessageError(f"{width}x{height} cannot be {encoding}: {error.err}") from error
