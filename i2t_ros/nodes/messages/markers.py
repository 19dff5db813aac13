"""What was found, for rviz: boxes on the image and the sentence in space."""

from geometry_msgs.msg import Point
from std_msgs.msg import ColorRGBA, Header
from visualization_msgs.msg import ImageMarker, Marker

from i2t_ros.pipeline.tasks.pose import Poses
from i2t_ros.types import Detections
from i2t_ros.vision.class_colors import Color, class_color

WHITE: Color = (255, 255, 255)


def color_to_msg(color: Color, opacity: float = 1.0) -> ColorRGBA:
    """Return a color that a marker is drawn in; ``opacity`` is 0 to 1."""
    blue, green, red = (channel / 255 for channel in color)
    return ColorRGBA(r=red, g=green, b=blue, a=opacity)


def boxes_to_marker(header: Header, found: Detections) -> ImageMarker:
    """Return the outlines of all boxes as one image annotation, in the colors of the classes."""
    marker = ImageMarker(header=header, ns="detections", type=ImageMarker.LINE_LIST, scale=2.0)
    marker.action = ImageMarker.ADD if len(found) else ImageMarker.REMOVE
    for i, (left, top, right, bottom) in enumerate(found.boxes.tolist()):
        color = color_to_msg(class_color(found.label(i), int(found.class_ids[i])))
        # The start and the end of each side, clockwise from the top.
        xs = (left, right, right, right, right, left, left, left)
        ys = (top, top, top, bottom, bottom, bottom, bottom, top)
        marker.points += [Point(x=x, y=y) for x, y in zip(xs, ys, strict=True)]
        marker.outline_colors += [color] * 8
    return marker


def skeletons_to_marker(header: Header, found: Poses) -> ImageMarker:
    """Return the limbs between certain points as one image annotation; left and right differ."""
    marker = ImageMarker(header=header, ns="skeletons", type=ImageMarker.LINE_LIST, scale=2.0)
    for limb in (limb for i in range(len(found)) for limb in found.limbs(i)):
        marker.points += [Point(x=x, y=y) for x, y in limb[:2]]
        marker.outline_colors += [color_to_msg(limb.color)] * 2
    marker.action = ImageMarker.ADD if marker.points else ImageMarker.REMOVE
    return marker


def sentence_to_marker(header: Header, sentence: str) -> Marker:
    """Return a sentence to be read in a 3D view, 2 m in front of the camera and 0.7 m below.

    The header's frame is the camera's optical one (REP-103): x right, y down, z forward.
    """
    marker = Marker(header=header, ns="sentence", type=Marker.TEXT_VIEW_FACING, text=sentence)
    marker.pose.position.y, marker.pose.position.z = 0.7, 2.0
    marker.pose.orientation.w = 1.0
    marker.scale.z = 0.12  # the height of a capital letter, meters
    marker.color = color_to_msg(WHITE)
    return marker
