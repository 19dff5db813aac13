"""From a model's raw outputs to what they say.

A decoder reads the outputs of one family of models. Boxes are in pixels of the model's input. They
may overlap, lie outside the input, and come in any order: the detector suppresses overlaps, scales
the boxes back to the image and clips them.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from i2t_ros.errors import ModelMismatchError
from i2t_ros.vision.boxes import Boxes, xywh_to_xyxy

# Its exp is larger than any image; that of a larger number may overflow a float32.
LARGEST_EXPONENT = 20.0

Outputs = Sequence[NDArray[Any]]


class Candidates(NamedTuple):
    """boxes (N, 4) float32 xyxy in pixels of the input, scores (N,) float32, class_ids (N,).

    ``classes`` is how many the model tells apart; None if its outputs do not say.
    """

    boxes: Boxes
    scores: NDArray[np.float32]
    class_ids: NDArray[np.integer[Any]]
    classes: int | None = None


class FaceCandidates(NamedTuple):
    """boxes (N, 4) xyxy, scores (N,), landmarks (N, 5, 2): float32, pixels of the input.

    Landmarks are in the order of tasks.faces.Faces; None if the model does not find landmarks.
    """

    boxes: Boxes
    scores: NDArray[np.float32]
    landmarks: NDArray[np.float32] | None


class Line(NamedTuple):
    """A line of text: corners (4, 2) float32, clockwise from the top left of its first letter."""

    corners: NDArray[np.float32]
    text: str
    score: float


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
    """

    function: Callable[..., Any]
    outputs: int
    suppresses: bool = False

    @property
    def options(self) -> list[str]:
        """What the manifest may set: the parameters that have a default."""
        parameters = inspect.signature(self.function).parameters.values()
        return [each.name for each in parameters if each.default is not each.empty]


