"""What each task found, as fields of a Description message, and back.

A task of another package has no field of its own: its JSON goes into ``others``.
"""

import json
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from std_msgs.msg import ColorRGBA, Header
from vision_msgs.msg import (
    BoundingBox2D,
    Detection2D,
    Detection2DArray,
    ObjectHypothesis,
    ObjectHypothesisWithPose,
    Point2D,
)
from vision_msgs.msg import Classification as ClassificationMsg

from i2t_ros.language.facts import count_objects
from i2t_ros.msg import Description as DescriptionMsg
from i2t_ros.msg import Face as FaceMsg
from i2t_ros.msg import KeyPoint, Outline, PersonPose, PersonPoseArray, Polygon, TaskResult
from i2t_ros.msg import ObjectCount as ObjectCountMsg
from i2t_ros.msg import TextRegion as TextRegionMsg
from i2t_ros.nodes.messages.bounds import FARTHEST
from i2t_ros.nodes.messages.durations import duration_to_msg, seconds_of
from i2t_ros.pipeline.tasks.base import Label
from i2t_ros.pipeline.tasks.caption import Caption
from i2t_ros.pipeline.tasks.classify import Classes
from i2t_ros.pipeline.tasks.faces import Faces
from i2t_ros.pipeline.tasks.pose import Poses
from i2t_ros.pipeline.tasks.registry import TASKS
from i2t_ros.pipeline.tasks.text import TextRegion
from i2t_ros.types import COLORS, Detections, Mask
from i2t_ros.vision.masks import outlined_masks, outlines_of
from i2t_ros.vision.postures import KEY_POINTS, POSTURES


class Converter(NamedTuple):
    """How a task's result is put into a message that has its header, and read."""

    fill: Callable[[DescriptionMsg, Any, Label], None]
    read: Callable[[DescriptionMsg], Any]


def converter(task: str) -> Converter:
    """Return the converter of a task."""
    return _CONVERTERS.get(task) or _other(task)


def detections_to_msg(header: Header, found: Detections | None) -> Detection2DArray:
    """Return detections, best first, each with the header of the image; class_id is the name."""
    msg = Detection2DArray(header=header)
    if found is None:
        return msg
    names, scores = found.class_names(), found.scores.tolist()
    tracks = [] if found.track_ids is None else found.track_ids.tolist()
    positions = None if found.positions is None else found.positions.tolist()
    for i, box in enumerate(found.boxes.tolist()):
        item = Detection2D(header=header, bbox=_box_to_msg(box))
        result = ObjectHypothesisWithPose()
        result.hypothesis.class_id = names[i]
        result.hypothesis.score = scores[i]
        if positions is not None:
            at = result.pose.pose.position
            at.x, at.y, at.z = positions[i]
        item.results.append(result)
        if tracks and tracks[i] >= 0:
            item.id = str(tracks[i])
        msg.detections.append(item)
    return msg


def _fill_detections(msg: DescriptionMsg, found: Detections, label: Label) -> None:
    if not msg.detections.detections:  # the caller may have made them already
        msg.detections = detections_to_msg(msg.header, found)
    msg.objects = [
        ObjectCountMsg(
            class_id=entry.key, label=label(entry.key), count=entry.count, max_score=entry.max_score
        )
        for entry in count_objects(found)
    ]
    msg.colors = found.colors or ()
    msg.outlines = [
        Outline(polygons=[Polygon(points=_points_to_msg(line.tolist())) for line in lines])
        for lines in outlines_of(found.masks or ())
    ]


def _outlines_from_msg(msg: DescriptionMsg) -> tuple[Mask, ...] | None:
    """Return the masks of all objects; raises ValueError if they are not within the image."""
    if not msg.outlines:
        return None
    limits = msg.width + 1, msg.height + 1  # numbers are rounded
    outlines = []
    for outline in msg.outlines:
        lines = [np.reshape(_points_from_msg(line.points), (-1, 2)) for line in outline.polygons]
        if not all(((line >= 0) & (line <= limits)).all() for line in lines):
            raise ValueError(f"expected outlines within {msg.width} x {msg.height} pixels")
        outlines.append([line.astype(np.float32) for line in lines])
    return outlined_masks(outlines)


