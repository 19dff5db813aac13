"""Shows images to a detector_node, and asks it."""

import time

import cv2
import numpy as np
from i2t_ros.srv import Describe
from sensor_msgs.msg import CompressedImage
from std_msgs.msg import Header

from i2t_ros.nodes.messages.images import image_to_msg

GREY = np.full((480, 640, 3), 128, np.uint8)  # in anything but black the fake model sees a person


def picture(image, stamp=1, frame_id="camera"):
    msg = image_to_msg(Header(frame_id=frame_id), image)
    msg.header.stamp.sec, msg.header.stamp.nanosec = divmod(stamp, 10**9)
    return msg


def stamp_of(msg):
    return msg.header.stamp.sec * 10**9 + msg.header.stamp.nanosec


def compressed(image, fmt="png"):
    msg = CompressedImage(format=fmt)
    msg.data.frombytes(cv2.imencode(f".{fmt}", image)[1].tobytes())
    return msg


def show(peer, camera, msg, answered):
    """Publish as a camera does, again and again, until there is an answer."""
    end = time.monotonic() + 60
    while not answered():
        camera.publish(msg)
        with peer.changed:
            peer.changed.wait(0.2)
        assert time.monotonic() < end, "no answer"


def describe(peer, request, limit=30.0):
    return peer.call(Describe, "/detector_node/describe", request, limit)
