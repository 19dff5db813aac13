"""What was found in an image of a bag, as messages beside it."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from i2t_ros.pipeline.annotations import annotations_of
from i2t_ros.pipeline.describe_options import DescribeOptions
from i2t_ros.recordings.base import SECOND
from i2t_ros.recordings.rendering.bag_types import foxglove, make, serialize
from i2t_ros.recordings.writing.base import Told
from i2t_ros.types import Detections
from i2t_ros.vision.class_colors import Color, class_color

DETECTIONS, SENTENCE = "vision_msgs/msg/Detection2DArray", "std_msgs/msg/String"
ANNOTATIONS, MARKERS = "foxglove_msgs/msg/ImageAnnotations", "visualization_msgs/msg/MarkerArray"
KINDS = {
    "detections": DETECTIONS,
    "sentence": SENTENCE,
    "annotations": ANNOTATIONS,
    "object_markers": MARKERS,
}
"""What the topics beside an image's end with -> their messages."""
DIAMETER = 0.2
"""Meters of the ball that marks an object, whose size is not known."""
LETTERS = 0.15
"""Meters, the height of a capital letter beside it."""
_SPHERE, _TEXT_VIEW_FACING, _DELETE_ALL = 2, 9, 3  # of visualization_msgs/Marker
_WHITE: Color = (255, 255, 255)


def messages_of(
    told: Told, options: DescribeOptions, *, measured: bool
) -> Iterator[tuple[str, bytes]]:
    """Yield the topic and the bytes of each message of an image.

    measured  whether the positions of its objects are looked for
    """
    seconds, nanoseconds = divmod(told.stamp or 0, SECOND)
    stamp = make("builtin_interfaces/msg/Time", sec=seconds, nanosec=nanoseconds)
    header = make("std_msgs/msg/Header", stamp=stamp, frame_id=told.frame_id)
    scene = told.description.scene
    made = {
        "detections": _detections(header, scene.detections),
        "sentence": make(SENTENCE, data=told.description.sentence),
        "annotations": annotations_of(foxglove(), stamp, scene, options),
    }
    if measured:
        made["object_markers"] = _markers(header, scene.detections)
    for ending, message in made.items():
        yield f"{told.stream.topic}/{ending}", serialize(message)


def _detections(header: Any, found: Detections | None) -> Any:
    """Return what detector_node publishes of them."""
    items = []
    if found is not None:
        names, scores = found.class_names(), found.scores.tolist()
        tracks = [-1] * len(found) if found.track_ids is None else found.track_ids.tolist()
        for i, box in enumerate(found.boxes.tolist()):
            values: dict[str, Any] = {}
            if found.positions is not None:
                values["pose"] = make(
                    "geometry_msgs/msg/PoseWithCovariance", pose=_pose(found.positions[i].tolist())
                )
            hypothesis = make(
                "vision_msgs/msg/ObjectHypothesis", class_id=names[i], score=scores[i]
            )
            result = make(
                "vision_msgs/msg/ObjectHypothesisWithPose", hypothesis=hypothesis, **values
            )
            item = make("vision_msgs/msg/Detection2D", header=header, results=[result])
            item.bbox, item.id = _box(box), str(tracks[i]) if tracks[i] >= 0 else ""
            items.append(item)
    return make(DETECTIONS, header=header, detections=items)


def _box(sides: list[float]) -> Any:
    left, top, right, bottom = sides
    middle = make("vision_msgs/msg/Point2D", x=(left + right) / 2, y=(top + bottom) / 2)
    center = make("vision_msgs/msg/Pose2D", position=middle)
    size = {"size_x": right - left, "size_y": bottom - top}
    return make("vision_msgs/msg/BoundingBox2D", center=center, **size)


def _pose(position: list[float]) -> Any:
    x, y, z = position
    return make("geometry_msgs/msg/Pose", position=make("geometry_msgs/msg/Point", x=x, y=y, z=z))


def _markers(header: Any, found: Detections | None) -> Any:
    """Return a ball and a text such as "person 2.1 m" for each object whose position is known."""
    markers = [make("visualization_msgs/msg/Marker", header=header, action=_DELETE_ALL)]
    if found is not None and found.positions is not None:
        names, positions = found.class_names(), found.positions.tolist()
        for i in np.flatnonzero(found.positions.any(axis=1)).tolist():
            color = class_color(names[i], int(found.class_ids[i]))
            distance = float(np.linalg.norm(positions[i]))
            above = [positions[i][0], positions[i][1] - DIAMETER, positions[i][2]]
            size = _vector(DIAMETER, DIAMETER, DIAMETER)
            said = f"{names[i]} {distance:.1f} m"
            markers += [
                _marker(header, i, "objects", _SPHERE, positions[i], size, color),
                _marker(
                    header,
                    i,
                    "labels",
                    _TEXT_VIEW_FACING,
                    above,
                    _vector(0.0, 0.0, LETTERS),
                    _WHITE,
                    said,
                ),
            ]
    return make(MARKERS, markers=markers)


def _marker(  # noqa: PLR0913, PLR0917 (the fields of a marker)
    header: Any, number: int, group: str, shape: int, position: list[float], size: Any,
    color: Color, text: str = "",
) -> Any:  # fmt: skip
    blue, green, red = (channel / 255 for channel in color)
    made = make("visualization_msgs/msg/Marker", header=header, ns=group, id=number, type=shape)
    made.pose, made.scale, made.text = _pose(position), size, text
    made.color = make("std_msgs/msg/ColorRGBA", r=red, g=green, b=blue, a=1.0)
    return made


def _vector(x: float, y: float, z: float) -> Any:
    return make("geometry_msgs/msg/Vector3", x=x, y=y, z=z)
