"""Image messages of bags, without ROS."""

import functools
import re
from typing import Any, NamedTuple

from i2t_ros.errors import ImageMessageError
from i2t_ros.recordings.base import SECOND
from i2t_ros.types import Image
from i2t_ros.vision.codecs import decode_image
from i2t_ros.vision.depth import DepthImage
from i2t_ros.vision.depth_codecs import Layout, decode_compressed_depth, depth_from_rows
from i2t_ros.vision.image_messages import check_frame_id, compressed_picture, pixels_from_rows

RAW, COMPRESSED = "sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage"
IMAGES = (RAW, COMPRESSED)
INFO = "sensor_msgs/msg/CameraInfo"
NO_COLORS = re.compile(r"(32|64)FC\d?|32SC\d?")
"""Encodings of numbers for which there are no colors: depths, disparities, temperatures."""
_DEPTH_NAME = re.compile(r"(^|[/_])(depth|disparity)([/_]|$)|compressedDepth", re.IGNORECASE)


class Stamped(NamedTuple):
    """What the header of a message says; ``stamp`` is None if no clock has set it."""

    stamp: int | None
    frame_id: str


@functools.cache
def typestore() -> Any:
    """Return the messages that ROS comes with."""
    from rosbags.typesys import Stores, get_typestore  # noqa: PLC0415 (an optional dependency)

    return get_typestore(Stores.ROS2_JAZZY)


def parse(data: memoryview, kind: str) -> Any:
    """Return a message; raises ImageMessageError."""
    try:
        return typestore().deserialize_cdr(data, kind)
    except Exception as error:  # SerdeError, and whatever its generated code comes across
        raise ImageMessageError(
            f"expected a message {kind}, got {len(data)} bytes that are none: {error}"
        ) from error


def header_of(message: Any) -> Stamped:
    """Return what the header says; raises ImageMessageError."""
    header = message.header
    check_frame_id(header.frame_id)
    stamp = header.stamp.sec * SECOND + header.stamp.nanosec
    return Stamped(stamp or None, header.frame_id)


def pixels_of(message: Any, kind: str, max_pixels: int, gray16: str) -> Image:
    """Return the pixels of an image message; raises ImageError."""
    data = memoryview(message.data)
    if kind == COMPRESSED:
        return decode_image(compressed_picture(data, message.format), max_pixels, gray16)
    return pixels_from_rows(data, layout_of(message), max_pixels, gray16)


def depth_of(message: Any, kind: str) -> DepthImage:
    """Return the depths of an image message; raises ImageError."""
    data = memoryview(message.data)
    if kind == COMPRESSED:
        return decode_compressed_depth(data, message.format)
    return depth_from_rows(data, layout_of(message))


def layout_of(message: Any) -> Layout:
    """Return how the pixels of a raw image lie in its data."""
    size = message.width, message.height, message.step
    return Layout(*size, message.encoding, bool(message.is_bigendian))


def named_like_depth(topic: str) -> bool:
    """Whether a topic's name says that it has depths."""
    return bool(_DEPTH_NAME.search(topic))


def shows_colors(message: Any, kind: str, topic: str) -> bool:
    """Whether there is something to see in an image: it is neither depth nor disparity.

    16UC1 may be depth or heat. Then the topic's name decides.
    """
    if kind == COMPRESSED:
        return "compresseddepth" not in message.format.lower()
    if message.encoding == "16UC1":
        return not named_like_depth(topic)
    return not NO_COLORS.fullmatch(message.encoding)
