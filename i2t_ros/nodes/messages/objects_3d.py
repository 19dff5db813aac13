"""Objects in space: as vision_msgs has them, and as markers for rviz."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from geometry_msgs.msg import Point, Pose, Quaternion, Vector3
from numpy.typing import NDArray
from std_msgs.msg import Header
from vision_msgs.msg import BoundingBox3D, Detection3D, Detection3DArray, ObjectHypothesisWithPose
from visualization_msgs.msg import Marker, MarkerArray

from i2t_ros.nodes.messages.markers import WHITE, color_to_msg
from i2t_ros.types import Detections
from i2t_ros.vision.class_colors import class_color
from i2t_ros.vision.depth import Located
from i2t_ros.vision.transforms import Transform

LETTERS = 0.15
"""Meters, the height of a capital letter beside a marker."""
OPACITY = 0.4
"""Of a box: how much of what is behind it it covers."""


class _Object(NamedTuple):
    """One object whose position is known, in the frame of the message."""

    number: int
    distance: float
    position: Point
    box: BoundingBox3D


def detections_3d_to_msg(
    header: Header, found: Detections, located: Located, to: Transform | None = None
) -> Detection3DArray:
    """Return the objects whose position is known, best first.

    header  of the frame that ``to`` leads to, or of the camera's, if it is None
    """
    names, scores = found.class_names(), found.scores.tolist()
    tracks = [] if found.track_ids is None else found.track_ids.tolist()
    msg = Detection3DArray(header=header)
    for number, _, position, box in _objects(located, to):
        item = Detection3D(header=header, bbox=box)
        result = ObjectHypothesisWithPose()
        result.hypothesis.class_id, result.hypothesis.score = names[number], scores[number]
        result.pose.pose.position = position
        item.results.append(result)
        if tracks and tracks[number] >= 0:
            item.id = str(tracks[number])
        msg.detections.append(item)
    return msg


def objects_to_markers(
    header: Header, found: Detections | None, located: Located | None, to: Transform | None = None
) -> MarkerArray:
    """Return a box and a text such as "person 2.1 m" for each object whose position is known.

    They replace all markers before. See detections_3d_to_msg.
    """
    msg = MarkerArray(markers=[Marker(header=header, action=Marker.DELETEALL)])
    if found is None or located is None:
        return msg
    names = found.class_names()
    for number, distance, _, box in _objects(located, to):
        name = names[number]
        cube = Marker(header=header, ns="objects", id=number, type=Marker.CUBE)
        cube.pose, cube.scale = box.center, box.size
        cube.color = color_to_msg(class_color(name, int(found.class_ids[number])), OPACITY)
        text = Marker(header=header, ns="labels", id=number, type=Marker.TEXT_VIEW_FACING)
        text.text = f"{name} {distance:.1f} m"
        text.pose.position, text.scale.z = box.center.position, LETTERS
        text.color = color_to_msg(WHITE)
        msg.markers += [cube, text]
    return msg


def _objects(located: Located, to: Transform | None) -> Iterator[_Object]:
    known = np.flatnonzero(located.positions.any(axis=1))
    positions: NDArray[np.floating[Any]] = located.positions[known]
    centers: NDArray[np.floating[Any]] = located.centers[known]
    distances = np.linalg.norm(positions, axis=1)
    turned = Quaternion()
    if to is not None:
        positions, centers = to.apply(positions), to.apply(centers)
        x, y, z, w = map(float, to.rotation)
        turned = Quaternion(x=x, y=y, z=z, w=w)
    rows = zip(
        known.tolist(),
        distances.tolist(),
        positions.tolist(),
        centers.tolist(),
        located.sizes[known].tolist(),
        strict=True,
    )
    for number, distance, position, center, (width, height, depth) in rows:
        box = BoundingBox3D(
            center=Pose(position=_point(*center), orientation=turned),
            size=Vector3(x=width, y=height, z=depth),
        )
        yield _Object(number, distance, _point(*position), box)


def _point(x: float, y: float, z: float) -> Point:
    return Point(x=x, y=y, z=z)
