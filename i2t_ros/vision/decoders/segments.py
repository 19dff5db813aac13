"""Decoders of the task segment: candidates as those of detect, and the map of each one's mask.

Maps cover the whole input of the model, with fewer cells than it has pixels. Masks are made of
those that are wanted, by vision.masks.masks_of().
"""

from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from i2t_ros.errors import ModelMismatchError
from i2t_ros.vision.decoders import objects
from i2t_ros.vision.decoders.base import InputSize, Outputs
from i2t_ros.vision.decoders.objects import Candidates
from i2t_ros.vision.decoders.values import (
    Options,
    Settled,
    settle_query_logits,
    settle_yolov8,
    settle_yolov10,
)
from i2t_ros.vision.masks import Logits

LEAST_SHARE = 0.002
"""Of the map: smaller parts are left out. In a map of 513 x 513 cells that is 23 x 23."""

VOID = 255
"""What no class is, in Pascal VOC and most that came after it
(http://host.robots.ox.ac.uk/pascal/VOC/voc2012/htmldoc/devkit_doc.html)."""
LARGEST_CLASS = 65_535
"""More classes than any model tells apart."""


class Segments(NamedTuple):
    """What a model has found.

    found   as for the task detect
    logits  tells which cells of the map are part of which of them, by its index in ``found``
    shape   height and width of the map
    """

    found: Candidates
    logits: Logits
    shape: tuple[int, int]


def yolov8(
    outputs: Outputs,
    size: InputSize,
    min_score: float,
    normalized: bool = False,
    channels_last: bool = False,
) -> Segments:
    """Read (1, 4 + classes + M, N), as objects.yolov8, and M prototypes (1, M, height, width).

    The format of YOLOv8-seg and YOLO11-seg. The last M numbers of a candidate are coefficients: its
    logits are the sum of the prototypes times these
    (https://github.com/ultralytics/ultralytics, ops.process_mask). With ``channels_last``
    prototypes are (1, height, width, M), as in TensorFlow's formats.
    """
    maps = _prototypes("yolov8", outputs, channels_last)
    rows, number = outputs[0][:, : -len(maps)], outputs[0][0, -len(maps) :].T
    good = np.flatnonzero(rows[0, 4:].max(axis=0) >= min_score)
    found = objects.yolov8([rows[..., good]], size, min_score, normalized)
    return _of_prototypes(found, number[good], maps)


def yolov10(
    outputs: Outputs,
    size: InputSize,
    min_score: float,
    normalized: bool = False,
    channels_last: bool = False,
) -> Segments:
    """Read (1, N, 6 + M), as objects.yolov10, and M prototypes, as yolov8 does.

    The format of YOLO26-seg, and of the others exported with suppression
    (https://github.com/ultralytics/ultralytics, nn/modules/head.py, Segment26).
    """
    maps = _prototypes("yolov10", outputs, channels_last)
    rows = outputs[0][:, outputs[0][0, :, 4] >= min_score]
    found = objects.yolov10([rows[..., : -len(maps)]], size, min_score, normalized)
    return _of_prototypes(found, rows[0, :, -len(maps) :], maps)


def _prototypes(decoder: str, outputs: Outputs, channels_last: bool) -> NDArray[Any]:
    """Return the prototypes as (M, height, width), if the candidates have as many coefficients."""
    rows, maps = outputs
    if maps.ndim == 4 and maps.shape[0] == 1 and rows.ndim == 3 and rows.shape[0] == 1:
        maps = np.moveaxis(maps[0], -1, 0) if channels_last else maps[0]
        number = len(maps)
        fits = rows.shape[1] >= 5 + number if decoder == "yolov8" else rows.shape[2] == 6 + number
        if maps.size and fits:
            return maps
    shape = "(1, 5 or more + M, N)" if decoder == "yolov8" else "(1, N, 6 + M)"
    where = "(1, height, width, M)" if channels_last else "(1, M, height, width)"
    raise ModelMismatchError(
        f"decoder {decoder}: expected outputs of shapes {shape} and {where}, got "
        f"{rows.shape} and {outputs[1].shape}"
    )