def _read_detections(msg: DescriptionMsg) -> Detections:
    items = msg.detections.detections
    names = [item.results[0].hypothesis.class_id for item in items]
    numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}
    tracks = np.array([int(item.id or -1) for item in items], np.int64)
    # Objects without a track are not counted, so without any count all objects await a track.
    tracked = (tracks >= 0).any() or (len(items) > 0 and not msg.objects)
    places = [item.results[0].pose.pose.position for item in items]
    positions = np.array([(at.x, at.y, at.z) for at in places])
    if not (np.abs(positions) <= FARTHEST).all():
        raise ValueError(f"expected positions of up to {FARTHEST:g} m")
    return Detections(
        np.array([_sides(item.bbox) for item in items], np.float32),
        np.array([item.results[0].hypothesis.score for item in items], np.float32),
        np.array([numbers[name] for name in names], np.int32),
        tuple(numbers),
        tracks if tracked else None,
        positions=positions if positions.any() else None,
        colors=tuple(color if color in COLORS else "" for color in msg.colors) or None,
        masks=_outlines_from_msg(msg),
    )


def poses_to_msg(header: Header, found: Poses) -> PersonPoseArray:
    """Return people with all their points, best first."""
    rows = zip(
        *(found.boxes.tolist(), found.scores.tolist(), found.postures),
        *(found.points.tolist(), found.point_scores.tolist()),
        strict=True,
    )
    people = [
        PersonPose(
            bbox=_box_to_msg(box),
            score=score,
            postures=postures,
            points=[
                KeyPoint(name=name, position=Point2D(x=x, y=y), score=certain)
                for name, (x, y), certain in zip(KEY_POINTS, points, certainties, strict=True)
            ],
        )
        for box, score, postures, points, certainties in rows
    ]
    return PersonPoseArray(header=header, poses=people)


def _fill_poses(msg: DescriptionMsg, found: Poses, _: Label) -> None:
    msg.poses = poses_to_msg(msg.header, found).poses


def _read_poses(msg: DescriptionMsg) -> Poses:
    points = [{point.name: point for point in person.points} for person in msg.poses]
    ordered = [[named[name] for name in KEY_POINTS] for named in points]
    return Poses(
        np.array([_sides(person.bbox) for person in msg.poses], np.float32),
        np.array([person.score for person in msg.poses], np.float32),
        np.array([_points_from_msg(p.position for p in row) for row in ordered], np.float32),
        np.array([[point.score for point in row] for row in ordered], np.float32),
        tuple(tuple(n for n in POSTURES if n in person.postures) for person in msg.poses),
    )


def _fill_classification(msg: DescriptionMsg, classes: Classes, _: Label) -> None:
    results = [ObjectHypothesis(class_id=label, score=score) for label, score in classes]
    msg.classification = ClassificationMsg(header=msg.header, results=results)


def _read_classification(msg: DescriptionMsg) -> Classes:
    results = msg.classification.results
    return tuple((result.class_id, _finite(result.score)) for result in results)


def _fill_faces(msg: DescriptionMsg, faces: Faces, _: Label) -> None:
    points = np.zeros((len(faces), 5, 2)) if faces.landmarks is None else faces.landmarks
    rows = zip(faces.boxes.tolist(), faces.scores.tolist(), points.tolist(), strict=True)
    msg.faces = [
        FaceMsg(bbox=_box_to_msg(box), score=score, landmarks=_points_to_msg(landmarks))
        for box, score, landmarks in rows
    ]


