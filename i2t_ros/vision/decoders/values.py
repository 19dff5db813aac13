"""What the values of a trial run tell of outputs whose shapes leave it open.

Each function takes the outputs of one run on any picture, the input's size, the decoder's options,
and how many labels there are. It returns the decoder and the options that fit. Zeros tell nothing:
then both are as they were. Raises ModelMismatchError if the values fit no decoder, and ValueError
for class ids beyond the labels.
"""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from i2t_ros.errors import ModelMismatchError
from i2t_ros.vision.decoders.base import InputSize, Outputs, cell_grid
from i2t_ros.vision.decoders.objects import LARGEST_FRACTION

Options: TypeAlias = dict[str, Any]
Settled: TypeAlias = tuple[str, Options]

FAR = 16.0
"""YOLOX's raw centers are cells away from their own cell: a few; decoded ones are pixels."""


def settle_yolov5(outputs: Outputs, size: InputSize, options: Options, labels: int) -> Settled:
    """Tell fractions from pixels; see the module."""
    rows = outputs[0]
    _check_probabilities("yolov5", rows[..., 4:])
    return "yolov5", _normalized(rows[..., :4], options)


def settle_yolov8(outputs: Outputs, size: InputSize, options: Options, labels: int) -> Settled:
    """Tell fractions from pixels; see the module."""
    rows = outputs[0]
    _check_probabilities("yolov8", rows[:, 4:])
    return "yolov8", _normalized(rows[:, :4], options)


def settle_yolov8_pose(outputs: Outputs, size: InputSize, options: Options, labels: int) -> Settled:
    """Tell fractions from pixels; see the module."""
    rows = outputs[0]
    _check_probabilities("yolov8_pose", rows[:, 4])
    return "yolov8_pose", _normalized(rows[:, :4], options)


def settle_yolo26_pose(outputs: Outputs, size: InputSize, options: Options, labels: int) -> Settled:
    """Tell fractions from pixels; see the module."""
    rows = outputs[0]
    _check_probabilities("yolo26_pose", rows[..., 4])
    return "yolo26_pose", _normalized(rows[..., :4], options)


def settle_boxes_scores(
    outputs: Outputs, size: InputSize, options: Options, labels: int
) -> Settled:
    """Tell fractions from pixels; see the module."""
    _check_probabilities("boxes_scores", outputs[1])
    return "boxes_scores", _normalized(outputs[0], options)


def settle_yolox(outputs: Outputs, size: InputSize, options: Options, labels: int) -> Settled:
    """Tell YOLOX's own format from one with its last step (``--decode_in_inference``)."""
    rows = outputs[0]
    strides = tuple(options.get("strides", (8, 16, 32)))
    if rows.shape[1:2] != (len(cell_grid(size, strides)),):
        return "yolox", options  # which says what it expects
    _check_probabilities("yolox", rows[..., 4:])
    if _largest(rows[..., :2]) > FAR and rows[..., 2:4].min() >= 0:
        return "yolov5", {}
    return "yolox", options


def settle_yolov10(outputs: Outputs, size: InputSize, options: Options, labels: int) -> Settled:
    """Tell fractions from pixels, and refuse RT-DETR of two classes, which has the same shape."""
    rows = outputs[0].reshape(-1, outputs[0].shape[-1])
    found = rows[(rows != 0).any(axis=1)]
    ids = found[:, 5]
    boxes = (found[:, :2] < found[:, 2:4]).all(axis=1)
    if not np.allclose(ids, np.rint(ids), atol=1e-3) or 2 * np.count_nonzero(boxes) < len(boxes):
        raise ModelMismatchError(
            "decoder yolov10: expected rows of left, top, right, bottom, score and a whole class "
            f"id, got {np.array2string(found[0], precision=4)}. If this is RT-DETR of two classes, "
            "describe it with `decoder: queries`"
        )
    _check_ids(ids, found[:, 4], labels)
    return "yolov10", _normalized(found[:, :4], options)


def settle_queries(outputs: Outputs, size: InputSize, options: Options, labels: int) -> Settled:
    """Refuse boxes in pixels; see the module."""
    _check_probabilities("queries", outputs[0][..., 4:])
    _check_fractions("queries", outputs[0][..., :4])
    return "queries", options


def settle_query_logits(
    outputs: Outputs, size: InputSize, options: Options, labels: int
) -> Settled:
    """Tell from the first DETR, whose last column wins where nothing is; see the module."""
    logits, boxes = outputs
    _check_fractions("query_logits", boxes)
    if labels == logits.shape[-1] - 1 and not options.get("no_object") and labels:
        empty = (logits.argmax(axis=-1) == labels) & (logits[..., -1] > 0)
        if 2 * np.count_nonzero(empty) > empty.size:
            return "query_logits", {**options, "no_object": True, "softmax": True}
    return "query_logits", options


def settle_tensorflow(outputs: Outputs, size: InputSize, options: Options, labels: int) -> Settled:
    """Refuse boxes in pixels; see the module."""
    count = int(outputs[3].reshape(-1)[0])
    _check_fractions("tensorflow", outputs[0][:, :count])
    ids = outputs[1].reshape(-1)[:count] + options.get("class_offset", 0)
    _check_ids(ids, outputs[2].reshape(-1)[:count], labels)
    return "tensorflow", options


def settle_labels_boxes_scores(
    outputs: Outputs, size: InputSize, options: Options, labels: int
) -> Settled:
    """Compare class ids with the labels; see the module."""
    _check_ids(outputs[0].reshape(-1), outputs[2].reshape(-1), labels)
    return "labels_boxes_scores", options


def _largest(values: NDArray[Any]) -> float:
    return float(np.abs(values).max(initial=0.0))


def _normalized(boxes: NDArray[Any], options: Options) -> Options:
    """Return the options with ``normalized`` as the boxes have it, if they tell."""
    largest = _largest(boxes)
    return {**options, "normalized": largest <= LARGEST_FRACTION} if largest > 0 else options


def _check_fractions(decoder: str, boxes: NDArray[Any]) -> None:
    if (largest := _largest(boxes)) > LARGEST_FRACTION:
        raise ModelMismatchError(
            f"decoder {decoder}: expected boxes in fractions of the input, got numbers up to "
            f"{largest:.4g}; if they are pixels, another decoder reads them (docs/models.md)"
        )


def _check_probabilities(decoder: str, scores: NDArray[Any]) -> None:
    """Refuse what cannot be probabilities; steps of 8-bit models may overshoot a little."""
    least, most = scores.min(initial=0.0), scores.max(initial=0.0)
    if least < -0.5 or most > 1.5:
        raise ModelMismatchError(
            f"decoder {decoder}: expected probabilities of 0 to 1, got {least:.4g} to {most:.4g}; "
            "export it with its last step (sigmoid), and as a detector: models of poses, masks and "
            "rotated boxes have other numbers there"
        )


def _check_ids(ids: NDArray[Any], scores: NDArray[Any], labels: int) -> None:
    ids = ids[scores > 0]
    if len(ids) and ids.max() >= labels:
        raise ValueError(
            f"class ids: expected 0 to {labels - 1}, got {ids.min():g} to {ids.max():g}"
        )
