"""Images as ROS messages, and back.

Common encodings are read by vision/image_messages.py, without cv_bridge, which would copy bgr8
images that are taken without a copy, and which may be missing, or built for another NumPy
(vision_opencv issue 535). The others are left to it: other_encodings.py.
"""

import sys

import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import CompressedImage
from sensor_msgs.msg import Image as ImageMsg
from std_msgs.msg import Header

from i2t_ros.nodes.messages import other_encodings
from i2t_ros.types import Image, Picture
from i2t_ros.vision.codecs import check_pixels, decode_image, read_header
from i2t_ros.vision.depth_codecs import Layout
from i2t_ros.vision.image_messages import (
    ENCODINGS,
    check_frame_id,
    check_rows,
    compressed_picture,
    pixels_from_rows,
)
from i2t_ros.vision.levels import GRAY16, to_8_bits


def picture_from_msg(msg: CompressedImage) -> Picture:
    """Return the picture of a message; raises ImageError, naming the format, if it is none."""
    check_frame_id(msg.header.frame_id)
    return compressed_picture(msg.data, msg.format)


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
    check_frame_id(msg.header.frame_id)
    layout = Layout(msg.width, msg.height, msg.step, msg.encoding, bool(msg.is_bigendian))
    if msg.encoding in ENCODINGS:
        return pixels_from_rows(msg.data, layout, max_pixels, gray16)
    check_pixels(msg.width, msg.height, max_pixels)
    convert = other_encodings.converter(msg.encoding)
    check_rows(msg.data, layout, other_encodings.pixel_size(msg.encoding), 1)
    pixels = convert(msg)
    return pixels if pixels.dtype == np.uint8 else to_8_bits(pixels, gray16, gray=False)


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
