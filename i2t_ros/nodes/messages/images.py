"""Images as ROS messages, and back.

Common encodings are read with NumPy and OpenCV alone. The results are those of cv_bridge, which
would copy bgr8 images that are taken here without a copy, and which may be missing, or built for
another NumPy (vision_opencv issue 535). The others are left to it: other_encodings.py.
"""

import re
import sys
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import CompressedImage
from sensor_msgs.msg import Image as ImageMsg
from std_msgs.msg import Header

from i2t_ros.errors import ImageMessageError, NotAnImageError, UnsupportedFormatError
from i2t_ros.nodes.messages import other_encodings
from i2t_ros.types import Image, Picture
from i2t_ros.vision.codecs import check_pixels, decode_image, picture_format, read_header
from i2t_ros.vision.levels import GRAY16, to_8_bits

# Encoding -> channels, NumPy type of one channel, OpenCV conversion to BGR (None: it is BGR).
# OpenCV names a Bayer pattern by the second row's second and third pixel, ROS by the first row's
# first two, hence BG for rggb. The YUV names are those of sensor_msgs/image_encodings.hpp.
_ENCODINGS: dict[str, tuple[int, str, int | None]] = {
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

LONGEST_FRAME_ID = 255
"""Characters of a coordinate frame's name. It is repeated in the message of each object."""

_GRAY16 = ("mono16", "16UC1")

_VIDEO = {"h264", "h265", "hevc", "avc", "av1", "vp8", "vp9", "mpeg4", "libx264", "libx265"}
"""Words in the format of a compressed message that is a part of a video stream."""


def check_frame_id(header: Header) -> None:
    """Raise ImageMessageError for a coordinate frame whose name is too long."""
    if len(header.frame_id) > LONGEST_FRAME_ID:
        raise ImageMessageError(
            f"header.frame_id: expected at most {LONGEST_FRAME_ID} characters, "
            f"got {len(header.frame_id)}"
        )


def picture_from_msg(msg: CompressedImage) -> Picture:
    """Return the picture of a message; raises ImageError, naming the format, if it is none."""
    check_frame_id(msg.header)
    try:
        picture_format(msg.data)
    except (NotAnImageError, UnsupportedFormatError) as error:
        raise type(error)(f"{_not_pictures(msg.format)}: {error}") from error
    return Picture(msg.data)


def image_from_msg(msg: ImageMsg | CompressedImage, max_pixels: int, gray16: str = GRAY16) -> Image:
    """Return the pixels of an image message as BGR, of 8 bits; see levels.to_8_bits for 16.

    A bgr8 image shares the message's memory, any other is new. Raises ImageError.
    """
    return frame_from_msg(msg, max_pixels, gray16)[0]


def shown_by_msg(msg: ImageMsg | CompressedImage, max_pixels: int, gray16: str) -> Image | Picture:
    """Return the picture of a compressed message, which is not decoded, or a raw one's pixels."""
    if isinstance(msg, CompressedImage):
        return picture_from_msg(msg)
    return image_from_msg(msg, max_pixels, gray16)


def frame_from_msg(
    msg: ImageMsg | CompressedImage, max_pixels: int, gray16: str
) -> tuple[Image, tuple[int, int]]:
    """Return what image_from_msg returns, and the width and height of the picture.

    A large JPEG is decoded at a smaller size.
    """
    if isinstance(msg, CompressedImage):
        picture = picture_from_msg(msg)
        image = decode_image(picture, max_pixels, gray16)
        return image, read_header(picture)[1:]
    return _raw_image(msg, max_pixels, gray16), (msg.width, msg.height)


def _raw_image(msg: ImageMsg, max_pixels: int, gray16: str) -> Image:
    check_frame_id(msg.header)
    check_pixels(msg.width, msg.height, max_pixels)
    if msg.encoding not in _ENCODINGS:
        convert = other_encodings.converter(msg.encoding, _ENCODINGS)
        _check_rows(msg, other_encodings.pixel_size(msg.encoding), 1)
        pixels = convert(msg)
        return pixels if pixels.dtype == np.uint8 else to_8_bits(pixels, gray16, gray=False)
    channels, kind, conversion = _ENCODINGS[msg.encoding]
    dtype = np.dtype(kind).newbyteorder(">" if msg.is_bigendian else "<")
    _check_rows(msg, channels * dtype.itemsize, dtype.itemsize)
    strides = (msg.step, channels * dtype.itemsize, dtype.itemsize)
    shape = (msg.height, msg.width, channels)
    pixels = np.ndarray(shape, dtype, buffer=memoryview(msg.data), strides=strides)
    if dtype.itemsize == 2:
        pixels = to_8_bits(pixels, gray16, gray=msg.encoding in _GRAY16)
    return _to_bgr(pixels, msg.encoding, conversion)


def _check_rows(msg: ImageMsg, pixel: int, unit: int) -> None:
    """Raise ImageMessageError unless step and data hold rows of pixels of ``pixel`` bytes.

    The step is a multiple of ``unit``. The last row may end with its last pixel.
    """
    row = msg.width * pixel
    if msg.step < row or msg.step % unit:
        raise ImageMessageError(
            f"image step: expected at least {row} bytes for {msg.width} pixels of "
            f"{msg.encoding}, got {msg.step}"
        )
    if len(msg.data) < msg.step * (msg.height - 1) + row:
        raise ImageMessageError(
            f"image data: expected {msg.step * msg.height} bytes "
            f"({msg.height} rows of {msg.step}), got {len(msg.data)}"
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


def image_to_msg(header: Header, image: Image) -> ImageMsg:
    """Return a bgr8 image message."""
    height, width = image.shape[:2]
    msg = ImageMsg(header=header, height=height, width=width, encoding="bgr8", step=3 * width)
    # Handed over as an array.array, which is the one type that rclpy takes without a check of
    # each element.
    msg.data.frombytes(np.ascontiguousarray(image).data.cast("B"))
    return msg


def numbers_to_msg(header: Header, numbers: NDArray[np.uint16]) -> ImageMsg:
    """Return a 16UC1 image message of a number for each pixel, (height, width)."""
    height, width = numbers.shape
    msg = ImageMsg(header=header, height=height, width=width, encoding="16UC1", step=2 * width)
    msg.is_bigendian = sys.byteorder == "big"
    msg.data.frombytes(np.ascontiguousarray(numbers).data.cast("B"))
    return msg


def encoded_to_msg(header: Header, picture: Picture) -> CompressedImage:
    """Return a compressed image message."""
    msg = CompressedImage(header=header, format=picture.format)
    msg.data.frombytes(memoryview(picture.data).cast("B"))
    return msg
