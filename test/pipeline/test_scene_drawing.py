import numpy as np
import pytest
from making import classes_of, scene_of

from i2t_ros.pipeline.describe_options import DescribeOptions
from i2t_ros.pipeline.tasks.faces import Faces
from i2t_ros.pipeline.tasks.text import TextRegion
from i2t_ros.pipeline.telling import draw
from i2t_ros.types import Detections
from i2t_ros.vision.class_colors import class_color
from i2t_ros.vision.drawing import DrawOptions

LABELS = ("person", "dog")


def scene(width=640, height=480, boxes=((100, 100, 300, 300),), **more):
    n = len(boxes)
    found = Detections(boxes, np.full(n, 0.9), np.zeros(n), LABELS)
    return scene_of(width, height, detections=found, **more)


def black(width=640, height=480):
    return np.zeros((height, width, 3), np.uint8)


def draw_scene(image, scene, **options):
    return draw(image, scene, DescribeOptions(**options))


def test_the_image_itself_stays_as_it_is():
    image = black()
    drawn = draw_scene(image, scene())
    assert not image.any()
    assert drawn.shape == image.shape
    assert drawn.any()


def test_the_box_is_where_the_object_is():
    drawn = draw_scene(black(), scene())
    color = class_color("person")
    assert tuple(drawn[200, 100]) == color
    assert tuple(drawn[200, 299]) == color
    assert tuple(drawn[299, 200]) == color
    assert not drawn[110:290, 110:290].any()


def test_an_empty_scene_changes_nothing():
    assert not draw_scene(black(), scene_of(640, 480)).any()
    assert not draw_scene(black(), scene_of(640, 480, detections=Detections.empty(LABELS))).any()


@pytest.mark.parametrize(
    "box", [(0, 0, 640, 480), (0, 0, 1, 1), (639, 479, 640, 480), (0, 5, 9, 9)]
)
def test_boxes_at_the_edges_are_drawn(box):
    assert draw_scene(black(), scene(boxes=(box,))).any()


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (40, 30), (320, 240), (3840, 2160)])
def test_every_size_of_image_is_drawn_on(size):
    width, height = size
    drawn = draw_scene(black(width, height), scene(width, height, boxes=((0, 0, width, height),)))
    assert drawn.shape == (height, width, 3)


def test_a_label_is_in_the_language_of_the_sentence():
    plain = draw_scene(black(), scene())
    spanish = draw_scene(black(), scene(), language="es")
    assert (plain != spanish).any()


def test_faces_landmarks_and_texts_are_drawn():
    faces = Faces([[10, 10, 60, 60]], [0.9], np.full((1, 5, 2), 30))
    drawn = draw_scene(black(), scene_of(640, 480, faces=faces))
    assert drawn[30, 30].any()
    region = TextRegion(
        np.array([[100, 200], [300, 200], [300, 240], [100, 240]]),
        "STOP",
        0.9,
        (0, 0, 0),
        (9, 9, 9),
    )
    drawn = draw_scene(black(), scene_of(640, 480, texts=(region,)))
    assert drawn[220, 100].any()


def line(left, top, right, bottom, text="STOP", translation=""):
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
    return TextRegion(corners, text, 0.9, (0, 0, 0), (9, 9, 9), translation)


def drawn_texts(*regions, width=640, height=480):
    return draw_scene(black(width, height), scene_of(width, height, texts=regions))


def test_a_face_says_so_in_the_language_of_the_sentence():
    scene = scene_of(640, 480, faces=Faces([[100, 100, 160, 160]], [0.9]))
    drawn = draw_scene(black(), scene)
    assert drawn[:99].any()
    assert (drawn != draw_scene(black(), scene, language="es")).any()
    for shown in (DrawOptions(scores=False), DrawOptions(labels=False)):
        other = draw_scene(black(), scene, draw=shown)
        assert other[:99].any()
        assert (other != drawn).any()
    assert not draw_scene(black(), scene, draw=DrawOptions(labels=False, scores=False))[:99].any()


def test_what_a_text_says_stands_above_it_and_hides_no_other_text():
    one = drawn_texts(line(100, 200, 300, 220))
    assert one[190, 105].any()
    assert not one[230:].any()
    two = drawn_texts(line(100, 180, 300, 198), line(100, 200, 300, 220))
    assert not two[186:192, 110:290].any()
    assert two[230, 105].any()  # the second one's, below it


def test_of_a_dense_page_the_outlines_are_drawn_and_translations_over_them():
    page = [line(0, 12 * i, 640, 12 * i + 11) for i in range(40)]
    assert not drawn_texts(*page)[244:247, 4:600].any()
    page[20] = line(0, 240, 640, 251, translation="ALTO")
    assert drawn_texts(*page)[244:247, 4:600].any()


@pytest.mark.parametrize("size", [(1, 1), (8, 8), (640, 9), (9, 480)])
def test_texts_are_drawn_on_the_smallest_image(size):
    width, height = size
    drawn = drawn_texts(
        line(0, 0, width, height, translation="a long translation"), width=width, height=height
    )
    assert drawn.shape == (height, width, 3)
    assert drawn.any()


def classes(*scores):
    return classes_of(tuple(f"class {i}" for i in range(len(scores))), scores)


def test_likely_classes_stand_in_the_lower_left_corner():
    one = draw_scene(black(), scene_of(640, 480, classification=classes(0.7, 0.05)))
    two = draw_scene(black(), scene_of(640, 480, classification=classes(0.7, 0.2)))
    assert one[479, 0].any()
    assert not one[:240].any()
    assert not one[:, 320:].any()
    # The second line needs as much room again, and what is not likely needs none.
    heights = [480 - int(np.flatnonzero(drawn.any(axis=(1, 2)))[0]) for drawn in (one, two)]
    assert heights[1] == 2 * heights[0]


def test_classes_are_drawn_on_the_smallest_image():
    assert draw_scene(black(3, 2), scene_of(3, 2, classification=classes(0.9))).shape == (2, 3, 3)


def test_no_likely_class_changes_nothing():
    assert not draw_scene(black(), scene_of(640, 480, classification=classes(0.02))).any()
