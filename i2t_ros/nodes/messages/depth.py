"""Depth images and the cameras that they are made for, from ROS messages."""

from typing import TypeAlias

from sensor_msgs.msg import CameraInfo, CompressedImage
from sensor_msgs.msg import Image as ImageMsg

from i2t_ros.vision.depth import DepthImage, Intrinsics, intrinsics
from i2t_ros.vision.depth_codecs import Layout, decode_compressed_depth, depth_from_rows

DepthMessage: TypeAlias = ImageMsg | CompressedImage


def depth_from_msg(msg: DepthMessage) -> DepthImage:
    """Return the depths of an image, or of one of the transport compressedDepth.

    An Image's are in the message's memory. Raises ImageError.
    """
    if isinstance(msg, CompressedImage):
        return decode_compressed_depth(msg.data, msg.format)
    layout = Layout(msg.width, msg.height, msg.step, msg.encoding, bool(msg.is_bigendian))
    return depth_from_rows(msg.data, layout)


def intrinsics_from_msg(msg: CameraInfo) -> Intrinsics:
    """Return the pinhole model of a camera; raises ValueError for numbers that no camera has."""
    return intrinsics(msg.k, msg.p, msg.width, msg.height)
