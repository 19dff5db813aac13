import colorsys
from itertools import combinations, pairwise

import numpy as np
import pytest

from i2t_ros.vision import drawing
from i2t_ros.vision.class_colors import class_color
from i2t_ros.vision.drawing import Pen, Plate
from i2t_ros.vision.fonts import text_mask


def black(width, height):
    return np.zeros((height, width, 3), np.uint8)


def test_lines_and_letters_grow_with_the_image():
    assert Pen.for_image(black(320, 240)) == Pen(1, 11)
    assert Pen.for_image(black(3840, 2160)) == Pen(9, 60)


TABLE = ["bottle", "wine glass", "cup", "fork", "knife", "spoon", "bowl", "chair", "dining table"]
STREET = ["person", "bicycle", "car", "motorcycle", "bus", "truck", "traffic light", "stop sign"]
ROOM = ["person", "chair", "couch", "potted plant", "tv", "remote", "book", "clock", "vase"]


def hue(color):
    blue, green, red = (channel / 255 for channel in color)
    return 360 * colorsys.rgb_to_hsv(red, green, blue)[0]


def apart(colors):
    hues = sorted(map(hue, colors))
    return min(after - before for before, after in pairwise([*hues, hues[0] + 360]))


@pytest.mark.parametrize("names", [TABLE, STREET, ROOM])
def test_the_colors_of_classes_that_are_seen_together_are_far_apart(names):
    assert apart(map(class_color, names)) > 25
    assert len({class_color(name, 7) for name in names}) == len(names), "whatever their index"
    assert all(max(class_color(name)) == 255 for name in names)


def test_the_first_classes_of_ones_own_model_are_far_apart():
    assert apart(class_color(f"part {i}", i) for i in range(8)) > 25


def placed(monkeypatch, plates, size=(640, 480)):
    """Return left, top, right, bottom of each plate that is written, by its text."""
    found = {}

    def write(canvas, corner, text, pen, color):
        height, width = drawing.plate_size(text, pen)
        found[text] = (*corner, corner[0] + width, corner[1] + height)

    monkeypatch.setattr(drawing, "write", write)
    canvas = black(*size)
    drawing.draw_plates(canvas, plates, Pen.for_image(canvas))
    return found


def overlap(one, other):
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(0, width) * max(0, height)


def some_plates(boxes, **more):
    return [Plate(f"thing {i} 90%", box, (0, 0, 255), **more) for i, box in enumerate(boxes)]


CROWDS = {
    "one behind the other": [(200 + 8 * i, 200 + 5 * i, 300 + 8 * i, 320) for i in range(8)],
    "the same box": [(200, 200, 320, 320)] * 6,
    "a row at the top": [(50 * i, 0, 50 * i + 45, 60) for i in range(10)],
    "a corner": [(600, 440, 640, 480), (590, 430, 640, 480), (580, 420, 640, 480)],
    "the whole image": [(0, 0, 640, 480)] * 5,
}


@pytest.mark.parametrize("crowd", CROWDS)
def test_plates_hide_no_other_plate_and_stay_inside(monkeypatch, crowd):
    found = placed(monkeypatch, some_plates(CROWDS[crowd]))
    assert len(found) == len(CROWDS[crowd])
    for one, other in combinations(found.values(), 2):
        assert not overlap(one, other)
    for left, top, right, bottom in found.values():
        assert 0 <= left < right <= 640
        assert 0 <= top < bottom <= 480


def test_a_plate_hides_no_small_thing_beside_it(monkeypatch):
    boxes = [(200, 200, 400, 400), (200, 170, 280, 198), (10, 10, 60, 40)]
    found = placed(monkeypatch, some_plates(boxes))
    assert all(not overlap(plate, box) for plate in found.values() for box in boxes[1:])


def test_a_line_of_text_keeps_its_words_only_where_they_hide_no_other(monkeypatch):
    page = [(0, 12 * i, 640, 12 * i + 11) for i in range(40)]
    assert placed(monkeypatch, some_plates(page, place="free")) == {}
    over = placed(monkeypatch, some_plates(page[20:21], place="over") + some_plates(page[:0]))
    assert len(over) == 1


def test_small_things_get_thin_lines_and_letters_that_can_be_read():
    pen = Pen.for_image(black(1920, 1080))
    small, large = pen.for_thing(20, 30), pen.for_thing(500, 400)
    assert large == pen
    assert small.line < pen.line
    assert 11 <= small.letters < pen.letters


@pytest.mark.parametrize("text", ["person 90%", "perro ñ", "犬 90%", "", " ", "\U000effff"])
def test_every_text_has_a_mask(text):
    mask = text_mask(text, 20)
    assert mask.dtype == np.uint8
    assert mask.ndim == 2
    assert min(mask.shape) >= 1
    assert mask.any() == bool(text.strip())


def test_letters_have_the_size_asked_for():
    assert 12 <= text_mask("Ag", 20).shape[0] <= 28
    assert text_mask("Ag", 60).shape[0] > 2 * text_mask("Ag", 20).shape[0]
