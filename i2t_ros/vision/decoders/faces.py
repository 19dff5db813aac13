"""Decoders of the task faces."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from i2t_ros.errors import ModelMismatchError
from i2t_ros.vision.boxes import Boxes
from i2t_ros.vision.decoders.base import InputSize, Outputs, cell_grid


class FaceCandidates(NamedTuple):
    """boxes (N, 4) xyxy, scores (N,), landmarks (N, 5, 2): float32, pixels of the input.

    Landmarks are in the order of tasks.faces.Faces; None if the model does not find landmarks.
    """

    boxes: Boxes
    scores: NDArray[np.float32]
    landmarks: NDArray[np.float32] | None


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


def pixels(outputs: Outputs, size: InputSize, min_score: float) -> FaceCandidates:
    """Read the boxes, scores and landmarks, if any, of a backend that takes whole images."""
    boxes, scores, landmarks = (output[outputs[1] >= min_score] for output in outputs)
    return FaceCandidates(boxes, scores, landmarks if landmarks.shape[1] else None)