def _of_prototypes(
    found: Candidates, coefficients: NDArray[Any], maps: NDArray[np.float32]
) -> Segments:
    def logits(i: int, rows: slice, columns: slice) -> NDArray[np.float32]:
        part: NDArray[np.float32] = np.tensordot(coefficients[i], maps[:, rows, columns], 1)
        return part

    return Segments(found, logits, (maps.shape[1], maps.shape[2]))


def query_logits(
    outputs: Outputs, size: InputSize, min_score: float, no_object: bool = False
) -> Segments:
    """Read logits and boxes, as objects.query_logits, and a map of logits of each (1, Q, h, w).

    The format of RF-DETR-Seg (https://github.com/roboflow/rf-detr, models/postprocess.py), whose
    masks need not end where its boxes do; here they do.
    """
    logits, boxes, maps = outputs
    if maps.ndim != 4 or not maps.size or maps.shape[:2] != logits.shape[:2]:
        raise ModelMismatchError(
            "decoder query_logits: expected outputs of shapes (1, Q, classes), (1, Q, 4) and "
            f"(1, Q, height, width), got {logits.shape}, {boxes.shape} and {maps.shape}"
        )
    # Which queries are good enough is found out here, too: the maps of the others are not needed.
    columns = logits[0, :, :-1] if no_object else logits[0]
    with np.errstate(over="ignore"):
        good = np.flatnonzero(1 / (1 + np.exp(-columns.max(axis=1))) >= min_score)
    found = objects.query_logits([logits[:, good], boxes[:, good]], size, 0.0, no_object)
    return Segments(found, lambda i, rows, columns: maps[0, good[i], rows, columns], maps.shape[2:])


def label_map(  # noqa: PLR0913, PLR0917 (three of them come from the manifest)
    outputs: Outputs,
    size: InputSize,
    min_score: float,
    channels_last: bool = False,
    softmax: bool = False,
    least_share: float = LEAST_SHARE,
) -> Segments:
    """Read the class of each cell, (1, h, w) or with one channel, or scores (1, classes, h, w).

    The format of DeepLab and of other models of semantic segmentation
    (https://github.com/tensorflow/models, research/deeplab). They do not tell things of one class
    apart: each connected part of the cells of a class is taken for one thing, so that two which
    touch are one. Parts of less than ``least_share`` of the map are left out. score = mean
    probability of its class in these cells; 1 if the model only names the class. With
    ``channels_last`` scores are (1, h, w, classes); with ``softmax`` they are logits.
    """
    output = outputs[0]
    if output.ndim == 4 and 1 in (output.shape[1], output.shape[3]):
        output = output.reshape(
            1, *(output.shape[2:] if output.shape[1] == 1 else output.shape[1:3])
        )
    if output.ndim not in (3, 4) or output.shape[0] != 1 or not output.size:
        raise ModelMismatchError(
            "decoder label_map: expected an output of shape (1, height, width) or with channels, "
            f"got {outputs[0].shape}"
        )
    if output.ndim == 3:
        scores, classes = None, _class_ids(output[0])
    else:
        scores = _probabilities(output[0], channels_last, softmax)
        classes = scores.argmax(axis=0)
    parts, things = _connected(classes, scores, round(least_share * classes.size))
    things = sorted((t for t in things if t.score >= min_score), key=lambda t: -t.area)
    cell = np.array([size.width / classes.shape[1], size.height / classes.shape[0]] * 2, np.float32)
    boxes = np.array([t.box for t in things], np.float32).reshape(-1, 4) * cell
    found = Candidates(
        boxes,
        np.array([t.score for t in things], np.float32),
        np.array([t.class_id for t in things], np.int32),
        None if scores is None else len(scores),
    )

    def logits(i: int, rows: slice, columns: slice) -> NDArray[np.float32]:
        inside = parts[rows, columns] == things[i].number
        return np.where(inside, np.float32(0.5), np.float32(-0.5))

    return Segments(found, logits, classes.shape)


class _Thing(NamedTuple):
    """A connected part of a map; ``box`` is xyxy in cells, ``number`` that in the map of parts."""

    number: int
    class_id: int
    area: int
    score: float
    box: tuple[int, int, int, int]


