"""Builds and reads ROS messages; with *_messages.py the only place that does.

Images are read with NumPy and OpenCV alone, and not through cv_bridge: its results are the same,
it would copy bgr8 images that are taken here without a copy, it cannot be had from PyPI, and it
does not import beside NumPy 2 (vision_opencv issue 535).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, cast

import cv2
import numpy as np
from builtin_interfaces.msg import Duration, Time
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from geometry_msgs.msg import Point
from numpy.typing import NDArray
from sensor_msgs.msg import CompressedImage
from sensor_msgs.msg import Image as ImageMsg
from std_msgs.msg import ColorRGBA, Header
from vision_msgs.msg import (
    Detection2D,
    Detection2DArray,
    LabelInfo,
    ObjectHypothesisWithPose,
    VisionClass,
    VisionInfo,
)
from visualization_msgs.msg import ImageMarker, Marker

from i2t_ros import language as words
from i2t_ros.errors import ImageMessageError
from i2t_ros.msg import Description as DescriptionMsg
from i2t_ros.msg import ObjectCount as ObjectCountMsg
from i2t_ros.msg import TaskFailure
from i2t_ros.nodes.messages import scenes as scene_messages
from i2t_ros.types import (
    Description,
    Detections,
    Image,
    Picture,
)
from i2t_ros.vision.codecs import check_pixels, decode_image
from i2t_ros.vision.drawing import class_color

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


def image_from_msg(msg: ImageMsg, max_pixels: int) -> Image:
    """Return the pixels of an image message as BGR; 16-bit values are scaled to 8.

    A bgr8 image shares the message's memory, any other is new.
    Raises ImageMessageError, saying what was expected and what came, and EmptyImageError and
    ImageTooLargeError.
    """
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


def image_from_compressed_msg(msg: CompressedImage, max_pixels: int) -> Image:
    """Return the pixels of a compressed image message as BGR; raises ImageError."""
    return decode_image(msg.data, max_pixels)


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


def detections_to_msg(header: Header, found: Detections | None) -> Detection2DArray:
    """Return detections, best first, each with the header of the image; class_id is the name."""
    msg = Detection2DArray(header=header)
    if found is None:
        return msg
    boxes = found.boxes.tolist()
    scores = found.scores.tolist()
    tracks = [] if found.track_ids is None else found.track_ids.tolist()
    for i, (left, top, right, bottom) in enumerate(boxes):
        item = Detection2D(header=header)
        result = ObjectHypothesisWithPose()
        result.hypothesis.class_id = found.label(i)
        result.hypothesis.score = scores[i]
        item.results.append(result)
        item.bbox = scene_messages.box_to_msg(left, top, right, bottom)
        if tracks and tracks[i] >= 0:
            item.id = str(tracks[i])
        msg.detections.append(item)
    return msg


def description_to_msg(
    header: Header, description: Description, detections: Detection2DArray | None = None
) -> DescriptionMsg:
    """Return a description. ``detections`` is its message where the caller has made it already."""
    scene = description.scene
    msg = DescriptionMsg(
        header=header,
        width=scene.width,
        height=scene.height,
        sentence=description.sentence,
        language=description.language,
        style=description.style,
        tasks=scene.tasks,
        failures=[
            TaskFailure(task=task, code=error.code, message=str(error))
            for task, error in scene.failures.items()
        ],
        model=description.model,
        elapsed=duration_to_msg(description.elapsed),
        detections=detections or detections_to_msg(header, scene.detections),
    )
    if scene.detections is not None:
        msg.objects = [
            ObjectCountMsg(
                class_id=entry.class_id,
                label=entry.label,
                count=entry.count,
                max_score=entry.max_score,
            )
            for entry in words.count_objects(scene.detections, description.language)
        ]
    msg.classification = scene_messages.classification_to_msg(header, scene.classification)
    msg.faces = scene_messages.faces_to_msgs(scene.faces)
    msg.texts = [scene_messages.text_to_msg(region) for region in scene.texts or ()]
    return msg


def label_info_to_msg(header: Header, labels: Sequence[str], min_score: float) -> LabelInfo:
    """Return the model's label table; numbers without a class are left out."""
    classes = [
        VisionClass(class_id=number, class_name=name) for number, name in enumerate(labels) if name
    ]
    return LabelInfo(header=header, class_map=classes, threshold=min_score)


def vision_info_to_msg(header: Header, method: str, labels_at: str) -> VisionInfo:
    """Return which model is at work, and on which topic its labels are."""
    return VisionInfo(header=header, method=method, database_location=labels_at)


def boxes_to_marker(header: Header, found: Detections) -> ImageMarker:
    """Return the outlines of all boxes as one image annotation, in the colours of the classes."""
    marker = ImageMarker(header=header, ns="detections", type=ImageMarker.LINE_LIST, scale=2.0)
    marker.action = ImageMarker.ADD if len(found) else ImageMarker.REMOVE
    for i, (left, top, right, bottom) in enumerate(found.boxes.tolist()):
        blue, green, red = (channel / 255 for channel in class_color(found.label(i)))
        # The start and the end of each side, clockwise from the top.
        xs = (left, right, right, right, right, left, left, left)
        ys = (top, top, top, bottom, bottom, bottom, bottom, top)
        marker.points += [Point(x=x, y=y) for x, y in zip(xs, ys, strict=True)]
        marker.outline_colors += [ColorRGBA(r=red, g=green, b=blue, a=1.0)] * 8
    return marker


def sentence_to_marker(header: Header, sentence: str) -> Marker:
    """Return a sentence to be read in a 3D view, 2 m in front of the camera and 0.7 m below.

    The header's frame is the camera's optical one (REP-103): x right, y down, z forward.
    """
    marker = Marker(header=header, ns="sentence", type=Marker.TEXT_VIEW_FACING, text=sentence)
    marker.pose.position.y, marker.pose.position.z = 0.7, 2.0
    marker.pose.orientation.w = 1.0
    marker.scale.z = 0.12  # the height of a capital letter, metres
    marker.color = ColorRGBA(r=1.0, g=1.0, b=1.0, a=1.0)
    return marker


def duration_to_msg(seconds: float) -> Duration:
    """Return a duration of at least 0 seconds."""
    nanoseconds = max(0, round(seconds * 1e9))
    return Duration(sec=nanoseconds // 10**9, nanosec=nanoseconds % 10**9)


class StatusLevel(Enum):
    """Levels of a diagnostic status."""

    OK = DiagnosticStatus.OK
    WARN = DiagnosticStatus.WARN
    ERROR = DiagnosticStatus.ERROR


def status_to_msg(
    name: str, level: StatusLevel, message: str, values: Mapping[str, object]
) -> DiagnosticStatus:
    """Return one line of /diagnostics with its details."""
    pairs = [KeyValue(key=key, value=str(value)) for key, value in values.items()]
    return DiagnosticStatus(
        name=name, level=level.value, message=message, hardware_id="i2t_ros", values=pairs
    )


def diagnostics_to_msg(stamp: Time, statuses: list[DiagnosticStatus]) -> DiagnosticArray:
    """Return what /diagnostics carries."""
    return DiagnosticArray(header=Header(stamp=stamp), status=statuses)
