"""Boxes as (N, 4) float32 arrays, xyxy: left, top, right, bottom. No input is changed here."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.float32]

# No picture is larger, in pixels; 64 bits hold a thousand times it to 1e-7.
LARGEST_SIDE = 1e6


def xywh_to_xyxy(boxes: Boxes) -> Boxes:
    """Return (N, 4) boxes given as centre x, centre y, width, height as corners."""
    half = boxes[:, 2:] / 2
    return np.concatenate([boxes[:, :2] - half, boxes[:, :2] + half], axis=1)


def yxyx_to_xyxy(boxes: Boxes) -> Boxes:
    """Return (N, 4) boxes given as top, left, bottom, right (TensorFlow's order) as xyxy."""
    return boxes[:, [1, 0, 3, 2]]


def are_boxes(boxes: Boxes) -> NDArray[np.bool_]:
    """Return the (N,) mask of the boxes that have an area and a size that a picture could have.

    A box that is not finite fails one or the other: its sides are infinite or not a number.
    """
    sides = boxes[:, 2:] - boxes[:, :2]
    return np.asarray(((sides > 0) & (sides < LARGEST_SIDE)).all(axis=1))


def non_maximum_suppression(
    boxes: Boxes,
    scores: NDArray[np.float32],
    class_ids: NDArray[Any],
    iou_threshold: float,
) -> NDArray[np.intp]:
    """Return the indices of the boxes to keep, best score first (the earlier wins a tie).

    boxes (N, 4) finite and with an area, scores (N,) above 0, class_ids (N,). A box goes where a
    better one of its class overlaps it by more than ``iou_threshold`` (0 to 1).

    OpenCV's loop took 0.01 ms for 40 boxes and 6 ms for 3000 boxes of 1500 objects; a vectorised
    NumPy one took 0.12 ms and 2.5 ms. Moving every class to a place of its own keeps classes apart.
    """
    if not len(boxes):
        return np.empty(0, np.intp)
    rects = boxes.astype(np.float64)
    rects[:, 2:] -= rects[:, :2]
    rects[:, 0] += class_ids * (2 * LARGEST_SIDE)
    kept = cv2.dnn.NMSBoxes(rects, scores, 0.0, iou_threshold)  # type: ignore[arg-type]
    # Before OpenCV 4.5.4 the indices came as (N, 1), and still an empty tuple means none.
    return np.asarray(kept, np.intp).reshape(-1)
