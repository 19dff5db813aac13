import math

import numpy as np
import pytest

from i2t_ros.errors import ModelMismatchError
from i2t_ros.vision.decoders.base import InputSize
from i2t_ros.vision.decoders.ssd import anchor_boxes, ssd

SIZE = InputSize(300, 300)
SIDES = (19, 10, 5, 3, 2, 1)


def anchors_one_by_one():
    """Apply the rule of the authors' configuration to one anchor after the other."""
    found = []
    for layer, side in enumerate(SIDES):
        scale, following = (0.2 + 0.75 * each / 5 for each in (layer, layer + 1))
        shapes = [(scale, ratio) for ratio in (1, 2, 1 / 2, 3, 1 / 3)]
        shapes.append((math.sqrt(scale * min(following, 1)), 1))
        if layer == 0:
            shapes = [(0.1, 1), (0.2, 2), (0.2, 1 / 2)]
        for row in range(side):
            for column in range(side):
                for scale, ratio in shapes:
                    center = ((column + 0.5) / side, (row + 0.5) / side)
                    found.append((*center, scale * ratio**0.5, scale / ratio**0.5))
    return found


def outputs_for(anchor, offset=(0, 0, 0, 0), class_id=2, logit=3.0, classes=4):
    boxes = np.zeros((1, 1917, 4), np.float32)
    logits = np.full((1, 1917, classes), -9, np.float32)
    boxes[0, anchor], logits[0, anchor, class_id] = offset, logit
    return [boxes, logits]


def test_anchors_are_those_of_the_rule():
    anchors = anchor_boxes(SIZE)
    assert anchors.shape == (1917, 4)
    np.testing.assert_allclose(anchors, anchors_one_by_one(), atol=1e-6)


@pytest.mark.parametrize("anchor", [0, 1082, 1083, 1500, 1916])
def test_a_box_is_relative_to_its_anchor(anchor):
    x, y, width, height = anchors_one_by_one()[anchor]
    offset = (10, -5, 5 * math.log(0.5), 5 * math.log(2))
    found = ssd(outputs_for(anchor, offset), SIZE, 0.5)
    x, y, width, height = x - 0.5 * width, y + height, 2 * width, 0.5 * height
    wanted = [x - width / 2, y - height / 2, x + width / 2, y + height / 2]
    np.testing.assert_allclose(found.boxes, [np.multiply(wanted, 300)], rtol=1e-5, atol=1e-3)
    assert found.class_ids.tolist() == [2]
    np.testing.assert_allclose(found.scores, [1 / (1 + math.exp(-3))], rtol=1e-6)
    assert found.classes == 4


def test_the_background_is_no_object():
    outputs = outputs_for(7, class_id=0, logit=20)
    assert len(ssd(outputs, SIZE, 0.1).scores) == 0
    outputs[1][0, 7, 3] = 1
    assert ssd(outputs, SIZE, 0.1).class_ids.tolist() == [3]


def test_extreme_values_are_boxes_and_scores():
    outputs = outputs_for(7, offset=(0, 0, 1e4, 1e4), logit=1e4)
    outputs[1][0, 8] = -1e4
    with np.errstate(all="raise", under="ignore"):
        found = ssd(outputs, SIZE, 0.5)
    assert np.isfinite(found.boxes).all()
    assert found.scores.tolist() == [1]


@pytest.mark.parametrize(
    "shapes",
    [
        [(1, 1916, 4), (1, 1916, 4)],
        [(1, 1917, 4), (1, 1916, 4)],
        [(1, 1917, 3), (1, 1917, 4)],
        [(1, 1917, 4), (1, 1917, 1)],
        [(1917, 4), (1, 1917, 4)],
    ],
)
def test_outputs_of_another_form_are_refused(shapes):
    with pytest.raises(ModelMismatchError, match="decoder ssd: "):
        ssd([np.zeros(shape, np.float32) for shape in shapes], SIZE, 0.5)
