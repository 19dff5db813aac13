"""The Describe service's messages, from both of its ends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import CompressedImage
from std_msgs.msg import ColorRGBA, Header
from vision_msgs.msg import BoundingBox2D

from i2t_ros.errors import I2tError, UnknownTaskError, error_from_code
from i2t_ros.msg import Description as DescriptionMsg
from i2t_ros.msg import TextRegion as TextRegionMsg
from i2t_ros.nodes.messages.conversions import description_to_msg, encoded_to_msg
from i2t_ros.srv import Describe
from i2t_ros.types import (
    TASKS,
    Classification,
    DescribeReply,
    DescribeRequest,
    Description,
    Detections,
    Faces,
    Picture,
    PictureHeader,
    Scene,
    Task,
    TextRegion,
)
from i2t_ros.vision.codecs import canonical_format

SERVICE_QOS = QoSProfile(depth=1000, durability=DurabilityPolicy.VOLATILE)
"""Of Describe and its clients: with ROS's own depth of 10 a burst of requests, or of answers, would
lose all but the last ten without a word."""


def request_from_msg(request: Describe.Request) -> DescribeRequest:
    """Return a service request in the vocabulary of the package; raises UnknownTaskError."""
    return DescribeRequest(
        picture=Picture(request.image.data) if len(request.image.data) else None,
        camera=request.camera,
        tasks=_tasks(request.tasks),
        language=request.language,
        style=request.style,
        min_score=request.min_score,
        annotate=request.annotate,
        fresh=request.fresh,
    )


def _tasks(names: Sequence[str]) -> tuple[Task, ...]:
    unknown = [name for name in names if name not in TASKS]
    if unknown:
        raise UnknownTaskError(f"unknown task {unknown[0]!r}; tasks are {', '.join(TASKS)}")
    return tuple(cast(Task, name) for name in names)


def fill_response(response: Describe.Response, header: Header, reply: DescribeReply) -> None:
    """Put a reply into a service response."""
    response.success = True
    response.description = description_to_msg(header, reply.description)
    response.cached = reply.cached
    if reply.annotated is not None:
        response.annotated = encoded_to_msg(header, reply.annotated)


def fill_error(response: Describe.Response, error: I2tError) -> None:
    """Put an error into a service response."""
    response.success = False
    response.error_code = error.code
    response.message = str(error)


def request_to_msg(request: DescribeRequest) -> Describe.Request:
    """Return a service request; its picture's format is told by its bytes at the other end."""
    image = CompressedImage()
    if request.picture is not None:
        image.data.frombytes(memoryview(request.picture.data).cast("B"))
    return Describe.Request(
        image=image,
        camera=request.camera,
        tasks=list(request.tasks),
        language=request.language,
        style=request.style,
        min_score=request.min_score,
        annotate=request.annotate,
        fresh=request.fresh,
    )


def error_from_response(response: Describe.Response) -> I2tError:
    """Return the error that a response tells of."""
    return error_from_code(response.error_code, response.message)


def reply_from_response(response: Describe.Response) -> DescribeReply:
    """Return the reply that a response carries; raises UnsupportedFormatError for its picture."""
    annotated = None
    if len(response.annotated.data):
        description = response.description
        header = PictureHeader(
            canonical_format(response.annotated.format), description.width, description.height
        )
        annotated = Picture(response.annotated.data, header)
    return DescribeReply(description_from_msg(response.description), annotated, response.cached)


def description_from_msg(msg: DescriptionMsg) -> Description:
    """Return a description."""
    results = msg.classification.results
    scene = Scene(
        width=msg.width,
        height=msg.height,
        detections=_detections_from_msg(msg) if "detect" in msg.tasks else None,
        classification=Classification(
            tuple(result.class_id for result in results), tuple(result.score for result in results)
        )
        if "classify" in msg.tasks
        else None,
        faces=_faces_from_msg(msg) if "faces" in msg.tasks else None,
        texts=tuple(map(_text_from_msg, msg.texts)) if "text" in msg.tasks else None,
        failures={
            failure.task: error_from_code(failure.code, failure.message) for failure in msg.failures
        },
    )
    elapsed = msg.elapsed.sec + msg.elapsed.nanosec / 1e9
    return Description(scene, msg.sentence, msg.language, msg.style, msg.model, elapsed)


def _detections_from_msg(msg: DescriptionMsg) -> Detections:
    items = msg.detections.detections
    names = [item.results[0].hypothesis.class_id for item in items]
    labels = tuple(dict.fromkeys(names))
    return Detections(
        np.array([_sides(item.bbox) for item in items], np.float32),
        np.array([item.results[0].hypothesis.score for item in items], np.float32),
        np.array([labels.index(name) for name in names], np.int32),
        labels,
    )


def _faces_from_msg(msg: DescriptionMsg) -> Faces:
    points = [[(p.x, p.y) for p in face.landmarks] for face in msg.faces]
    landmarks = np.array(points, np.float32).reshape(-1, 5, 2)
    return Faces(
        np.array([_sides(face.bbox) for face in msg.faces], np.float32),
        np.array([face.score for face in msg.faces], np.float32),
        landmarks if landmarks.any() else None,
    )


def _text_from_msg(msg: TextRegionMsg) -> TextRegion:
    return TextRegion(
        np.array([(corner.x, corner.y) for corner in msg.corners], np.float32),
        msg.text,
        msg.score,
        _color_from_msg(msg.text_color),
        _color_from_msg(msg.background_color),
        msg.translation,
    )


def _color_from_msg(color: ColorRGBA) -> tuple[int, int, int]:
    return round(255 * color.r), round(255 * color.g), round(255 * color.b)


def _sides(box: BoundingBox2D) -> tuple[float, float, float, float]:
    """Return left, top, right, bottom of an upright box."""
    center, half_x, half_y = box.center.position, box.size_x / 2, box.size_y / 2
    return center.x - half_x, center.y - half_y, center.x + half_x, center.y + half_y
