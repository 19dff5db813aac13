"""YuNet through OpenCV's cv2.FaceDetectorYN: faces with five landmarks, on a CPU."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from i2t_ros.backends.base import Backend, BackendOptions, Tensor
from i2t_ros.errors import BackendUnavailableError, ModelMismatchError
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


class FaceDetectorYnBackend(Backend):
    """Finds faces in an image: boxes (N, 4) xyxy, scores (N,), landmarks (N, 5, 2), best first.

    Its input is the image itself, which it scales to the entry's input size and keeps its aspect
    ratio: the network was trained on faces of 10 to 300 pixels.
    """

    title = "OpenCV"
    version = cv2.__version__

    def __init__(self, spec: ModelSpec, files: Sequence[Path], options: BackendOptions) -> None:
        """Load the first file and run it once.

        Raises BackendUnavailableError if OpenCV is too old, and ModelMismatchError if the entry has
        no input format.
        """
        form = spec.input.format
        if form is None:
            raise ModelMismatchError(f"{spec.name}: its entry lacks the input's format")
        self._form = form
        size = form.width, form.height
        try:
            self.model = cv2.FaceDetectorYN.create(
                str(files[0]), "", size, LEAST_SCORE, spec.iou_threshold, MOST_FACES
            )
            self.model.detect(np.zeros((form.height, form.width, 3), np.uint8))
        except (AttributeError, cv2.error) as error:
            # 4.5.3 and earlier have no FaceDetectorYN; that of 4.5.4 to 4.7 reads only the first
            # YuNet.
            raise BackendUnavailableError(
                f"OpenCV {cv2.__version__} cannot run {files[0]} ({error}); 4.8 and later can"
            ) from error
        self.report = f"OpenCV {cv2.__version__} FaceDetectorYN on cpu"

    def run(self, model: cv2.FaceDetectorYN, inputs: Sequence[Tensor]) -> list[Tensor]:
        """Return boxes, scores and landmarks in pixels of the image; see Backend."""
        image: Image = inputs[0]
        placement = place(image.shape[1], image.shape[0], self._form)
        scaled = cv2.resize(image, (placement.width, placement.height))
        below, right = (max(0, LEAST_SIDE - side) for side in scaled.shape[:2])
        if below or right:
            scaled = cv2.copyMakeBorder(scaled, 0, below, 0, right, cv2.BORDER_CONSTANT)
        model.setInputSize((scaled.shape[1], scaled.shape[0]))
        _, found = model.detect(scaled)
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
