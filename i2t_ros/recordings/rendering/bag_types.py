"""The messages of annotated bags, made and serialized without ROS.

What rosbags does not bring is defined here: vision_msgs 4.1 of ROS 2 Jazzy, and foxglove_msgs as it
was before annotations had metadata, which Foxglove reads by the definition that is in the file.
"""

import functools
from collections.abc import Mapping
from types import MappingProxyType, SimpleNamespace
from typing import Any

import numpy as np

_TEXTS = {
    "vision_msgs/msg/Point2D": "float64 x\nfloat64 y",
    "vision_msgs/msg/Pose2D": "vision_msgs/Point2D position\nfloat64 theta",
    "vision_msgs/msg/BoundingBox2D": "vision_msgs/Pose2D center\nfloat64 size_x\nfloat64 size_y",
    "vision_msgs/msg/ObjectHypothesis": "string class_id\nfloat64 score",
    "vision_msgs/msg/ObjectHypothesisWithPose": (
        "vision_msgs/ObjectHypothesis hypothesis\ngeometry_msgs/PoseWithCovariance pose"
    ),
    "vision_msgs/msg/Detection2D": (
        "std_msgs/Header header\nvision_msgs/ObjectHypothesisWithPose[] results\n"
        "vision_msgs/BoundingBox2D bbox\nstring id"
    ),
    "vision_msgs/msg/Detection2DArray": (
        "std_msgs/Header header\nvision_msgs/Detection2D[] detections"
    ),
    "foxglove_msgs/msg/Point2": "float64 x\nfloat64 y",
    "foxglove_msgs/msg/Color": "float64 r\nfloat64 g\nfloat64 b\nfloat64 a",
    "foxglove_msgs/msg/CircleAnnotation": (
        "builtin_interfaces/Time timestamp\nfoxglove_msgs/Point2 position\nfloat64 diameter\n"
        "float64 thickness\nfoxglove_msgs/Color fill_color\nfoxglove_msgs/Color outline_color"
    ),
    "foxglove_msgs/msg/PointsAnnotation": (
        "builtin_interfaces/Time timestamp\nuint8 UNKNOWN=0\nuint8 POINTS=1\nuint8 LINE_LOOP=2\n"
        "uint8 LINE_STRIP=3\nuint8 LINE_LIST=4\nuint8 type\nfoxglove_msgs/Point2[] points\n"
        "foxglove_msgs/Color outline_color\nfoxglove_msgs/Color[] outline_colors\n"
        "foxglove_msgs/Color fill_color\nfloat64 thickness"
    ),
    "foxglove_msgs/msg/TextAnnotation": (
        "builtin_interfaces/Time timestamp\nfoxglove_msgs/Point2 position\nstring text\n"
        "float64 font_size\nfoxglove_msgs/Color text_color\nfoxglove_msgs/Color background_color"
    ),
    "foxglove_msgs/msg/ImageAnnotations": (
        "foxglove_msgs/CircleAnnotation[] circles\nfoxglove_msgs/PointsAnnotation[] points\n"
        "foxglove_msgs/TextAnnotation[] texts"
    ),
}
_OTHER_THAN_ZERO: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {"geometry_msgs/msg/Quaternion": {"w": 1.0}}
)
"""Defaults that ROS has in its definitions, and rosbags leaves out."""


@functools.cache
def typestore() -> Any:
    """Return the messages of ROS 2 Jazzy, and those that are defined here."""
    from rosbags.typesys import Stores, get_types_from_msg, get_typestore  # noqa: PLC0415

    store = get_typestore(Stores.ROS2_JAZZY)
    found: dict[str, Any] = {}
    for kind, text in _TEXTS.items():
        found |= get_types_from_msg(text, kind)
    store.register(found)
    return store


def make(kind: str, **values: Any) -> Any:
    """Return a message with these values, and the defaults of ROS for the others."""
    store = typestore()
    defaults = _OTHER_THAN_ZERO.get(kind, {})
    for name, shape in store.fielddefs[kind][1]:
        if name not in values:
            values[name] = defaults[name] if name in defaults else _default(shape)
    return store.types[kind](**values)


def serialize(message: Any) -> bytes:
    """Return the bytes of a message, little-endian on every machine."""
    kind = message.__msgtype__
    return bytes(typestore().serialize_cdr(message, kind, little_endian=True))


@functools.cache
def definition(kind: str) -> tuple[str, str]:
    """Return the definition of a kind, with all kinds in it, and its hash; "" if not known."""
    store = typestore()
    if kind not in store.fielddefs:
        return "", ""
    return store.generate_msgdef(kind, ros_version=2)[0], store.hash_rihs01(kind)


@functools.cache
def foxglove() -> SimpleNamespace:
    """Return what has the classes of the module foxglove_msgs.msg."""
    kinds = [kind for kind in _TEXTS if kind.startswith("foxglove_msgs/")]
    return SimpleNamespace(**{kind.rpartition("/")[2]: _Class(kind) for kind in kinds})


class _Class:
    """A kind of message as ROS has it: called with some values, and with its constants."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        for name, _, value in typestore().fielddefs[kind][0]:
            setattr(self, name, value)

    def __call__(self, **values: Any) -> Any:
        return make(self._kind, **values)


def _default(shape: Any) -> Any:
    from rosbags.interfaces import Nodetype  # noqa: PLC0415 (an optional dependency)

    node, of = shape
    if node == Nodetype.NAME:
        return make(of)
    if node == Nodetype.BASE:
        return {"string": "", "bool": False}.get(of[0], 0.0 if of[0].startswith("float") else 0)
    (inner, name), length = of
    number = length if node == Nodetype.ARRAY else 0
    if inner == Nodetype.BASE and name[0] != "string":
        return np.zeros(number, {"byte": "u1", "char": "u1"}.get(name[0], name[0]))
    return [_default((inner, name)) for _ in range(number)]