def _class_ids(cells: NDArray[Any]) -> NDArray[np.intp]:
    """Return the class of each cell; raises ModelMismatchError if they are no class ids."""
    ids: NDArray[np.intp] = np.nan_to_num(cells, nan=-1, posinf=-1, neginf=-1).astype(np.intp)
    if (ids != cells).any() or ids.min() < 0 or ids.max() > LARGEST_CLASS:
        raise ModelMismatchError(
            f"decoder label_map: expected whole class ids from 0 on, got {cells.min():g} to "
            f"{cells.max():g}"
        )
    return ids


def _connected(
    classes: NDArray[np.intp], scores: NDArray[np.float32] | None, least: int
) -> tuple[NDArray[np.int32], list[_Thing]]:
    """Return the number of the thing in each cell, 0 for none, and the things.

    least  cells of the smallest thing
    """
    parts = np.zeros(classes.shape, np.int32)
    things: list[_Thing] = []
    counts = np.bincount(classes.ravel())
    for class_id in np.flatnonzero(counts >= max(1, least)).tolist():
        if class_id == VOID:
            continue
        cells = (classes == class_id).view(np.uint8)
        number, labels, stats, _ = cv2.connectedComponentsWithStats(cells, connectivity=8)
        means = np.ones(number)
        if scores is not None:
            sums = np.bincount(labels.ravel(), scores[class_id].ravel(), number)
            means = sums / np.maximum(1, stats[:, cv2.CC_STAT_AREA])
        names = np.zeros(number, np.int32)
        for i, (left, top, width, height, area) in enumerate(stats.tolist()):
            if i and area >= least:
                names[i] = len(things) + 1
                box = left, top, left + width, top + height
                things.append(_Thing(int(names[i]), class_id, area, float(means[i]), box))
        parts += names[labels]
    return parts, things


def _probabilities(scores: NDArray[Any], channels_last: bool, softmax: bool) -> NDArray[np.float32]:
    """Return scores as (classes, height, width) float32, between 0 and 1."""
    values = np.moveaxis(scores, -1, 0) if channels_last else scores
    values = np.asarray(values, np.float32)
    if softmax:
        values = np.exp(values - values.max(axis=0))
        values /= values.sum(axis=0)
    return values


def settle_masks_yolov8(
    outputs: Outputs, size: InputSize, options: Options, labels: int
) -> Settled:
    """Tell fractions from pixels; see values.py."""
    maps = _prototypes("yolov8", outputs, options.get("channels_last", False))
    return settle_yolov8([outputs[0][:, : -len(maps)]], size, options, labels)


def settle_masks_yolov10(
    outputs: Outputs, size: InputSize, options: Options, labels: int
) -> Settled:
    """Do the same, and refuse what are no class ids; see values.py."""
    maps = _prototypes("yolov10", outputs, options.get("channels_last", False))
    return settle_yolov10([outputs[0][..., : -len(maps)]], size, options, labels)


def settle_masks_query_logits(
    outputs: Outputs, size: InputSize, options: Options, labels: int
) -> Settled:
    """Refuse boxes in pixels, and maps of probabilities; see values.py."""
    if outputs[2].min() >= 0 and outputs[2].max() > 0:
        raise ModelMismatchError(
            "decoder query_logits: expected maps of logits, which are below 0 outside a thing, got "
            f"{outputs[2].min():.4g} to {outputs[2].max():.4g}"
        )
    settle_query_logits(outputs[:2], size, {**options, "no_object": True}, labels)
    return "query_logits", options


def settle_label_map(outputs: Outputs, size: InputSize, options: Options, labels: int) -> Settled:
    """Find the axis that has the classes, and tell logits from probabilities; see values.py."""
    output = outputs[0]
    if output.ndim != 4 or 1 in (output.shape[1], output.shape[3]):
        return "label_map", options
    last = output.shape[3] == labels != output.shape[1]
    logits = bool(output.min() < 0 or output.max() > 1)
    return "label_map", {"channels_last": last, "softmax": logits, **options}
