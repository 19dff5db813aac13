"""Images as ROS messages, and back.

They are read with NumPy and OpenCV alone, and not through cv_bridge: its results are the same,
it would copy bgr8 images that are taken here without a copy, it cannot be had from PyPI, and it
does not import beside NumPy 2 (vision_opencv issue 535).
"""

from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import CompressedImage
from sensor_msgs.msg import Image as ImageMsg
from std_msgs.msg import Header

from i2t_ros.errors import ImageMessageError
from i2t_ros.types import Image, Picture
from i2t_ros.vision.codecs import check_pixels, decode_image

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


def image_from_msg(msg: ImageMsg | CompressedImage, max_pixels: int) -> Image:
    """Return the pixels of an image message as BGR; 16-bit values are scaled to 8.

    A bgr8 image shares the message's memory, any other is new. Raises ImageError.
    """
    if isinstance(msg, CompressedImage):
        return decode_image(msg.data, max_pixels)
    if msg.encoding not in _ENCODINGS:
        raise ImageMessageError(
            f"image encoding {msg.encoding!r} is not supported; supported are "
            + ", ".join(_ENCODINGS)
        )
    channels, kind, conversion = _ENCODINGS[msg.encoding]
    check_pixels(msg.width, msg.height, max_pixels)
    dtype = np.dtype(kind).newbyteorder(">" if msg.is_bigendian else "<")
    row = msg.width * channels * dtype.itemsize
    if msg.step < row or msg.step % dtype.itemsize:
        raise ImageMessageError(
            f"image step: expected at least {row} bytes for {msg.width} pixels of {msg.encoding}, "
            f"got {msg.step}"
        )
    if len(msg.data) < msg.step * (msg.height - 1) + row:
        raise ImageMessageError(
            f"image data: expected {msg.step * msg.height} bytes "
            f"({msg.height} rows of {msg.step}), got {len(msg.data)}"
        )
    strides = (msg.step, channels * dtype.itemsize, dtype.itemsize)
    shape = (msg.height, msg.width, channels)
    pixels = np.ndarray(shape, dtype, buffer=memoryview(msg.data), strides=strides)
    return _to_bgr(pixels, msg.encoding, conversion)


def _to_bgr(pixels: NDArray[Any], encoding: str, conversion: int | None) -> Image:
    if pixels.dtype.itemsize == 2:
        # Not by 256: white (65535) has to become white (255). cv_bridge scales in the same way.
        native = np.ascontiguousarray(pixels, np.uint16)
        pixels = cv2.convertScaleAbs(native, alpha=255 / 65535).reshape(pixels.shape)
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


def encoded_to_msg(header: Header, picture: Picture) -> CompressedImage:
    """Return a compressed image message."""
    msg = CompressedImage(header=header, format=picture.format)
    msg.data.frombytes(memoryview(picture.data).cast("B"))
    return msg
