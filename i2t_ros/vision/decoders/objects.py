"""From a detector's raw outputs to candidate boxes.

A decoder reads the outputs of one family of models. Its boxes are in pixels of the model's input.
They may overlap, lie outside the input, and come in any order: the detector suppresses overlaps,
scales the boxes back to the image and clips them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from i2t_ros.errors import ModelMismatchError
from i2t_ros.vision.boxes import Boxes, xywh_to_xyxy, yxyx_to_xyxy

# Its exp is larger than any image; that of a larger number may overflow a float32.
LARGEST_EXPONENT = 20.0


class Candidates(NamedTuple):
    """boxes (N, 4) float32 xyxy in pixels of the input, scores (N,) float32, class_ids (N,)."""

    boxes: Boxes
    scores: NDArray[np.float32]
    class_ids: NDArray[np.integer[Any]]


class InputSize(NamedTuple):
    """Width and height of the model's input, pixels."""

    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Decoder:
    """A function that reads outputs, and what to know about it.

    function     for objects: (outputs, input size, minimum score, **options) -> Candidates; raises
                 ModelMismatchError if the outputs cannot be those of this family
    outputs      how many arrays it reads
    suppresses   whether the model itself has already removed overlapping boxes
    options      names that the manifest may set, each with its default
    """

    function: Callable[..., Any]
    outputs: int
    suppresses: bool = False
    options: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))


def yolox(
    outputs: Sequence[NDArray[Any]], size: InputSize, min_score: float, strides: Sequence[int]
) -> Candidates:
    """Read YOLOX without its last decoding step: (1, cells, 5 + classes).

    A row is x, y, log width, log height, objectness, class probabilities. The cells come grid by
    grid, from the finest stride to the coarsest, and row by row in each. x = (v + column) * stride,
    width = exp(v) * stride, score = objectness * probability
    (https://github.com/Megvii-BaseDetection/YOLOX, demo_postprocess).
    """
    rows, grid = _rows(outputs[0], "yolox", 6), cell_grid(size, tuple(strides))
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
    return Candidates(boxes, scores, rows[:, 5:].argmax(axis=1))


