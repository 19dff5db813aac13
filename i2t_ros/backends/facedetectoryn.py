"""YuNet through OpenCV's cv2.FaceDetectorYN: faces with five landmarks, on a CPU."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from i2t_ros.backends.base import BackendOptions, Tensor
from i2t_ros.errors import BackendUnavailableError, InferenceError, ModelMismatchError
from i2t_ros.models.manifest import ModelSpec
from i2t_ros.types import Image
from i2t_ros.vision.letterbox import place

LEAST_SCORE = 0.05
"""The detector drops faces below this score; the user's threshold applies to the others."""
MOST_FACES = 5000
LEAST_SIDE = 64
"""Pixels. OpenCV 4.14 pads images to a multiple of 32, and reads uninitialized memory if the result
is 32 high or wide: in 21 of 25 runs a value was not a number, and once a blank image had a face.
With 64 or more this never happened."""


class FaceDetectorYnBackend:
    """Finds faces in an image: boxes (N, 4) xyxy, scores (N,), landmarks (N, 5, 2), best first.

    Its input is the image itself, which it scales to the entry's input size and keeps its aspect
    ratio: the network was trained on faces of 10 to 300 pixels.
    """

    device = "cpu"
    concurrency = 1
    batch = 1

    def __init__(self, spec: ModelSpec, files: Sequence[Path], options: BackendOptions) -> None:
        """Load the first file and run it once.

        Raises BackendUnavailableError if OpenCV is too old, and ModelMismatchError if the entry has
        no input format.
        """
        form = spec.input.format
        if form is None:
            raise ModelMismatchError(f"{spec.name}: its entry lacks the input's format")
        self._form = form
        if not hasattr(cv2, "FaceDetectorYN"):
            raise BackendUnavailableError(
                f"OpenCV {cv2.__version__} has no FaceDetectorYN; 4.8 and later have it"
            )
        try:
            detector = cv2.FaceDetectorYN.create(
                str(files[0]),
                "",
                (form.width, form.height),
                LEAST_SCORE,
                spec.iou_threshold,
                MOST_FACES,
            )
            detector.detect(np.zeros((form.height, form.width, 3), np.uint8))
        except cv2.error as error:  # 4.5.4 to 4.7 read the first YuNet and no later one
            raise BackendUnavailableError(
                f"OpenCV {cv2.__version__} cannot run {files[0]} ({error.err}); 4.8 and later can"
            ) from error
        self._detector: cv2.FaceDetectorYN | None = detector
        self.report = f"OpenCV {cv2.__version__} FaceDetectorYN on cpu"

    def infer(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        """Return boxes, scores and landmarks in pixels of the image; see Backend."""
        if self._detector is None:
            raise InferenceError("facedetectoryn: used after close()")
        image: Image = inputs[0]
        placement = place(image.shape[1], image.shape[0], self._form)
        inner = placement.width, placement.height
        try:
            filled = _filled_up(np.asarray(cv2.resize(image, inner), np.uint8))
            self._detector.setInputSize((filled.shape[1], filled.shape[0]))
            _, found = self._detector.detect(filled)
        except cv2.error as error:
            raise InferenceError(f"OpenCV failed: {error}") from error
        rows = np.empty((0, 15), np.float32) if found is None else np.asarray(found, np.float32)
        # A row is x, y, width, height, x and y of each landmark, score. For a blank image some rows
        # are not finite.
        rows = rows[np.isfinite(rows).all(axis=1)]
        boxes = np.concatenate([rows[:, :2], rows[:, :2] + rows[:, 2:4]], axis=1)
        landmarks = rows[:, 4:14].reshape(-1, 5, 2)
        return [
            placement.to_original(boxes),
            rows[:, 14],
            placement.points_to_original(landmarks),
        ]

    def close(self) -> None:
        """Release the network; see Backend."""
        self._detector = None


def _filled_up(image: Image) -> Image:
    """Return an image of at least LEAST_SIDE pixels each way, padded black at right and bottom."""
    below, right = (max(0, LEAST_SIDE - side) for side in image.shape[:2])
    if not (below or right):
        return image
    filled = cv2.copyMakeBorder(image, 0, below, 0, right, cv2.BORDER_CONSTANT)
    return np.asarray(filled, np.uint8)


def engine() -> tuple[str, tuple[str, ...]]:
    """Return the library's version and its devices, for `i2t models doctor`."""
    return cv2.__version__, ("cpu",) if hasattr(cv2, "FaceDetectorYN") else ()
