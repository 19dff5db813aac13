"""Decoders of the task detect. Class ids are numbers of the model's labels."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from i2t_ros.errors import ModelMismatchError
from i2t_ros.vision.boxes import Boxes, xywh_to_xyxy
from i2t_ros.vision.decoders.base import InputSize, Outputs, cell_grid

# Its exp is larger than any image; that of a larger number may overflow a float32.
LARGEST_EXPONENT = 20.0

LARGEST_FRACTION = 2.0
"""A box may reach a little beyond the input. In pixels, no box that matters is as small."""


class Candidates(NamedTuple):
    """boxes (N, 4) float32 xyxy in pixels of the input, scores (N,) float32, class_ids (N,).

    ``classes`` is how many the model tells apart; None if its outputs do not say.
    """

    boxes: Boxes
    scores: NDArray[np.float32]
    class_ids: "NDArray[np.integer[Any]]"
    classes: int | None = None


def yolox(
    outputs: Outputs, size: InputSize, min_score: float, strides: Sequence[int] = (8, 16, 32)
) -> Candidates:
    """Read YOLOX without its last decoding step: (1, cells, 5 + classes).

    A row is x, y, log width, log height, objectness, class probabilities. The cells come grid by
    grid, from the finest stride to the coarsest, and row by row in each. x = (v + column) * stride,
    width = exp(v) * stride, score = objectness * probability
    (https://github.com/Megvii-BaseDetection/YOLOX, demo_postprocess).
    """
    rows, grid = rows_of(outputs[0], "yolox", 6), cell_grid(size, tuple(strides))
    if len(rows) != len(grid):
        raise ModelMismatchError(
            f"decoder yolox: an input of {size.width}x{size.height} with strides {list(strides)} "
            f"makes {len(grid)} cells, the model gave {len(rows)}"
        )
    # No class probability exceeds 1, so objectness alone rules out most cells.
    cells = (rows[:, 4] >= min_score).nonzero()[0]
    rows = rows.take(cells, axis=0)
    scores = rows[:, 4] * np.maximum.reduce(rows[:, 5:], axis=1)
    good = (scores >= min_score).nonzero()[0]
    if len(good) < len(cells):
        rows, scores, cells = rows.take(good, axis=0), scores.take(good), cells.take(good)
    places = grid.take(cells, axis=0)
    boxes = np.empty((len(cells), 4), np.float32)
    centers = (rows[:, :2] + places[:, :2]) * places[:, 2:]
    half = np.exp(np.minimum(rows[:, 2:4], LARGEST_EXPONENT)) * (places[:, 2:] / 2)
    np.subtract(centers, half, out=boxes[:, :2])
    np.add(centers, half, out=boxes[:, 2:])
    return Candidates(boxes, scores, rows[:, 5:].argmax(axis=1), rows.shape[1] - 5)


def nanodet(  # noqa: PLR0913, PLR0917 (three of them come from the manifest)
    outputs: Outputs,
    size: InputSize,
    min_score: float,
    strides: Sequence[int] = (8, 16, 32),
    bins: int = 8,
    center: float = 0.5,
) -> Candidates:
    """Read NanoDet: for each stride probabilities (1, cells, classes), sides (1, cells, 4 * bins).

    For each side of a box (left, top, right, bottom) there are logits over its distances 0 to
    ``bins`` - 1, in strides, from the cell's center ``x * stride + center * (stride - 1)``. The
    distance is the mean of that distribution (https://github.com/RangiLyu/nanodet). ``center`` is
    0.5 for the first generation and 0 for NanoDet-Plus. The outputs may come in any order: a finer
    stride has more cells, and ``bins`` tells which outputs are sides.
    """
    ordered = sorted(outputs, key=lambda output: -output.shape[1])
    sides = [output for output in ordered if output.shape[2] == 4 * bins]
    probabilities = [output for output in ordered if output.shape[2] != 4 * bins]
    cells = [len(cell_grid(size, (stride,))) for stride in strides]
    if not [o.shape[1] for o in sides] == [o.shape[1] for o in probabilities] == cells:
        raise ModelMismatchError(
            f"decoder nanodet: strides {list(strides)} make {cells} cells with {4 * bins} sides "
            f"each, the model gave {[output.shape for output in outputs]}"
        )
    rows = np.concatenate([output[0] for output in probabilities])
    scores = rows.max(axis=1)
    good = np.flatnonzero(scores >= min_score)
    logits = np.concatenate([output[0] for output in sides])[good].reshape(-1, 4, bins)
    weights = np.exp(logits - logits.max(axis=2, keepdims=True))
    distances = weights @ np.arange(bins, dtype=np.float32) / weights.sum(axis=2)
    grid = cell_grid(size, tuple(strides))
    cell, stride = grid[good, :2], grid[good, 2:]
    centers, distances = cell * stride + center * (stride - 1), distances * stride
    boxes = np.concatenate([centers - distances[:, :2], centers + distances[:, 2:]], axis=1)
    return Candidates(boxes, scores[good], rows[good].argmax(axis=1), rows.shape[1])


def yolov5(
    outputs: Outputs, size: InputSize, min_score: float, normalized: bool = False
) -> Candidates:
    """Read (1, N, 5 + classes): center x, center y, width, height, objectness, probabilities.

    The format of YOLOv5 to v7, and of YOLOX exported with its decoding. Boxes are in pixels of the
    input, or in fractions of it if ``normalized``. score = objectness * probability.
    """
    rows = rows_of(outputs[0], "yolov5", 6)
    rows = rows[rows[:, 4] >= min_score]
    fraction_of = size if normalized else None
    return best_classes(rows[:, :4], rows[:, 5:], min_score, fraction_of, rows[:, 4])


def yolov8(
    outputs: Outputs,
    size: InputSize,
    min_score: float,
    normalized: bool = False,
    corners: bool = False,
) -> Candidates:
    """Read (1, 4 + classes, N): center x, center y, width, height, class probabilities.

    The format of YOLOv8, v9, v11 and v12. Boxes are in pixels, or in fractions if ``normalized``.
    With ``corners`` they are left, top, right, bottom, as in the YOLOv9 of LibreYOLO
    (https://github.com/LibreYOLO/libreyolo, backends/base.py).
    """
    rows = rows_of(outputs[0], "yolov8", 5, axis=1).T
    fraction_of = size if normalized else None
    return best_classes(rows[:, :4], rows[:, 4:], min_score, fraction_of, corners=corners)


def yolov10(
    outputs: Outputs, size: InputSize, min_score: float, normalized: bool = False
) -> Candidates:
    """Read (1, N, 6): left, top, right, bottom, score, class id; overlaps are already removed.

    The format of YOLOv10 and YOLO26, and of other models exported with suppression. Boxes are in
    pixels, or in fractions if ``normalized``, which is told again by each picture's own boxes: one
    without objects does not tell.
    """
    rows = rows_of(outputs[0], "yolov10", 6)
    boxes = rows[:, :4]
    if normalized and np.abs(boxes).max(initial=0.0) <= LARGEST_FRACTION:
        boxes = in_pixels(boxes, size)
    return above_score(min_score, boxes, rows[:, 4], rows[:, 5])


def queries(outputs: Outputs, size: InputSize, min_score: float) -> Candidates:
    """Read (1, Q, 4 + classes): center x, center y, width, height as fractions, probabilities.

    The format of RT-DETR as Ultralytics exports it.
    """
    rows = rows_of(outputs[0], "queries", 5)
    return best_classes(rows[:, :4], rows[:, 4:], min_score, size)


def query_logits(
    outputs: Outputs,
    size: InputSize,
    min_score: float,
    no_object: bool = False,
    softmax: bool = False,
) -> Candidates:
    """Read logits (1, Q, classes) and boxes (1, Q, 4): center x, y, width, height as fractions.

    The format of RT-DETR, D-FINE, DEIM and RF-DETR exported without their post-processor: by
    Hugging Face, LibreYOLO and Roboflow (decode.py of https://github.com/roboflow/rf-detr).
    probability = sigmoid(logit). With ``no_object`` the last column is no class: RF-DETR trained on
    N classes has N + 1. With ``softmax`` too, as in the first DETR (models/detr.py of
    https://github.com/facebookresearch/detr), the probabilities of a row sum up to 1.
    """
    logits, boxes = rows_of(outputs[0], "query_logits", 1), rows_of(outputs[1], "query_logits", 4)
    if softmax:
        probabilities = np.exp(logits - logits.max(axis=1, keepdims=True))
        probabilities /= probabilities.sum(axis=1, keepdims=True)
    else:
        with np.errstate(over="ignore"):  # exp may become inf, and 1 / inf = 0 is right
            probabilities = 1 / (1 + np.exp(-logits))
    if no_object:
        probabilities = probabilities[:, :-1]
    return best_classes(boxes, probabilities, min_score, size)


def labels_boxes_scores(outputs: Outputs, size: InputSize, min_score: float) -> Candidates:
    """Read class ids (1, Q), boxes (1, Q, 4) xyxy and scores (1, Q).

    The format of RT-DETR and D-FINE exported with their post-processor. Their second input is the
    size that boxes are scaled to: give it the size of the input (``input.constants``).
    """
    class_ids, boxes, scores = (output[0] for output in outputs)
    return above_score(min_score, boxes, scores, class_ids)


def tensorflow(
    outputs: Outputs, size: InputSize, min_score: float, class_offset: int = 0
) -> Candidates:
    """Read boxes (1, N, 4), class ids (1, N), scores (1, N) and the number of boxes (1,).

    The outputs of the TensorFlow Object Detection API and of TFLite_Detection_PostProcess. Boxes
    are top, left, bottom, right as fractions of the input. ``class_offset`` is added to the ids.
    """
    count = int(outputs[3].reshape(-1)[0])
    boxes, class_ids, scores = (output[0, :count] for output in outputs[:3])
    return above_score(
        min_score, in_pixels(boxes[:, [1, 0, 3, 2]], size), scores, class_ids + class_offset
    )


def yolov3(outputs: Outputs, size: InputSize, min_score: float) -> Candidates:
    """Read boxes (1, N, 4), scores (1, classes, N) and the suppression's choice (..., M, 3).

    The format of YOLOv3 in the ONNX model zoo. A row of the choice is batch, class, box, padded
    with -1. Boxes are top, left, bottom, right in pixels of ``image_shape``, the model's second
    input: give it the size of the input (``input.constants``).
    """
    boxes, scores = outputs[0][0], outputs[1][0]
    batch, class_ids, indices = outputs[2].reshape(-1, 3).T
    class_ids, indices = class_ids[batch >= 0], indices[batch >= 0]
    boxes = boxes[indices][:, [1, 0, 3, 2]]
    found = above_score(min_score, boxes, scores[class_ids, indices], class_ids)
    return found._replace(classes=len(scores))


def pixels(outputs: Outputs, size: InputSize, min_score: float) -> Candidates:
    """Read the boxes, scores and class ids of a backend that takes whole images."""
    return above_score(min_score, *outputs)


def above_score(
    min_score: float, boxes: Boxes, scores: NDArray[np.float32], class_ids: NDArray[Any]
) -> Candidates:
    """Return the boxes whose score is high enough."""
    good = scores >= min_score
    return Candidates(boxes[good], scores[good], class_ids[good].astype(np.int32, copy=False))


def best_classes(  # noqa: PLR0913 (all that such formats differ in)
    boxes: Boxes,
    probabilities: NDArray[Any],
    min_score: float,
    size: InputSize | None = None,
    objectness: NDArray[Any] | float = 1.0,
    *,
    corners: bool = False,
) -> Candidates:
    """Return the best class of each row, if its score is high enough.

    boxes          (N, 4): center x, center y, width, height, or with ``corners`` xyxy; fractions
                   of ``size`` if it is given
    probabilities  (N, classes); score = probability * objectness
    """
    scores: NDArray[Any] = probabilities.max(axis=1) * objectness
    good = np.flatnonzero(scores >= min_score)
    boxes = boxes[good] if corners else xywh_to_xyxy(boxes[good])
    boxes = in_pixels(boxes, size) if size else boxes
    class_ids = probabilities[good].argmax(axis=1)
    return Candidates(boxes, scores[good], class_ids, probabilities.shape[1])


def rows_of(output: NDArray[Any], decoder: str, least: int, axis: int = 2) -> NDArray[Any]:
    """Return a (1, N, C) output as (N, C), if ``axis`` has ``least`` elements or more."""
    if output.ndim != 3 or output.shape[0] != 1 or output.shape[axis] < least:
        shape = f"(1, N, {least} or more)" if axis == 2 else f"(1, {least} or more, N)"
        raise ModelMismatchError(
            f"decoder {decoder}: expected an output of shape {shape}, got {output.shape}"
        )
    return np.asarray(output[0])


def in_pixels(boxes: Boxes, size: InputSize) -> Boxes:
    """Return boxes that are fractions of the input in its pixels."""
    return np.asarray(boxes * np.array([*size, *size], np.float32))
