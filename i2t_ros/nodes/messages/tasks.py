"""What each task found, as fields of a Description message, and back.

A task of another package has no field of its own: its JSON goes into ``others``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
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

from i2t_ros import language as words
from i2t_ros.msg import Description as DescriptionMsg
from i2t_ros.msg import Face as FaceMsg
from i2t_ros.msg import ObjectCount as ObjectCountMsg
from i2t_ros.msg import TaskResult
from i2t_ros.msg import TextRegion as TextRegionMsg
from i2t_ros.pipeline.tasks.base import Label
from i2t_ros.pipeline.tasks.classify import Classification
from i2t_ros.pipeline.tasks.faces import Faces
from i2t_ros.pipeline.tasks.registry import TASKS
from i2t_ros.pipeline.tasks.text import TextRegion
from i2t_ros.types import Detections


class Converter(NamedTuple):
    """How a task's result is put into a message that has its header, and read."""

    fill: Callable[[DescriptionMsg, Any, Label], None]
    read: Callable[[DescriptionMsg], Any]


def converter(task: str) -> Converter:
    """Return the converter of a task."""
    return CONVERTERS.get(task) or _other(task)


def _fill_detections(msg: DescriptionMsg, found: Detections, label: Label) -> None:
    if not msg.detections.detections:  # the caller may have made them already
        msg.detections = detections_to_msg(msg.header, found)
    msg.objects = [
        ObjectCountMsg(
            class_id=entry.key,
            label=label(entry.key),
            count=entry.count,
            max_score=entry.max_score,
        )
        for entry in words.count_objects(found)
    ]


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
        item.bbox = box_to_msg(left, top, right, bottom)
        if tracks and tracks[i] >= 0:
            item.id = str(tracks[i])
        msg.detections.append(item)
    return msg


def _read_detections(msg: DescriptionMsg) -> Detections:
    items = msg.detections.detections
    names = [item.results[0].hypothesis.class_id for item in items]
    labels = tuple(dict.fromkeys(names))
    tracks = np.array([int(item.id or -1) for item in items], np.int64)
    # Objects without a track are not counted; without any track that alone tells of tracking.
    tracked = (tracks >= 0).any() or (len(items) > 0 and not msg.objects)
    return Detections(
        np.array([_sides(item.bbox) for item in items], np.float32),
        np.array([item.results[0].hypothesis.score for item in items], np.float32),
        np.array([labels.index(name) for name in names], np.int32),
        labels,
        tracks if tracked else None,
    )


def _fill_classification(msg: DescriptionMsg, classes: Classification, _: Label) -> None:
    pairs = zip(classes.labels, classes.scores, strict=True)
    results = [ObjectHypothesis(class_id=label, score=score) for label, score in pairs]
    msg.classification = ClassificationMsg(header=msg.header, results=results)


def _read_classification(msg: DescriptionMsg) -> Classification:
    results = msg.classification.results
    return Classification(
        tuple(result.class_id for result in results), tuple(result.score for result in results)
    )


def _fill_faces(msg: DescriptionMsg, faces: Faces, _: Label) -> None:
    msg.faces = [
        FaceMsg(bbox=box_to_msg(*box), score=score)
        for box, score in zip(faces.boxes.tolist(), faces.scores.tolist(), strict=True)
    ]
    if faces.landmarks is not None:
        for face, points in zip(msg.faces, faces.landmarks.tolist(), strict=True):
            face.landmarks = [Point2D(x=x, y=y) for x, y in points]


def _read_faces(msg: DescriptionMsg) -> Faces:
    points = [[(p.x, p.y) for p in face.landmarks] for face in msg.faces]
    landmarks = np.array(points, np.float32).reshape(-1, 5, 2)
    return Faces(
        np.array([_sides(face.bbox) for face in msg.faces], np.float32),
        np.array([face.score for face in msg.faces], np.float32),
        landmarks if landmarks.any() else None,
    )


def _fill_texts(msg: DescriptionMsg, regions: tuple[TextRegion, ...], _: Label) -> None:
    msg.texts = list(map(_text_to_msg, regions))


def _read_texts(msg: DescriptionMsg) -> tuple[TextRegion, ...]:
    return tuple(map(_text_from_msg, msg.texts))


def _text_to_msg(region: TextRegion) -> TextRegionMsg:
    """Return one line of text."""
    return TextRegionMsg(
        corners=[Point2D(x=x, y=y) for x, y in region.corners.tolist()],
        text=region.text,
        score=region.score,
        translation=region.translation,
        text_color=_color_to_msg(region.text_color),
        background_color=_color_to_msg(region.background_color),
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


def _color_to_msg(color: tuple[int, int, int]) -> ColorRGBA:
    red, green, blue = (value / 255 for value in color)
    return ColorRGBA(r=red, g=green, b=blue, a=1.0)


def _color_from_msg(color: ColorRGBA) -> tuple[int, int, int]:
    return round(255 * color.r), round(255 * color.g), round(255 * color.b)


def box_to_msg(left: float, top: float, right: float, bottom: float) -> BoundingBox2D:
    """Return an upright box."""
    box = BoundingBox2D(size_x=right - left, size_y=bottom - top)
    box.center.position.x = (left + right) / 2
    box.center.position.y = (top + bottom) / 2
    return box


def _sides(box: BoundingBox2D) -> tuple[float, float, float, float]:
    """Return left, top, right, bottom of an upright box."""
    center, half_x, half_y = box.center.position, box.size_x / 2, box.size_y / 2
    return center.x - half_x, center.y - half_y, center.x + half_x, center.y + half_y


def _other(name: str) -> Converter:
    task = TASKS[name]

    def fill(msg: DescriptionMsg, result: Any, label: Label) -> None:
        found = task.to_json(result, label)
        text = json.dumps(found, ensure_ascii=False)
        msg.others = [*msg.others, TaskResult(task=name, json=text)]

    def read(msg: DescriptionMsg) -> Any:
        text = next(other.json for other in msg.others if other.task == name)
        return task.from_json(json.loads(text))

    return Converter(fill, read)


CONVERTERS: Mapping[str, Converter] = MappingProxyType(
    {
        "detect": Converter(_fill_detections, _read_detections),
        "faces": Converter(_fill_faces, _read_faces),
        "text": Converter(_fill_texts, _read_texts),
        "classify": Converter(_fill_classification, _read_classification),
    }
)
