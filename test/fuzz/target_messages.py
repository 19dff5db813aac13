"""ROS messages: what the nodes make of images, requests, descriptions and calibrations."""

import contextlib
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from random import Random
from typing import Any

import cv2
import numpy as np
from bounds import PICTURE_MEMORY
from depth_scenes import compressed as compressed_depth
from i2t_ros.msg import Description as DescriptionMsg
from i2t_ros.srv import Describe
from making import scene_of
from odd_messages import OddMessages
from picture_files import photo
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import CompressedImage
from sensor_msgs.msg import Image as ImageMsg
from std_msgs.msg import Header
from target import Case, Target

from i2t_ros.errors import I2tError
from i2t_ros.nodes.messages.camera_info import load_camera_info
from i2t_ros.nodes.messages.depth import depth_from_msg
from i2t_ros.nodes.messages.descriptions import (
    description_from_msg,
    reply_from_response,
    request_from_msg,
    response_to_msg,
)
from i2t_ros.nodes.messages.images import encoded_to_msg, frame_from_msg, image_to_msg, shown_by_msg
from i2t_ros.pipeline.description_json import reply_to_json
from i2t_ros.types import DescribeReply, Description, Detections
from i2t_ros.vision.codecs import MAX_PIXELS, encode_image
from i2t_ros.vision.levels import GRAY16

CALIBRATION = b"calibration"
SLOPE = np.add.outer(np.arange(48), np.arange(64)).astype(np.uint16)
"""Millimeters, and one pixel without."""
MATRIX = "{rows: 3, cols: %d, data: [1.0, 0, 0, 0, 1.0, 0, 0, 0, 1e-05%s]}"
YAML = f"""\
image_width: 640
image_height: 480
camera_name: front
distortion_model: plumb_bob
distortion_coefficients: {{rows: 1, cols: 5, data: [0.1, -0.2, 0, 0, 0]}}
camera_matrix: {MATRIX % (3, "")}
rectification_matrix: {MATRIX % (3, "")}
projection_matrix: {MATRIX % (4, ", 0, 0, 0")}
""".encode()
WORDS = (
    "bgr8", "rgba8", "mono16", "16UC1", "yuyv", "uyvy", "bayer_rggb8", "8UC3", "jpeg", "png",
    "bgr8; jpeg compressed", "16UC1; compressedDepth", "32FC1; compressedDepth rvl", "32FC1",
    "h264", "detect", "faces", "text", "classify", "person", "busy", "en", "list", "0",
)  # fmt: skip


def _frame(msg: ImageMsg | CompressedImage) -> None:
    shown_by_msg(msg, MAX_PIXELS, GRAY16)
    image, (width, height) = frame_from_msg(msg, MAX_PIXELS, GRAY16)
    assert image.dtype == np.uint8
    assert image.ndim == 3
    assert image.size <= 3 * width * height


def _depth(msg: ImageMsg | CompressedImage) -> None:
    depth = depth_from_msg(msg)
    rows, columns = (np.arange(0, side, 1 + side // 48) for side in depth.pixels.shape)
    meters = depth.meters(rows, columns)
    assert np.isfinite(meters).all()
    assert (meters >= 0).all()


def _frame_and_depth(msg: ImageMsg | CompressedImage) -> None:
    with contextlib.suppress(I2tError):
        _frame(msg)
    _depth(msg)


def _reply(response: Describe.Response) -> None:
    reply_to_json(reply_from_response(response), None)


READERS: Mapping[type, Callable[[Any], object]] = {
    ImageMsg: _frame_and_depth,
    CompressedImage: _frame_and_depth,
    Describe.Request: request_from_msg,
    Describe.Response: _reply,
    DescriptionMsg: description_from_msg,
}
KINDS = {kind.__name__.encode(): kind for kind in READERS}


def _whole() -> list[Any]:
    """Return messages that are right."""
    header, image = Header(frame_id="camera"), photo()
    found = Detections(
        np.float32([[1, 2, 30, 40], [5, 5, 9, 9]]),
        np.float32([0.9, 0.5]),
        np.int32([0, 1]),
        ("person", "dog"),
    )
    scene = scene_of(80, 60, detections=found)
    description = Description(scene, "I can see a person.", "en", "list", "fake", 0.01)
    reply = DescribeReply(description, encode_image(image))
    response = response_to_msg(header, reply)
    compressed = encoded_to_msg(header, encode_image(image, "png"))
    deep = ImageMsg(height=4, width=4, encoding="16UC1", step=8, data=bytes(range(32)))
    colors = ImageMsg(height=60, width=80, encoding="yuyv", step=160)
    colors.data.frombytes(cv2.cvtColor(image, cv2.COLOR_BGR2YUV)[..., :2].tobytes())
    request = Describe.Request(image=compressed, language="es", tasks=["detect"])
    packed = [
        CompressedImage(
            format=f"16UC1; compressedDepth {packing}", data=compressed_depth(SLOPE, packing)
        )
        for packing in ("png", "rvl")
    ]
    images = [image_to_msg(header, image), deep, colors, compressed, *packed]
    return [*images, request, response, response.description]


class Messages(Target):
    """Reads messages whose fields are odd, whose bytes are wrong, or both."""

    name = "messages"
    cases = 1500
    memory = PICTURE_MEMORY

    @contextlib.contextmanager
    def opened(self) -> Iterator[None]:
        self._whole = [(type(msg), serialize_message(msg)) for msg in _whole()]
        with tempfile.TemporaryDirectory() as folder:
            self._file = Path(folder) / "camera.yaml"
            yield

    def generate(self, random: Random) -> Case:
        if random.random() < 0.1:
            words = (
                b":",
                b"[",
                b"{",
                b"&a ",
                b"*a",
                b"!!python/object",
                b".nan",
                b"- ",
                b"\t",
                b"\xff",
            )
            return [
                CALIBRATION,
                self.mutated(random, YAML, words)[:10_000],
            ]  # it is the user's file
        odd = OddMessages(0, WORDS)
        odd.random = random
        kind, data = random.choice(self._whole)
        msg = deserialize_message(data, kind)
        if random.random() < 0.3:
            msg = odd.make(kind)
        for _ in range(random.choice((0, 1, 2, 4))):
            odd.spoil(msg)
        data = odd.garbled(msg) if random.random() < 0.2 else serialize_message(msg)
        return [kind.__name__.encode(), data]

    def run(self, case: Case) -> None:
        name, data = case[0], b"".join(case[1:])
        began = time.process_time()
        with contextlib.suppress(I2tError):
            if name == CALIBRATION:
                self._file.write_bytes(data)
                load_camera_info(str(self._file))
            elif (msg := _read(data, KINDS[name])) is not None:
                READERS[KINDS[name]](msg)
        took = time.process_time() - began
        assert took < self.bounds.cpu, f"reading it took {took:.1f} s"


def _read(data: bytes, kind: type) -> Any:
    """Return a message; None if ROS itself refuses these bytes, as it does before any callback."""
    try:
        return deserialize_message(data, kind)
    except Exception:
        return None
