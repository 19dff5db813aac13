"""A depth camera: publishes pictures, the depth that is registered to them, and its camera_info."""

import time

from depth_scenes import CAMERA, compressed, millimeters, plane
from detector_talk import GREY, picture
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

DEPTH_TOPIC = "/camera/depth/image_raw"
TILTED = plane(2.0, across=20)
"""What the person that the fake model sees in the middle stands before: a wall that leans away."""


def scene():
    """Return depths with a thing 1.5 m away in the middle of the picture."""
    meters = TILTED.copy()
    meters[180:300, 260:380] = 1.5
    return meters


def stamped(msg, stamp, frame_id="camera"):
    msg.header.frame_id = frame_id
    msg.header.stamp.sec, msg.header.stamp.nanosec = divmod(stamp, 10**9)
    return msg


def depth_msg(pixels, encoding="16UC1", *, big_endian=False, padding=0):
    """Return an image of depths; ``padding`` bytes follow each row."""
    height, width = pixels.shape
    rows = pixels.astype(pixels.dtype.newbyteorder("<>"[big_endian]))
    step = width * pixels.dtype.itemsize + padding
    data = b"".join(row.tobytes() + bytes(padding) for row in rows)
    msg = Image(height=height, width=width, encoding=encoding, step=step, is_bigendian=big_endian)
    msg.data.frombytes(data)
    return msg


def compressed_msg(pixels, format="16UC1; compressedDepth png", quantization=(0.0, 0.0)):
    msg = CompressedImage(format=format)
    msg.data.frombytes(compressed(pixels, format.split()[-1], quantization))
    return msg


def info(camera=CAMERA):
    msg = CameraInfo(width=camera.width, height=camera.height)
    msg.k = [camera.fx, 0.0, camera.cx, 0.0, camera.fy, camera.cy, 0.0, 0.0, 1.0]
    return msg


INFO = info()


class DepthCamera:
    """Publishes what a test gives it."""

    def __init__(self, peer, image="image", depth=DEPTH_TOPIC, kind=Image, info_topic=None):
        self._peer = peer
        node, qos = peer.node, qos_profile_sensor_data
        self._image = peer.camera(image)
        base = depth.removesuffix("/compressedDepth")
        info_topic = info_topic or base.rpartition("/")[0] + "/camera_info"
        self._depth = node.create_publisher(kind, depth, qos)
        self._info = node.create_publisher(CameraInfo, info_topic, qos)

    def show(
        self,
        depth,
        answered,
        *,
        stamp=10**9,
        depth_stamp=None,
        info=INFO,
        image=GREY,
        depth_frame="camera",
    ):
        """Publish again and again until there is an answer; ``info`` None: no camera_info."""
        stamped(depth, stamp if depth_stamp is None else depth_stamp, depth_frame)
        end = time.monotonic() + 60
        while not answered():
            if info is not None:
                self._info.publish(info)
            self._depth.publish(depth)
            self._image.publish(picture(image, stamp))
            with self._peer.changed:
                self._peer.changed.wait(0.1)
            assert time.monotonic() < end, "no answer"


def usual():
    """Return the depth image of the scene, in millimeters."""
    return depth_msg(millimeters(scene()))
