"""SSD as TensorFlow's Object Detection API trains it, without its last steps."""

import math
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from i2t_ros.errors import ModelMismatchError
from i2t_ros.vision.boxes import xywh_to_xyxy
from i2t_ros.vision.decoders.base import InputSize, Outputs
from i2t_ros.vision.decoders.objects import LARGEST_EXPONENT, Candidates, in_pixels, rows_of

STRIDES = (16, 32, 64, 128, 256, 512)
"""Pixels of the input for a cell of each grid; the last cell of a row may be cut off."""
SCALES = (0.2, 0.35, 0.5, 0.65, 0.8, 0.95, 1.0)
"""Side of a grid's square anchor as a fraction of the input, and what follows the last grid's."""
FINEST_SCALE = 0.1
"""Side of the square anchor of the finest grid, which has three anchors instead of six."""
RATIOS = (1.0, 2.0, 0.5, 3.0, 1 / 3)
"""Width / height."""
CENTER_FACTOR, SIDE_FACTOR = 10.0, 5.0
"""By which training multiplied the offsets of centers and the logarithms of sides."""


def ssd(outputs: Outputs, size: InputSize, min_score: float) -> Candidates:
    """Read offsets (1, anchors, 4) and logits (1, anchors, 1 + classes); class 0 is the background.

    An offset is center y, center x, log height, log width, relative to its anchor: y = v / 10 *
    height of the anchor + its y, height = exp(v / 5) * height of the anchor; score =
    sigmoid(logit) (https://github.com/google-ai-edge/mediapipe, tensors_to_detections_calculator.cc
    and modules/objectron/object_detection_oid_v4_cpu.pbtxt).
    """
    offsets, logits = rows_of(outputs[0], "ssd", 4), rows_of(outputs[1], "ssd", 2)
    anchors = anchor_boxes(size)
    if not len(offsets) == len(logits) == len(anchors):
        raise ModelMismatchError(
            f"decoder ssd: an input of {size.width}x{size.height} has {len(anchors)} anchors, the "
            f"model gave {len(offsets)} boxes and {len(logits)} rows of logits"
        )
    with np.errstate(over="ignore"):  # exp may become inf, and 1 / inf = 0 is right
        scores: NDArray[Any] = 1 / (1 + np.exp(-logits[:, 1:].max(axis=1)))
    good = np.flatnonzero(scores >= min_score)
    anchors, offsets = anchors[good], offsets[good][:, [1, 0, 3, 2]]
    centers = offsets[:, :2] / CENTER_FACTOR * anchors[:, 2:] + anchors[:, :2]
    sides = np.exp(np.minimum(offsets[:, 2:] / SIDE_FACTOR, LARGEST_EXPONENT)) * anchors[:, 2:]
    boxes = in_pixels(xywh_to_xyxy(np.hstack([centers, sides])), size)
    return Candidates(boxes, scores[good], logits[good, 1:].argmax(axis=1) + 1, logits.shape[1])


@lru_cache(maxsize=8)
def anchor_boxes(size: InputSize) -> NDArray[np.float32]:
    """Return (anchors, 4) float32: center x, center y, width, height as fractions of the input.

    They come grid by grid from the finest, row by row, and in a cell by RATIOS; last in the cell is
    a square between the scales of its grid and the next. Of the finest grid's three, the square is
    FINEST_SCALE (ssd_anchors_calculator.cc of the same repository, reduce_boxes_in_lowest_layer).
    """
    parts = []
    for stride, scale, following in zip(STRIDES, SCALES, SCALES[1:], strict=False):
        shapes = [(scale, ratio) for ratio in RATIOS] + [(math.sqrt(scale * following), 1.0)]
        if stride == STRIDES[0]:
            shapes = [(FINEST_SCALE, 1.0), *shapes[1:3]]
        sides = [(scale * math.sqrt(ratio), scale / math.sqrt(ratio)) for scale, ratio in shapes]
        columns, rows = math.ceil(size.width / stride), math.ceil(size.height / stride)
        y, x = np.mgrid[0:rows, 0:columns]
        centers = np.stack([(x + 0.5) / columns, (y + 0.5) / rows], axis=-1).reshape(-1, 1, 2)
        shape = (rows * columns, len(sides), 2)
        whole = [np.broadcast_to(part, shape) for part in (centers, np.array(sides))]
        parts.append(np.concatenate(whole, axis=2).reshape(-1, 4))
    anchors = np.concatenate(parts).astype(np.float32)
    anchors.flags.writeable = False
    return anchors