def nanodet(  # noqa: PLR0913, PLR0917 (three of them come from the manifest)
    outputs: Sequence[NDArray[Any]],
    size: InputSize,
    min_score: float,
    strides: Sequence[int],
    bins: int,
    center: float,
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
    grid = cell_grid(size, tuple(strides))
    rows = np.concatenate([output[0] for output in probabilities])
    class_ids = rows.argmax(axis=1)
    scores = rows[np.arange(len(rows)), class_ids]
    good = np.flatnonzero(scores >= min_score)
    logits = np.concatenate([output[0] for output in sides])[good].reshape(-1, 4, bins)
    weights = np.exp(logits - logits.max(axis=2, keepdims=True))
    distances = weights @ np.arange(bins, dtype=np.float32) / weights.sum(axis=2)
    cell, stride = grid[good, :2], grid[good, 2:]
    centers, distances = cell * stride + center * (stride - 1), distances * stride
    boxes = np.concatenate([centers - distances[:, :2], centers + distances[:, 2:]], axis=1)
    return Candidates(boxes, scores[good], class_ids[good])


def yolov5(
    outputs: Sequence[NDArray[Any]], size: InputSize, min_score: float, normalized: bool
) -> Candidates:
    """Read (1, N, 5 + classes): center x, center y, width, height, objectness, probabilities.

    The format of YOLOv5 to v7, and of YOLOX exported with its decoding. Boxes are in pixels of the
    input, or in fractions of it if ``normalized``. score = objectness * probability.
    """
    rows = _rows(outputs[0], "yolov5", 6)
    rows = rows[rows[:, 4] >= min_score]
    class_ids = rows[:, 5:].argmax(axis=1)
    scores = rows[:, 4] * rows[np.arange(len(rows)), 5 + class_ids]
    good = scores >= min_score
    boxes = _in_pixels(xywh_to_xyxy(rows[good, :4]), size, normalized)
    return Candidates(boxes, scores[good], class_ids[good])


def yolov8(
    outputs: Sequence[NDArray[Any]], size: InputSize, min_score: float, normalized: bool
) -> Candidates:
    """Read (1, 4 + classes, N): center x, center y, width, height, class probabilities.

    The format of YOLOv8, v9, v11 and v12. Boxes are in pixels, or in fractions if ``normalized``.
    """
    columns = _rows(outputs[0], "yolov8", 1)
    if len(columns) < 5:
        raise ModelMismatchError(
            f"decoder yolov8: expected (1, 5 or more, N), got {outputs[0].shape}"
        )
    scores = columns[4:].max(axis=0)
    good = np.flatnonzero(scores >= min_score)
    found = columns[:, good]
    boxes = _in_pixels(xywh_to_xyxy(found[:4].T), size, normalized)
    return Candidates(boxes, scores[good], found[4:].argmax(axis=0))


def yolov10(
    outputs: Sequence[NDArray[Any]], size: InputSize, min_score: float, normalized: bool
) -> Candidates:
    """Read (1, N, 6): left, top, right, bottom, score, class id; overlaps are already removed.

    The format of YOLOv10 and YOLO26, and of other models exported with suppression.
    """
    rows = _rows(outputs[0], "yolov10", 6)
    rows = rows[rows[:, 4] >= min_score]
    boxes = _in_pixels(rows[:, :4], size, normalized)
    return Candidates(boxes, rows[:, 4], rows[:, 5].astype(np.int32))


def queries(outputs: Sequence[NDArray[Any]], size: InputSize, min_score: float) -> Candidates:
    """Read (1, Q, 4 + classes): center x, center y, width, height as fractions, probabilities.

    The format of RT-DETR as Ultralytics exports it.
    """
    rows = _rows(outputs[0], "queries", 5)
    return _from_queries(rows[:, 4:], rows[:, :4], size, min_score)


def query_logits(outputs: Sequence[NDArray[Any]], size: InputSize, min_score: float) -> Candidates:
    """Read logits (1, Q, classes) and boxes (1, Q, 4): center x, y, width, height as fractions.

    The format of RT-DETR and D-FINE exported without their post-processor (Hugging Face).
    probability = sigmoid(logit).
    """
    logits, boxes = _rows(outputs[0], "query_logits", 1), _rows(outputs[1], "query_logits", 4)
    with np.errstate(over="ignore"):  # exp may become inf, and 1 / inf = 0 is right
        probabilities = 1 / (1 + np.exp(-logits))
    return _from_queries(probabilities, boxes, size, min_score)


def labels_boxes_scores(
    outputs: Sequence[NDArray[Any]], size: InputSize, min_score: float
) -> Candidates:
    """Read class ids (1, Q), boxes (1, Q, 4) xyxy and scores (1, Q).

    The format of RT-DETR and D-FINE exported with their post-processor. Their second input is the
    size that boxes are scaled to: give it the size of the input (``input.constants``).
    """
    class_ids, boxes, scores = (output[0] for output in outputs)
    good = scores >= min_score
    return Candidates(boxes[good], scores[good], class_ids[good])


def tensorflow(
    outputs: Sequence[NDArray[Any]], size: InputSize, min_score: float, class_offset: int
) -> Candidates:
    """Read boxes (1, N, 4), class ids (1, N), scores (1, N) and the number of boxes (1,).

    The outputs of the TensorFlow Object Detection API and of TFLite_Detection_PostProcess. Boxes
    are top, left, bottom, right as fractions of the input. ``class_offset`` is added to the ids.
    """
    boxes, class_ids, scores = (output[0] for output in outputs[:3])
    good = np.flatnonzero(scores[: int(outputs[3].reshape(-1)[0])] >= min_score)
    return Candidates(
        _in_pixels(yxyx_to_xyxy(boxes[good]), size, normalized=True),
        scores[good],
        class_ids[good].astype(np.int32) + class_offset,
    )


def yolov3(outputs: Sequence[NDArray[Any]], size: InputSize, min_score: float) -> Candidates:
    """Read boxes (1, N, 4), scores (1, classes, N) and the suppression's choice (..., M, 3).

    The format of YOLOv3 in the ONNX model zoo. A row of the choice is batch, class, box, padded
    with -1. Boxes are top, left, bottom, right in pixels of ``image_shape``, the model's second
    input: give it the size of the input (``input.constants``).
    """
    boxes, scores = outputs[0][0], outputs[1][0]
    chosen = outputs[2].reshape(-1, 3)
    chosen = chosen[chosen[:, 0] >= 0]
    class_ids, indices = chosen[:, 1], chosen[:, 2]
    chosen_scores = scores[class_ids, indices]
    good = chosen_scores >= min_score
    return Candidates(
        yxyx_to_xyxy(boxes[indices[good]]), chosen_scores[good], class_ids[good].astype(np.int32)
    )


def pixels(outputs: Sequence[NDArray[Any]], size: InputSize, min_score: float) -> Candidates:
    """Read the boxes, scores and class ids of a backend that takes whole images."""
    boxes, scores, class_ids = outputs
    good = scores >= min_score
    return Candidates(boxes[good], scores[good], class_ids[good])


def _rows(output: NDArray[Any], decoder: str, columns: int) -> NDArray[Any]:
    """Return a (1, N, C) output as (N, C), if C is at least ``columns``."""
    if output.ndim != 3 or output.shape[0] != 1 or output.shape[2] < columns:
        raise ModelMismatchError(
            f"decoder {decoder}: expected an output of shape (1, N, {columns} or more), "
            f"got {output.shape}"
        )
    return np.asarray(output[0])


@lru_cache(maxsize=8)
def cell_grid(size: InputSize, strides: tuple[int, ...]) -> NDArray[np.float32]:
    """Return (cells, 3) float32: column, row and stride of each cell."""
    parts = []
    for stride in strides:
        rows, columns = np.mgrid[0 : size.height // stride, 0 : size.width // stride]
        cells = [columns.ravel(), rows.ravel(), np.full(columns.size, stride)]
        parts.append(np.stack(cells, axis=1).astype(np.float32))
    grid = np.concatenate(parts)
    grid.flags.writeable = False
    return grid


def _in_pixels(boxes: Boxes, size: InputSize, normalized: bool) -> Boxes:
    if not normalized:
        return boxes
    return np.asarray(boxes * np.array([size.width, size.height] * 2, np.float32))


def _from_queries(
    probabilities: NDArray[Any], boxes: Boxes, size: InputSize, min_score: float
) -> Candidates:
    class_ids = probabilities.argmax(axis=1)
    scores = probabilities[np.arange(len(probabilities)), class_ids]
    good = scores >= min_score
    return Candidates(
        _in_pixels(xywh_to_xyxy(boxes[good]), size, normalized=True), scores[good], class_ids[good]
    )


_YOLO = MappingProxyType({"normalized": False})

DECODERS: Mapping[str, Decoder] = MappingProxyType(
    {
        "yolox": Decoder(yolox, 1, options=MappingProxyType({"strides": (8, 16, 32)})),
        "nanodet": Decoder(
            nanodet,
            6,
            options=MappingProxyType({"strides": (8, 16, 32), "bins": 8, "center": 0.5}),
        ),
        "yolov5": Decoder(yolov5, 1, options=_YOLO),
        "yolov8": Decoder(yolov8, 1, options=_YOLO),
        "yolov10": Decoder(yolov10, 1, suppresses=True, options=_YOLO),
        "queries": Decoder(queries, 1, suppresses=True),
        "query_logits": Decoder(query_logits, 2, suppresses=True),
        "labels_boxes_scores": Decoder(labels_boxes_scores, 3, suppresses=True),
        "tensorflow": Decoder(
            tensorflow, 4, suppresses=True, options=MappingProxyType({"class_offset": 0})
        ),
        "yolov3": Decoder(yolov3, 3, suppresses=True),
        "pixels": Decoder(pixels, 3, suppresses=True),
    }
)
