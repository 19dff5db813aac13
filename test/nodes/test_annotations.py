"""Annotations for Foxglove: of a stand-in for its messages, and of the real ones where they are."""

from dataclasses import dataclass, field, replace
from types import SimpleNamespace

import foxglove_standins
import numpy as np
import pytest
from builtin_interfaces.msg import Time
from making import classes_of, pose_of, scene_of
from std_msgs.msg import Header

from i2t_ros.nodes.detector import camera_ports
from i2t_ros.nodes.messages.annotations import annotation_types, annotations_to_msg
from i2t_ros.nodes.messages.images import image_to_msg
from i2t_ros.pipeline.describe_options import DescribeOptions
from i2t_ros.pipeline.tasks.faces import Faces
from i2t_ros.pipeline.tasks.text import TextRegion
from i2t_ros.types import Detections
from i2t_ros.vision.class_colors import class_color
from i2t_ros.vision.drawing import DrawOptions
from i2t_ros.vision.masks import outlined_masks
from i2t_ros.vision.postures import KEY_POINTS, LIMBS

REAL = annotation_types()
HEADER = Header(stamp=Time(sec=7, nanosec=8), frame_id="camera")
LABELS = ("person", "dog")


@dataclass
class OldImageAnnotations(foxglove_standins.Message):
    """As it was before the message had a time of its own."""

    circles: list = field(default_factory=list)
    points: list = field(default_factory=list)
    texts: list = field(default_factory=list)


OLD = SimpleNamespace(**vars(foxglove_standins) | {"ImageAnnotations": OldImageAnnotations})


@pytest.fixture(params=[foxglove_standins, OLD, REAL], ids=["stand-in", "old", "real"])
def types(request):
    if request.param is None:
        pytest.skip("foxglove_msgs is not installed")
    return request.param


def annotate(types, options=None, size=(640, 480), **found):
    scene = scene_of(*size, **found)
    return annotations_to_msg(types, HEADER, scene, options or DescribeOptions())


def objects(*boxes, tracks=None):
    number = len(boxes)
    return Detections(boxes, [0.87] * number, [1] * number, LABELS, tracks)


def points_of(annotation):
    return [(point.x, point.y) for point in annotation.points]


def rgba(color):
    return tuple(round(255 * value) for value in (color.r, color.g, color.b, color.a))


def test_objects_are_closed_lines_in_the_colors_of_their_classes_with_words(types):
    msg = annotate(types, detections=objects((100, 200, 300, 400), tracks=[4]))
    (box,), (words,) = msg.points, msg.texts
    assert box.type == types.PointsAnnotation.LINE_LOOP
    assert points_of(box) == [(100, 200), (300, 200), (300, 400), (100, 400)]
    blue, green, red = class_color("dog", 1)
    assert rgba(box.outline_color) == (red, green, blue, 255)
    assert box.fill_color.a == 0
    assert box.thickness == 2
    assert words.text == "dog 87% #4"
    assert (words.position.x, words.position.y) == (100, 200)
    assert words.font_size == 13
    assert rgba(words.background_color) == (red, green, blue, 204)


def test_everything_has_the_time_of_the_image(types):
    msg = annotate(types, detections=objects((100, 200, 300, 400)))
    times = [each.timestamp for each in (*msg.points, *msg.texts)]
    if types is not OLD:
        times.append(msg.timestamp)
    assert times == [HEADER.stamp] * len(times)
    assert len(times) >= 2


def test_words_can_be_read_on_their_color_and_lie_in_the_image(types):
    light = annotate(types, faces=Faces([[-5, 2, 90, 90]], [0.9])).texts[0]
    dark = annotate(types, texts=(region("Exit"),)).texts[0]
    inks = {rgba(text.text_color) for text in (light, dark)}
    assert inks <= {(0, 0, 0, 255), (255, 255, 255, 255)}
    assert light.position.x == 0
    assert light.position.y == light.font_size


