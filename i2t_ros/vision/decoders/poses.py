"""Decoders of the task pose. Key points are COCO's 17, in the order of postures.KEY_POINTS."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from i2t_ros.errors import ModelMismatchError
from i2t_ros.vision.boxes import Boxes, xywh_to_xyxy
from i2t_ros.vision.decoders.base import InputSize, Outputs
from i2t_ros.vision.decoders.objects import LARGEST_FRACTION, in_pixels
from i2t_ros.vision.postures import KEY_POINTS, SURE

COUNT = len(KEY_POINTS)
BEST = 3
"""Points whose mean score is that of a person. The mean of all points is lower for somebody who is
half out of the picture than for a cupboard. Of photos of COCO's val2017, 0.55 so left 18 of 32 with
a large person and none of 34 without anybody (docs/tasks.md)."""
MARGIN = 0.15
"""What lies around the points of a body (hair, hands, feet), of the box around them."""


class PoseCandidates(NamedTuple):
    """boxes (N, 4) xyxy, scores (N,), points (N, 17, 2): float32, pixels of the input.

    point_scores is (N, 17) float32, 0 to 1.
    """

    boxes: Boxes
    scores: NDArray[np.float32]
    points: NDArray[np.float32]
    point_scores: NDArray[np.float32]

    def taken(self, chosen: NDArray[Any]) -> "PoseCandidates":
        """Return the people that a mask or an array of indices selects."""
        return PoseCandidates(*(part[chosen] for part in self))


def movenet(outputs: Outputs, size: InputSize, min_score: float) -> PoseCandidates:
    """Read MoveNet for one person: (1, 1, 17, 3), each y, x as fractions of the input, and score.

    The format of https://www.tensorflow.org/hub/tutorials/movenet. It always gives 17 points; the
    person's score is the mean of the BEST, and the box is around these and all that are SURE.
    """
    rows = outputs[0]
    if rows.shape != (1, 1, COUNT, 3):
        raise ModelMismatchError(
            f"decoder movenet: expected an output of shape (1, 1, {COUNT}, 3), got {rows.shape}"
        )
    rows = rows[0].astype(np.float32, copy=False)
    if not np.isfinite(rows).all():  # then no point is among the best
        raise ValueError("expected finite numbers, got NaN or infinity")
    points, point_scores = rows[..., 1::-1] * np.array(size, np.float32), rows[..., 2]
    best = np.sort(point_scores, axis=1)[:, -BEST:]
    scores, sure = best.mean(axis=1), point_scores[0] >= min(SURE, best[0, 0])
    low, high = points[0, sure].min(axis=0), points[0, sure].max(axis=0)
    margin = MARGIN * (high - low).max()
    boxes = np.concatenate([low - margin, high + margin])[None]
    found = PoseCandidates(boxes, scores, points, np.clip(point_scores, 0, 1))
    return found.taken(scores >= min_score)


def yolov8_pose(
    outputs: Outputs, size: InputSize, min_score: float, normalized: bool = False
) -> PoseCandidates:
    """Read (1, 56, N): center x, center y, width, height, score, and 17 times x, y, score.

    The format of YOLOv8-pose and YOLO11-pose (https://docs.ultralytics.com/tasks/pose/), trained on
    COCO's key points. In pixels of the input, or in fractions of it if ``normalized``, as in
    TensorFlow's formats. Overlaps are not yet removed.
    """
    output = outputs[0]
    if output.ndim != 3 or output.shape[:2] != (1, 5 + 3 * COUNT):
        raise _unexpected("yolov8_pose", f"(1, {5 + 3 * COUNT}, N)", output)
    rows = output[0].T
    rows = rows[rows[:, 4] >= min_score]
    return _candidates(xywh_to_xyxy(rows[:, :4]), rows[:, 4], rows[:, 5:], size, normalized)


def yolo26_pose(
    outputs: Outputs, size: InputSize, min_score: float, normalized: bool = False
) -> PoseCandidates:
    """Read (1, N, 57): left, top, right, bottom, score, class id, and 17 times x, y, score.

    The format of YOLO26-pose, and of others exported with suppression: overlaps are already removed
    (https://docs.ultralytics.com/guides/end2end-detection). In fractions if ``normalized``, which
    is told again by each picture's own boxes: one without people does not tell.
    """
    output = outputs[0]
    if output.ndim != 3 or output.shape[::2] != (1, 6 + 3 * COUNT):
        raise _unexpected("yolo26_pose", f"(1, N, {6 + 3 * COUNT})", output)
    rows = output[0]
    normalized = normalized and float(np.abs(rows[:, :4]).max(initial=0.0)) <= LARGEST_FRACTION
    rows = rows[rows[:, 4] >= min_score]
    return _candidates(rows[:, :4], rows[:, 4], rows[:, 6:], size, normalized)


def _candidates(
    boxes: Boxes,
    scores: NDArray[np.float32],
    points: NDArray[np.float32],
    size: InputSize,
    normalized: bool,
) -> PoseCandidates:
    points = points.reshape(-1, COUNT, 3)
    places = points[..., :2]
    if normalized:
        boxes, places = in_pixels(boxes, size), places * np.array(size, np.float32)
    return PoseCandidates(boxes, scores, places, np.clip(points[..., 2], 0, 1))


def _unexpected(decoder: str, shape: str, output: NDArray[Any]) -> ModelMismatchError:
    return ModelMismatchError(
        f"decoder {decoder}: expected an output of shape {shape}, for a person and COCO's {COUNT} "
        f"key points with a score each, got {output.shape}"
    )