def yolox(
    outputs: Outputs, size: InputSize, min_score: float, strides: Sequence[int] = (8, 16, 32)
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
    rows = _rows(outputs[0], "yolov5", 6)
    rows = rows[rows[:, 4] >= min_score]
    fraction_of = size if normalized else None
    return _best_classes(rows[:, :4], rows[:, 5:], min_score, fraction_of, rows[:, 4])


def yolov8(
    outputs: Outputs, size: InputSize, min_score: float, normalized: bool = False
) -> Candidates:
    """Read (1, 4 + classes, N): center x, center y, width, height, class probabilities.

    The format of YOLOv8, v9, v11 and v12. Boxes are in pixels, or in fractions if ``normalized``.
    """
    rows = _rows(outputs[0], "yolov8", 5, axis=1).T
    return _best_classes(rows[:, :4], rows[:, 4:], min_score, size if normalized else None)


def yolov10(
    outputs: Outputs, size: InputSize, min_score: float, normalized: bool = False
) -> Candidates:
    """Read (1, N, 6): left, top, right, bottom, score, class id; overlaps are already removed.

    The format of YOLOv10 and YOLO26, and of other models exported with suppression.
    """
    rows = _rows(outputs[0], "yolov10", 6)
    boxes = _in_pixels(rows[:, :4], size) if normalized else rows[:, :4]
    return _above(min_score, boxes, rows[:, 4], rows[:, 5])


def queries(outputs: Outputs, size: InputSize, min_score: float) -> Candidates:
    """Read (1, Q, 4 + classes): center x, center y, width, height as fractions, probabilities.

    The format of RT-DETR as Ultralytics exports it.
    """
    rows = _rows(outputs[0], "queries", 5)
    return _best_classes(rows[:, :4], rows[:, 4:], min_score, size)


def query_logits(outputs: Outputs, size: InputSize, min_score: float) -> Candidates:
    """Read logits (1, Q, classes) and boxes (1, Q, 4): center x, y, width, height as fractions.

    The format of RT-DETR and D-FINE exported without their post-processor (Hugging Face).
    probability = sigmoid(logit).
    """
    logits, boxes = _rows(outputs[0], "query_logits", 1), _rows(outputs[1], "query_logits", 4)
    with np.errstate(over="ignore"):  # exp may become inf, and 1 / inf = 0 is right
        probabilities = 1 / (1 + np.exp(-logits))
    return _best_classes(boxes, probabilities, min_score, size)


def labels_boxes_scores(outputs: Outputs, size: InputSize, min_score: float) -> Candidates:
    """Read class ids (1, Q), boxes (1, Q, 4) xyxy and scores (1, Q).

    The format of RT-DETR and D-FINE exported with their post-processor. Their second input is the
    size that boxes are scaled to: give it the size of the input (``input.constants``).
    """
    class_ids, boxes, scores = (output[0] for output in outputs)
    return _above(min_score, boxes, scores, class_ids)


def tensorflow(
    outputs: Outputs, size: InputSize, min_score: float, class_offset: int = 0
) -> Candidates:
    """Read boxes (1, N, 4), class ids (1, N), scores (1, N) and the number of boxes (1,).

    The outputs of the TensorFlow Object Detection API and of TFLite_Detection_PostProcess. Boxes
    are top, left, bottom, right as fractions of the input. ``class_offset`` is added to the ids.
    """
    count = int(outputs[3].reshape(-1)[0])
    boxes, class_ids, scores = (output[0, :count] for output in outputs[:3])
    return _above(
        min_score, _in_pixels(boxes[:, [1, 0, 3, 2]], size), scores, class_ids + class_offset
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
    found = _above(min_score, boxes, scores[class_ids, indices], class_ids)
    return found._replace(classes=len(scores))


def pixels(outputs: Outputs, size: InputSize, min_score: float) -> Candidates:
    """Read the boxes, scores and class ids of a backend that takes whole images."""
    return _above(min_score, *outputs)


def _above(
    min_score: float, boxes: Boxes, scores: NDArray[np.float32], class_ids: NDArray[Any]
) -> Candidates:
    good = scores >= min_score
    return Candidates(boxes[good], scores[good], class_ids[good].astype(np.int32, copy=False))


def _best_classes(
    boxes: Boxes,
    probabilities: NDArray[Any],
    min_score: float,
    size: InputSize | None,
    objectness: NDArray[Any] | float = 1.0,
) -> Candidates:
    """Return the best class of each row, if its score is high enough.

    boxes          (N, 4): center x, center y, width, height; fractions of ``size`` if it is given
    probabilities  (N, classes); score = probability * objectness
    """
    scores = probabilities.max(axis=1) * objectness
    good = np.flatnonzero(scores >= min_score)
    boxes = xywh_to_xyxy(boxes[good])
    boxes = _in_pixels(boxes, size) if size else boxes
    class_ids = probabilities[good].argmax(axis=1)
    return Candidates(boxes, scores[good], class_ids, probabilities.shape[1])


def _rows(output: NDArray[Any], decoder: str, least: int, axis: int = 2) -> NDArray[Any]:
    """Return a (1, N, C) output as (N, C), if ``axis`` has ``least`` elements or more."""
    if output.ndim != 3 or output.shape[0] != 1 or output.shape[axis] < least:
        raise ModelMismatchError(
            f"decoder {decoder}: expected an output of 3 axes, 1 long in the first and {least} or "
            f"more in the {('', 'second', 'third')[axis]}, got {output.shape}"
        )
    return np.asarray(output[0])


@lru_cache(maxsize=8)
def cell_grid(size: InputSize, strides: tuple[int, ...]) -> NDArray[np.float32]:
    """Return (cells, 3) float32: column, row and stride of each cell."""
    parts = [
        np.mgrid[stride : stride + 1, 0 : size.height // stride, 0 : size.width // stride]
        for stride in strides
    ]
    grid = np.concatenate([part.reshape(3, -1)[::-1].T for part in parts])
    grid = grid.astype(np.float32, order="C")
    grid.flags.writeable = False
    return grid


def _in_pixels(boxes: Boxes, size: InputSize) -> Boxes:
    return np.asarray(boxes * np.array([*size, *size], np.float32))


def probabilities(outputs: Outputs) -> NDArray[np.float32]:
    """Return an output that already is class probabilities, as (classes,) float32."""
    return np.asarray(outputs[0], np.float32).reshape(-1)


def logits(outputs: Outputs) -> NDArray[np.float32]:
    """Return the softmax of an output of logits, as (classes,) float32."""
    values = probabilities(outputs)
    weights = np.exp(values - values.max())
    return np.asarray(weights / weights.sum())


def yunet(
    outputs: Outputs, size: InputSize, min_score: float, strides: Sequence[int] = (8, 16, 32)
) -> FaceCandidates:
    """Read YuNet: classes for each stride, then objectness for each, then boxes, then landmarks.

    Class and objectness are (1, cells, 1), boxes (1, cells, 4), landmarks (1, cells, 10). score =
    sqrt(class * objectness); x = (v + column) * stride; width = exp(v) * stride, as in OpenCV's
    FaceDetectorYN (https://github.com/opencv/opencv, modules/objdetect).
    """
    levels = len(strides)
    parts = [
        np.concatenate([output[0] for output in outputs[i : i + levels]])
        for i in range(0, 4 * levels, levels)
    ]
    classes, objectness, boxes, landmarks = parts
    grid = cell_grid(size, tuple(strides))
    shapes = [part.shape for part in parts]
    if shapes != [(len(grid), columns) for columns in (1, 1, 4, 10)]:
        raise ModelMismatchError(
            f"decoder yunet: an input of {size.width}x{size.height} makes {len(grid)} cells, the "
            f"model gave {shapes}"
        )
    scores = np.sqrt(np.clip(classes[:, 0], 0, 1) * np.clip(objectness[:, 0], 0, 1))
    good = np.flatnonzero(scores >= min_score)
    cell, stride, boxes = grid[good, :2], grid[good, 2:], boxes[good]
    centers = (boxes[:, :2] + cell) * stride
    half = np.exp(boxes[:, 2:]) * stride / 2
    points = (landmarks[good].reshape(-1, 5, 2) + cell[:, None]) * stride[:, None]
    return FaceCandidates(
        np.concatenate([centers - half, centers + half], axis=1), scores[good], points
    )


def faces_in_pixels(outputs: Outputs, size: InputSize, min_score: float) -> FaceCandidates:
    """Read the boxes, scores and landmarks, if any, of a backend that takes whole images."""
    boxes, scores, landmarks = (output[outputs[1] >= min_score] for output in outputs)
    return FaceCandidates(boxes, scores, landmarks if landmarks.shape[1] else None)


def lines(outputs: Outputs, min_score: float) -> list[Line]:
    """Read the corners (N, 4, 2), texts (N,) of str and scores (N,) of an OCR backend."""
    corners, texts, scores = outputs
    return [
        Line(corners[i], str(texts[i]), float(scores[i]))
        for i in np.flatnonzero(scores >= min_score)
    ]


def in_reading_order(
    corners: NDArray[np.float32], *, horizontal: bool, flipped: bool
) -> NDArray[np.float32]:
    """Return the (4, 2) corners of a line, starting at the top left of its first letter.

    corners     clockwise, starting at the corner nearest the top left of the image
    horizontal  False: the line is higher than wide, and was first turned left by 90 degrees
    flipped     whether the line was then turned by 180 degrees to be read
    """
    return np.roll(corners, -(not horizontal) - 2 * flipped, axis=0)


DECODERS: Mapping[str, Mapping[str, Decoder]] = MappingProxyType(
    {
        "detect": {
            "yolox": Decoder(yolox, 1),
            "nanodet": Decoder(nanodet, 6),
            "yolov5": Decoder(yolov5, 1),
            "yolov8": Decoder(yolov8, 1),
            "yolov10": Decoder(yolov10, 1, suppresses=True),
            "queries": Decoder(queries, 1, suppresses=True),
            "query_logits": Decoder(query_logits, 2, suppresses=True),
            "labels_boxes_scores": Decoder(labels_boxes_scores, 3, suppresses=True),
            "tensorflow": Decoder(tensorflow, 4, suppresses=True),
            "yolov3": Decoder(yolov3, 3, suppresses=True),
            "pixels": Decoder(pixels, 3, suppresses=True),
        },
        "classify": {"probabilities": Decoder(probabilities, 1), "logits": Decoder(logits, 1)},
        "faces": {"yunet": Decoder(yunet, 12), "pixels": Decoder(faces_in_pixels, 3)},
        "text": {"lines": Decoder(lines, 3)},
    }
)
"""Task -> name in the manifest -> decoder."""
