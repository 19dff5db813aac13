import numpy as np
import pytest

from i2t_ros.vision.class_colors import class_color
from i2t_ros.vision.drawing import Pen
from i2t_ros.vision.fonts import text_mask

LABELS = ("person", "dog")


def black(width, height):
    return np.zeros((height, width, 3), np.uint8)


def test_lines_and_letters_grow_with_the_image():
    assert Pen.for_image(black(320, 240)) == Pen(1, 11)
    assert Pen.for_image(black(3840, 2160)) == Pen(9, 60)


def test_class_colors_are_stable_and_bright():
    # Written down, so that a picture of today looks like one of next year.
    assert class_color("person") == class_color("person")
    assert class_color("person") != class_color("dog")
    assert all(max(class_color(name)) == 255 for name in LABELS)


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
