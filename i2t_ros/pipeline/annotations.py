"""What was found, as annotations that Foxglove draws over the camera's own images.

The messages are those of foxglove_msgs, of ROS or made elsewhere. Compared with version 3.4.3,
https://github.com/foxglove/foxglove-sdk/tree/main/ros/src/foxglove_msgs/ros2: older ones lack
fields that have no use here, and the time of all annotations together.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

from i2t_ros.pipeline.describe_options import DescribeOptions
from i2t_ros.pipeline.tasks.faces import COLOR as FACES
from i2t_ros.pipeline.tasks.faces import Faces
from i2t_ros.pipeline.tasks.pose import Poses, limb_color
from i2t_ros.pipeline.tasks.text import COLOR as TEXTS
from i2t_ros.pipeline.tasks.text import Texts
from i2t_ros.pipeline.telling import plates_of
from i2t_ros.types import Detections, Scene
from i2t_ros.vision.class_colors import Color, class_color
from i2t_ros.vision.colors import LUMA
from i2t_ros.vision.drawing import Pen, Plate
from i2t_ros.vision.masks import outlines_of

BACKGROUND = 0.8
"""How opaque the background of texts is."""

Points = Sequence[Sequence[float]]
"""x and y of each, in pixels of the image."""


class Shape(NamedTuple):
    """Something to draw.

    kind    "loop": a closed line; "lines": a line from each first to each second point; "points"
    points  in pixels of the image
    width   of the lines, or of a point, in pixels
    """

    kind: Literal["loop", "lines", "points"]
    points: Points
    color: Color
    width: float


def annotations_of(types: Any, stamp: Any, scene: Scene, options: DescribeOptions) -> Any:
    """Return a scene as ImageAnnotations: what an annotated image shows, without its pixels.

    types  the module foxglove_msgs.msg, or what has the same classes
    stamp  builtin_interfaces/Time of the image
    """
    canvas = np.broadcast_to(np.uint8(0), (scene.height, scene.width, 3))
    pen = Pen.for_image(canvas, options.draw.scale)
    kinds = types.PointsAnnotation
    codes = {"loop": kinds.LINE_LOOP, "lines": kinds.LINE_LIST, "points": kinds.POINTS}
    message = types.ImageAnnotations(
        points=[
            types.PointsAnnotation(
                timestamp=stamp,
                type=codes[shape.kind],
                points=[types.Point2(x=float(x), y=float(y)) for x, y in shape.points],
                outline_color=_color(types, shape.color),
                thickness=float(shape.width),
            )
            for shape in _shapes(scene, pen)
        ],
        texts=[_text(types, stamp, plate, pen) for plate in plates_of(canvas, scene, pen, options)],
    )
    if hasattr(message, "timestamp"):
        message.timestamp = stamp
    return message


def _shapes(scene: Scene, pen: Pen) -> Iterator[Shape]:
    for task, result in scene.results.items():
        if task in _SHAPES:
            yield from _SHAPES[task](result, pen)


def _of_objects(found: Detections, pen: Pen) -> Iterator[Shape]:
    rows = zip(found.class_names(), found.class_ids.tolist(), found.boxes.tolist(), strict=True)
    outlines = outlines_of(found.masks or ()) or [()] * len(found)
    for (name, class_id, box), polygons in zip(rows, outlines, strict=True):
        color = class_color(name, class_id)
        yield _box(box, color, pen)
        for polygon in polygons:
            yield Shape("loop", polygon.tolist(), color, pen.line)


def _of_faces(faces: Faces, pen: Pen) -> Iterator[Shape]:
    boxes = [_box(box, FACES, pen) for box in faces.boxes.tolist()]
    yield from boxes
    if faces.landmarks is not None:
        for box, points in zip(boxes, faces.landmarks.tolist(), strict=True):
            yield Shape("points", points, FACES, 2 * box.width + 2)


def _of_texts(texts: Texts, pen: Pen) -> Iterator[Shape]:
    for region in texts:
        sides = np.linalg.norm(region.corners - np.roll(region.corners, 1, axis=0), axis=1)
        width = pen.for_thing(float(sides.max()), float(sides.min())).line
        yield Shape("loop", region.corners.tolist(), TEXTS, width)


def _of_poses(poses: Poses, pen: Pen) -> Iterator[Shape]:
    for i, (left, top, right, bottom) in enumerate(poses.boxes.tolist()):
        width = pen.for_thing(right - left, bottom - top).line
        for limb in poses.limbs(i):
            yield Shape("lines", (limb.start, limb.end), limb.color, width)
        for name, point in poses.certain(i).items():
            yield Shape("points", (point,), limb_color(name, name), 2 * width + 2)


_SHAPES: Mapping[str, Callable[[Any, Pen], Iterable[Shape]]] = {
    "detect": _of_objects,
    "segment": _of_objects,
    "pose": _of_poses,
    "faces": _of_faces,
    "text": _of_texts,
}
"""Task -> the shapes of its result; the words of every task are its plates()."""


def _box(box: Sequence[float], color: Color, pen: Pen) -> Shape:
    left, top, right, bottom = box
    corners = (left, top), (right, top), (right, bottom), (left, bottom)
    return Shape("loop", corners, color, pen.for_thing(right - left, bottom - top).line)


def _text(types: Any, stamp: Any, plate: Plate, pen: Pen) -> Any:
    """Return the words of a plate above the upper left corner of its part, or in that corner."""
    left, top, right, bottom = plate.box
    fixed = plate.place == "fixed"
    height = (pen if fixed else pen.for_thing(right - left, bottom - top)).letters
    ink = (0, 0, 0) if LUMA @ plate.color > 128 else (255, 255, 255)
    return types.TextAnnotation(
        timestamp=stamp,
        # Foxglove has it at the lower left corner of the text.
        position=types.Point2(
            x=max(0.0, float(left)), y=float(bottom if fixed else max(top, height))
        ),
        text=plate.text,
        font_size=float(height),
        text_color=_color(types, ink),
        background_color=_color(types, plate.color, BACKGROUND),
    )


def _color(types: Any, color: Color, alpha: float = 1.0) -> Any:
    blue, green, red = (channel / 255 for channel in color)
    return types.Color(r=red, g=green, b=blue, a=alpha)
