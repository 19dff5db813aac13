"""The Describe service's messages, from both of its ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
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
    EncodedImage,
    Faces,
    Scene,
    Task,
    TextRegion,
)
from i2t_ros.vision.codecs import canonical_format

SERVICE_QOS = QoSProfile(depth=1000, durability=DurabilityPolicy.VOLATILE)
"""Of Describe and its clients: with ROS's own depth of 10 a burst of requests, or of answers, would
lose all but the last ten without a word."""


_NO_FACES = Faces(np.empty((0, 4), np.float32), np.empty(0, np.float32))


def request_from_msg(request: Describe.Request) -> DescribeRequest:
    """Return a service request in the vocabulary of the package; raises UnknownTaskError."""
    return DescribeRequest(
        image=request.image.data,
        camera=request.camera,
        tasks=_tasks(request.tasks),
        language=request.language,
        style=request.style,
        min_score=request.min_score,
        annotate=request.annotate,
    )


def _tasks(names: Sequence[str]) -> tuple[Task, ...]:
    unknown = [name for name in names if name not in TASKS]
    if unknown:
        raise UnknownTaskError(f"unknown task {unknown[0]!r}; tasks are {', '.join(TASKS)}")
    return tuple(cast(Task, name) for name in names)


def fill_response(response: Describe.Response, header: Header, reply: DescribeReply) -> None:
    """Put a reply into a service response; the tasks that failed are in its message."""
    response.success = True
    response.message = _failures_to_text(reply.description.scene.failures)
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
    image.data.frombytes(memoryview(request.image).cast("B"))
    return Describe.Request(
        image=image,
        camera=request.camera,
        tasks=list(request.tasks),
        language=request.language,
        style=request.style,
        min_score=request.min_score,
        annotate=request.annotate,
    )


def error_from_response(response: Describe.Response) -> I2tError:
    """Return the error that a response tells of."""
    return error_from_code(response.error_code, response.message)


def reply_from_response(response: Describe.Response, tasks: Sequence[Task] = ()) -> DescribeReply:
    """Return the reply that a response carries; raises UnsupportedFormatError for its picture.

    A message does not tell a task that found nothing from one that did not run; ``tasks``, those
    that were asked for, do. Where they are not known, detect counts as one that ran.
    """
    annotated = None
    if len(response.annotated.data):
        fmt = canonical_format(response.annotated.format)
        annotated = EncodedImage(response.annotated.data, fmt)
    description = description_from_msg(response.description)
    failures = _failures_from_text(response.message)
    scene = replace(_as_asked(description.scene, tasks, failures), failures=failures)
    return DescribeReply(replace(description, scene=scene), annotated, response.cached)


def _as_asked(scene: Scene, tasks: Sequence[Task], failed: Mapping[Task, I2tError]) -> Scene:
    """Return a scene that has something, be it empty, of those tasks that ran, and of no others."""
    if not tasks:
        return scene
    ran = [task for task in tasks if task not in failed]
    return replace(
        scene,
        detections=scene.detections if "detect" in ran else None,
        faces=scene.faces or (_NO_FACES if "faces" in ran else None),
        texts=scene.texts or (() if "text" in ran else None),
    )


def _failures_to_text(failures: Mapping[Task, I2tError]) -> str:
    """Return a line for each task that failed: "task: code: what went wrong and what to do"."""
    return "\n".join(
        f"{task}: {error.code}: {' '.join(str(error).split())}" for task, error in failures.items()
    )


def _failures_from_text(text: str) -> dict[Task, I2tError]:
    parts = [line.split(": ", 2) for line in text.splitlines()]
    return {
        task: error_from_code(code, message)
        for task, code, message in (part for part in parts if len(part) == 3)
        if task in TASKS
    }


def description_from_msg(msg: DescriptionMsg) -> Description:
    """Return a description; what is empty in the message is a task that did not run.

    The size of the image is not in the message, so the scene's is 0 x 0.
    """
    results = msg.classification.results
    scene = Scene(
        width=0,
        height=0,
        detections=_detections_from_msg(msg),
        classification=Classification(
            tuple(result.class_id for result in results), tuple(result.score for result in results)
        )
        if results
        else None,
        faces=_faces_from_msg(msg),
        texts=tuple(map(_text_from_msg, msg.texts)) or None,
    )
    elapsed = msg.elapsed.sec + msg.elapsed.nanosec / 1e9
    return Description(scene, msg.sentence, msg.language, msg.model, elapsed)


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


def _faces_from_msg(msg: DescriptionMsg) -> Faces | None:
    if not msg.faces:
        return None
    landmarks = np.array([[(p.x, p.y) for p in face.landmarks] for face in msg.faces], np.float32)
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
