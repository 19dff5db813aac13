"""Builds the messages of what is found in one image beside objects."""

from __future__ import annotations

from std_msgs.msg import ColorRGBA, Header
from vision_msgs.msg import BoundingBox2D, ObjectHypothesis, Point2D
from vision_msgs.msg import Classification as ClassificationMsg

from i2t_ros.msg import Face as FaceMsg
from i2t_ros.msg import TextRegion as TextRegionMsg
from i2t_ros.types import Classification, Faces, TextRegion


def box_to_msg(left: float, top: float, right: float, bottom: float) -> BoundingBox2D:
    """Return an upright box."""
    box = BoundingBox2D(size_x=right - left, size_y=bottom - top)
    box.center.position.x = (left + right) / 2
    box.center.position.y = (top + bottom) / 2
    return box


def classification_to_msg(header: Header, classes: Classification | None) -> ClassificationMsg:
    """Return classes, best first; class_id is the name."""
    msg = ClassificationMsg(header=header)
    if classes is not None:
        pairs = zip(classes.labels, classes.scores, strict=True)
        msg.results = [ObjectHypothesis(class_id=label, score=score) for label, score in pairs]
    return msg


def faces_to_msgs(faces: Faces | None) -> list[FaceMsg]:
    """Return faces, best first; where there are no landmarks, they are all zero."""
    if faces is None:
        return []
    msgs = [
        FaceMsg(bbox=box_to_msg(*box), score=score)
        for box, score in zip(faces.boxes.tolist(), faces.scores.tolist(), strict=True)
    ]
    if faces.landmarks is not None:
        for msg, points in zip(msgs, faces.landmarks.tolist(), strict=True):
            msg.landmarks = [Point2D(x=x, y=y) for x, y in points]
    return msgs


def text_to_msg(region: TextRegion) -> TextRegionMsg:
    """Return one line of text."""
    return TextRegionMsg(
        corners=[Point2D(x=x, y=y) for x, y in region.corners.tolist()],
        text=region.text,
        score=region.score,
        translation=region.translation,
        text_color=_color_to_msg(region.text_color),
        background_color=_color_to_msg(region.background_color),
    )


def _color_to_msg(color: tuple[int, int, int]) -> ColorRGBA:
    red, green, blue = (value / 255 for value in color)
    return ColorRGBA(r=red, g=green, b=blue, a=1.0)
