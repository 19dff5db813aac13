"""The task ``faces``: boxes, scores and, with YuNet, five landmarks."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from i2t_ros.backends.registry import backends
from i2t_ros.errors import ModelMismatchError
from i2t_ros.models.manifest import BUILT_IN_FACES
from i2t_ros.pipeline.loading import Choice, Loaded, open_model
from i2t_ros.pipeline.tasks.base import TaskOptions
from i2t_ros.types import Faces, Image, Scene
from i2t_ros.vision.boxes import are_boxes, non_maximum_suppression
from i2t_ros.vision.decoders.faces import FACE_DECODERS, FaceCandidates
from i2t_ros.vision.decoders.objects import InputSize
from i2t_ros.vision.letterbox import Letterbox


def open_faces(choice: Choice) -> FaceFinder:
    """Return a face finder; see opening.Choice.

    With ``model`` auto and no trained model, OpenCV's Haar cascades serve: they find no landmarks,
    and ``degraded`` is true. Raises ModelError and BackendError.
    """
    return open_model("faces", choice, FaceFinder, built_in=BUILT_IN_FACES)


class FaceFinder:
    """Finds faces in pictures. Not thread-safe: it writes every picture into one buffer."""

    def __init__(self, loaded: Loaded) -> None:
        """Take over a loaded model."""
        self._spec = loaded.spec
        self._backend = loaded.backend
        form = loaded.spec.input.format
        pictures = form is None or backends()[loaded.backend_name].takes_pictures
        self._letterbox = None if pictures or form is None else Letterbox(form)
        self._input_size = InputSize(form.width, form.height) if form else InputSize(0, 0)
        decoder = FACE_DECODERS["pixels" if pictures else loaded.spec.decoder]
        self._decode = functools.partial(
            decoder.function,
            **{} if pictures else {**decoder.options, **loaded.spec.decoder_options},
        )
        self.name = loaded.name
        self.report = f"{loaded.name}: {loaded.report}"
        self.degraded = loaded.degraded
        if loaded.degraded:
            self.report += "; without landmarks"

    def run(self, image: Image, options: TaskOptions) -> Scene:
        """Return the faces, best first, boxes within the image; see TaskRunner."""
        height, width = image.shape[:2]
        found = self._find(image, options.faces.min_score or self._spec.score_threshold)
        boxes = np.clip(found.boxes, 0, [width, height, width, height], dtype=np.float32)
        inside = np.flatnonzero(are_boxes(boxes))
        best = inside[np.argsort(-found.scores[inside], kind="stable")]
        return Scene(width, height, faces=Faces(*_taken(found._replace(boxes=boxes), best)))

    def close(self) -> None:
        """Release the backend; see TaskRunner."""
        self._backend.close()

    def _find(self, image: Image, min_score: float) -> FaceCandidates:
        """Return every face once, in pixels of the picture."""
        if self._letterbox is None:
            size = InputSize(image.shape[1], image.shape[0])
            return self._read(self._backend.infer([image]), size, min_score)
        tensor, placement = self._letterbox(image)
        outputs = self._backend.infer([tensor, *self._spec.input.constant_arrays()])
        found = self._read(outputs, self._input_size, min_score)
        found = _taken(found, np.flatnonzero(are_boxes(found.boxes)))
        one_class = np.zeros(len(found.scores), np.int32)
        best = non_maximum_suppression(
            found.boxes, found.scores, one_class, self._spec.iou_threshold
        )
        found = _taken(found, best)
        points = found.landmarks
        return FaceCandidates(
            placement.to_original(found.boxes),
            found.scores,
            None if points is None else placement.points_to_original(points),
        )

    def _read(
        self, outputs: Sequence[NDArray[Any]], size: InputSize, min_score: float
    ) -> FaceCandidates:
        try:
            found: FaceCandidates = self._decode(outputs, size, min_score)
        except (IndexError, TypeError, ValueError) as error:
            shapes = [output.shape for output in outputs]
            raise ModelMismatchError(
                f"{self.name}: decoder {self._spec.decoder} cannot read outputs of shapes {shapes} "
                f"({error})"
            ) from error
        return found


def _taken(found: FaceCandidates, indices: NDArray[np.intp]) -> FaceCandidates:
    landmarks = None if found.landmarks is None else found.landmarks[indices]
    return FaceCandidates(found.boxes[indices], found.scores[indices], landmarks)