def _read_faces(msg: DescriptionMsg) -> Faces:
    points = [_points_from_msg(face.landmarks) for face in msg.faces]
    landmarks = np.array(points, np.float32).reshape(-1, 5, 2)
    return Faces(
        np.array([_sides(face.bbox) for face in msg.faces], np.float32),
        np.array([face.score for face in msg.faces], np.float32),
        landmarks if landmarks.any() else None,
    )


def _fill_texts(msg: DescriptionMsg, regions: tuple[TextRegion, ...], _: Label) -> None:
    msg.texts = [
        TextRegionMsg(
            corners=_points_to_msg(region.corners.tolist()),
            text=region.text,
            script=region.script,
            score=region.score,
            translation=region.translation,
            text_color=_color_to_msg(region.text_color),
            background_color=_color_to_msg(region.background_color),
        )
        for region in regions
    ]


def _read_texts(msg: DescriptionMsg) -> tuple[TextRegion, ...]:
    return tuple(
        TextRegion(
            np.array(_points_from_msg(region.corners), np.float32),
            region.text,
            _finite(region.score),
            _color_from_msg(region.text_color),
            _color_from_msg(region.background_color),
            region.translation,
            region.script,
        )
        for region in msg.texts
    )


def _fill_caption(msg: DescriptionMsg, caption: Caption, _: Label) -> None:
    msg.caption, msg.caption_age = caption.text, duration_to_msg(caption.age)


def _read_caption(msg: DescriptionMsg) -> Caption:
    return Caption(msg.caption, seconds_of(msg.caption_age))


def _finite(score: float) -> float:
    """Return a score; raises ValueError for one that JSON has no number for."""
    if not math.isfinite(score):
        raise ValueError(f"expected a finite score, got {score}")
    return score


def _other(name: str) -> Converter:
    task = TASKS[name]

    def fill(msg: DescriptionMsg, result: Any, label: Label) -> None:
        text = json.dumps(task.to_json(result, label), ensure_ascii=False)
        msg.others = [*msg.others, TaskResult(task=name, json=text)]

    def read(msg: DescriptionMsg) -> Any:
        text = next(other.json for other in msg.others if other.task == name)
        return task.from_json(json.loads(text))

    return Converter(fill, read)


_CONVERTERS = {
    "detect": Converter(_fill_detections, _read_detections),
    "segment": Converter(_fill_detections, _read_detections),
    "pose": Converter(_fill_poses, _read_poses),
    "faces": Converter(_fill_faces, _read_faces),
    "text": Converter(_fill_texts, _read_texts),
    "classify": Converter(_fill_classification, _read_classification),
    "caption": Converter(_fill_caption, _read_caption),
}


def _box_to_msg(sides: Sequence[float]) -> BoundingBox2D:
    left, top, right, bottom = sides
    box = BoundingBox2D(size_x=right - left, size_y=bottom - top)
    box.center.position.x = (left + right) / 2
    box.center.position.y = (top + bottom) / 2
    return box


def _sides(box: BoundingBox2D) -> tuple[float, float, float, float]:
    """Return left, top, right, bottom of an upright box."""
    center, half_x, half_y = box.center.position, box.size_x / 2, box.size_y / 2
    return center.x - half_x, center.y - half_y, center.x + half_x, center.y + half_y


def _points_to_msg(points: Iterable[Sequence[float]]) -> list[Point2D]:
    return [Point2D(x=x, y=y) for x, y in points]


def _points_from_msg(points: Iterable[Point2D]) -> list[tuple[float, float]]:
    return [(point.x, point.y) for point in points]


def _color_to_msg(color: tuple[int, int, int]) -> ColorRGBA:
    red, green, blue = (value / 255 for value in color)
    return ColorRGBA(r=red, g=green, b=blue, a=1.0)


def _color_from_msg(color: ColorRGBA) -> tuple[int, int, int]:
    return round(255 * color.r), round(255 * color.g), round(255 * color.b)