def test_words_are_in_the_language_and_as_wanted(types):
    found = objects((100, 200, 300, 400))
    spanish = DescribeOptions(language="es")
    assert annotate(types, spanish, detections=found).texts[0].text == "perro 87%"
    bare = DescribeOptions(draw=DrawOptions(labels=False, scores=False))
    msg = annotate(types, bare, detections=found)
    assert (len(msg.points), len(msg.texts)) == (1, 0)


def test_faces_have_boxes_and_landmarks(types):
    landmarks = np.arange(10, dtype=np.float32).reshape(1, 5, 2) + 100
    box, points = annotate(types, faces=Faces([[90, 90, 190, 190]], [0.9], landmarks)).points
    assert points_of(box) == [(90, 90), (190, 90), (190, 190), (90, 190)]
    assert points.type == types.PointsAnnotation.POINTS
    assert points_of(points) == [tuple(row) for row in landmarks[0].tolist()]
    assert points.thickness > box.thickness


def test_outlines_are_closed_lines_beside_the_box(types):
    polygon = np.array([(110, 210), (290, 210), (200, 390)], np.float32)
    found = replace(objects((100, 200, 300, 400)), masks=outlined_masks([[polygon]]))
    box, outline = annotate(types, detections=found).points
    assert outline.type == types.PointsAnnotation.LINE_LOOP
    assert points_of(outline) == [tuple(row) for row in polygon.tolist()]
    assert outline.outline_color == box.outline_color


def test_people_have_their_certain_limbs_and_points(types):
    points = np.arange(34, dtype=np.float32).reshape(17, 2)
    msg = annotate(types, poses=pose_of(points))
    kinds = [each.type for each in msg.points]
    assert kinds.count(types.PointsAnnotation.LINE_LIST) == len(LIMBS)
    assert kinds.count(types.PointsAnnotation.POINTS) == len(KEY_POINTS)
    assert points_of(msg.points[0]) == [tuple(points[KEY_POINTS.index(end)]) for end in LIMBS[0]]
    assert not annotate(types, poses=pose_of(points, certain=0.1)).points


def region(text):
    return TextRegion([[10, 50], [90, 60], [88, 80], [8, 70]], text, 0.9, (0, 0, 0), (1, 1, 1))


def test_lines_of_text_are_outlined_as_they_lie(types):
    msg = annotate(types, texts=(region("Exit"),))
    assert points_of(msg.points[0]) == [(10, 50), (90, 60), (88, 80), (8, 70)]
    assert msg.texts[0].text == "Exit"


def test_classes_of_the_whole_picture_are_words_in_the_corner(types):
    msg = annotate(types, classification=classes_of(("tabby", "lynx"), (0.7, 0.3)))
    assert not msg.points
    assert [text.text for text in msg.texts] == ["lynx 30%", "tabby 70%"]
    assert msg.texts[0].position.y == 480


def test_nothing_found_takes_away_what_was_drawn(types):
    msg = annotate(types, detections=Detections.empty(LABELS))
    assert (list(msg.points), list(msg.texts), list(msg.circles)) == ([], [], [])


def test_there_is_a_topic_only_where_the_messages_are():
    assert ("annotations" in camera_ports.RESULTS) == (REAL is not None)


@pytest.mark.skipif(REAL is None, reason="foxglove_msgs is not installed")
def test_a_node_publishes_annotations(peer, start):
    start(model="fake")
    seen = peer.collect(REAL.ImageAnnotations, "/detector_node/annotations")
    camera = peer.camera()
    msg = image_to_msg(HEADER, np.full((48, 64, 3), 128, np.uint8))

    def shown():
        camera.publish(msg)
        return seen

    peer.until(shown, "annotations")
    assert points_of(seen[0].points[0]) == [(16, 12), (48, 12), (48, 36), (16, 36)]
    assert seen[0].texts[0].text.startswith("person ")
    assert seen[0].points[0].timestamp == HEADER.stamp
