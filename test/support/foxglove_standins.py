"""A stand-in for foxglove_msgs.msg, which PyPI does not have: the same classes, fields and types.

Compared with foxglove_msgs 3.4.3; of the fields that nothing here sets, none is there.
"""

from dataclasses import dataclass, field, fields

from builtin_interfaces.msg import Time


class Message:
    """Refuses values of another type, as the messages of rosidl do."""

    def __post_init__(self):
        for part in fields(self):
            value = getattr(self, part.name)
            kind = part.type
            assert isinstance(value, kind), f"{part.name}: expected {kind}, got {value!r}"


@dataclass
class Point2(Message):
    x: float = 0.0
    y: float = 0.0


@dataclass
class Color(Message):
    r: float = 0.0
    g: float = 0.0
    b: float = 0.0
    a: float = 0.0


@dataclass
class PointsAnnotation(Message):
    POINTS = 1
    LINE_LOOP = 2
    LINE_STRIP = 3
    LINE_LIST = 4

    timestamp: Time = field(default_factory=Time)
    type: int = 0
    points: list = field(default_factory=list)
    outline_color: Color = field(default_factory=Color)
    outline_colors: list = field(default_factory=list)
    fill_color: Color = field(default_factory=Color)
    thickness: float = 0.0


@dataclass
class TextAnnotation(Message):
    timestamp: Time = field(default_factory=Time)
    position: Point2 = field(default_factory=Point2)
    text: str = ""
    font_size: float = 0.0
    text_color: Color = field(default_factory=Color)
    background_color: Color = field(default_factory=Color)


@dataclass
class ImageAnnotations(Message):
    timestamp: Time = field(default_factory=Time)
    circles: list = field(default_factory=list)
    points: list = field(default_factory=list)
    texts: list = field(default_factory=list)
