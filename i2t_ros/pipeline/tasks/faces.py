"""The task ``faces``: boxes, scores and, with YuNet, five landmarks."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from i2t_ros.backends.registry import backends
from i2t_ros.errors import ModelMismatchError
from i2t_ros.language.facts import ObjectCount, Style, TaskFacts
from i2t_ros.language.grammar import Language
from i2t_ros.language.sentences import Things
from i2t_ros.models.manifest import BUILT_IN_FACES
from i2t_ros.options import check_options, option
from i2t_ros.pipeline.loading import Loaded, OpenOptions, open_model
from i2t_ros.pipeline.tasks.base import (
    Label,
    Outcome,
    Task,
    rounded_pixels,
    rounded_score,
)
from i2t_ros.types import Image, checked_array, same_length
from i2t_ros.vision.boxes import are_boxes, non_maximum_suppression
from i2t_ros.vision.decoders import DECODERS, FaceCandidates, InputSize
from i2t_ros.vision.drawing import DrawOptions, Pen, draw_box
from i2t_ros.vision.letterbox import Letterbox

COLOR = (200, 80, 255)
LANDMARKS = ("right_eye", "left_eye", "nose", "right_mouth_corner", "left_mouth_corner")
"""In the order of ``Faces.landmarks``; right and left are the person's own."""


@dataclass(frozen=True, slots=True)
class FaceSettings:
    """Which model finds faces."""

    model: str = option(
        "auto",
        "for the task faces: an entry of models.yaml, a path, or auto: YuNet, else the faces that "
        "OpenCV finds by itself, without landmarks",
        name="faces_model",
    )


@dataclass(frozen=True, slots=True)
class FaceOptions:
    """Which faces are wanted."""

    min_score: float = option(
        0.0,
        "faces below this score are left out, 0 to 1; 0: the model's own threshold",
        name="face_min_score",
        bounds=(0.0, 1.0),
        changes="live",
    )

    def __post_init__(self) -> None:
        """Raise InvalidRequestError for a score out of bounds."""
        check_options(self)


@dataclass(frozen=True, eq=False, slots=True)
class Faces:
    """Faces found in one image, best score first.

    boxes      (N, 4) float32, xyxy, pixels of the original image
    scores     (N,) float32, 0 to 1
    landmarks  (N, 5, 2) float32, x and y in pixels: right eye, left eye, nose tip, right and left
               corner of the mouth, right and left being the person's own; or None if the
               detector finds no landmarks
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    landmarks: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        """Check shapes and dtypes; copy and freeze the arrays."""
        put = object.__setattr__
        put(self, "boxes", checked_array("Faces", "boxes", self.boxes, (None, 4), np.float32))
        put(self, "scores", checked_array("Faces", "scores", self.scores, (None,), np.float32))
        same_length("Faces", boxes=self.boxes, scores=self.scores)
        if self.landmarks is not None:
            put(
                self,
                "landmarks",
                checked_array("Faces", "landmarks", self.landmarks, (None, 5, 2), np.float32),
            )
            same_length("Faces", boxes=self.boxes, landmarks=self.landmarks)

    def __len__(self) -> int:
        """Return the number of faces."""
        return len(self.scores)


@dataclass(frozen=True, slots=True)
class FaceFacts(TaskFacts):
    """The number of faces, as the count of a class of their own; empty if there is none."""

    section: ClassVar[str] = "faces"
    found: tuple[ObjectCount, ...]

    @classmethod
    def of(cls, number: int) -> FaceFacts:
        """Return the facts of so many faces."""
        return cls((ObjectCount("face", number),) if number else ())

    def sentences(self, language: Language, style: Style, hedge: bool) -> list[str]:
        """Return one sentence; a face is never in doubt."""
        things = Things(self.found, language, style, self.section)
        return [language.phrase("faces.plain", things.total, things=things.text())]


@dataclass(frozen=True, slots=True)
class FaceJson:
    """One face."""

    score: float
    box: list[float] = field(
        metadata={"description": "left, top, right, bottom in pixels of the picture"}
    )
    landmarks: dict[str, list[float]] | None = field(
        metadata={
            "description": f"x and y in pixels of {', '.join(LANDMARKS)}; right and left are the "
            "person's own"
        }
    )


class FacesTask(Task[FaceSettings, FaceOptions, Faces]):
    """Faces and their landmarks."""

    name = "faces"
    settings = FaceSettings
    options = FaceOptions
    result_json: ClassVar[Mapping[str, Any]] = {"faces": list[FaceJson]}

    def open(self, settings: FaceSettings, how: OpenOptions) -> FaceFinder:
        """Return a face finder.

        With ``model`` auto and no trained model, OpenCV's Haar cascades serve: they find no
        landmarks, and ``degraded`` is true. Raises ModelError and BackendError.
        """
        return open_model(
            self.name,
            settings.model,
            FaceFinder,
            how.of_other_tasks(),
            built_in=BUILT_IN_FACES,
        )

    def facts(self, result: Faces, size: tuple[int, int], style: Style) -> TaskFacts:
        """Return how many faces there are; see Task."""
        return FaceFacts.of(len(result))

    def draw(
        self, canvas: Image, result: Faces, pen: Pen, label: Label, options: DrawOptions
    ) -> None:
        """Draw boxes and landmarks, the best face last."""
        for i in range(len(result) - 1, -1, -1):
            text = f"{round(100 * float(result.scores[i]))}%" if options.scores else ""
            draw_box(canvas, result.boxes[i], text, pen, COLOR)
        if result.landmarks is not None:
            for x, y in result.landmarks.reshape(-1, 2):
                center = (round(float(x)), round(float(y)))
                cv2.circle(canvas, center, pen.line + 1, COLOR, cv2.FILLED, cv2.LINE_AA)

    def to_json(self, result: Faces, label: Label) -> dict[str, Any]:
        """Return the faces, best first; see Task."""
        items = []
        for i, box in enumerate(result.boxes.tolist()):
            landmarks = None
            if result.landmarks is not None:
                named = zip(LANDMARKS, result.landmarks[i].tolist(), strict=True)
                landmarks = {name: rounded_pixels(point) for name, point in named}
            score = rounded_score(result.scores[i])
            items.append({"score": score, "box": rounded_pixels(box), "landmarks": landmarks})
        return {"faces": items}

    def from_json(self, values: Mapping[str, Any]) -> Faces:
        """Return the faces; see Task."""
        items = values["faces"]
        points = [list(item["landmarks"].values()) for item in items if item["landmarks"]]
        return Faces(
            boxes=[item["box"] for item in items],  # type: ignore[arg-type]
            scores=[item["score"] for item in items],  # type: ignore[arg-type]
            landmarks=points or None,  # type: ignore[arg-type]
        )


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
        decoder = DECODERS["faces"]["pixels" if pictures else loaded.spec.decoder]
        options = {} if pictures else loaded.spec.decoder_options
        self._decode = functools.partial(decoder.function, **options)
        self.name = loaded.name
        self.report = f"{loaded.name}: {loaded.report}"
        self.degraded = loaded.degraded
        if loaded.degraded:
            self.report += "; without landmarks"

    def run(self, image: Image, options: FaceOptions, language: str = "") -> Outcome:
        """Return the faces, best first, boxes within the image; see Runner."""
        height, width = image.shape[:2]
        found = self._find(image, options.min_score or self._spec.score_threshold)
        boxes = np.clip(found.boxes, 0, [width, height, width, height], dtype=np.float32)
        inside = np.flatnonzero(are_boxes(boxes))
        best = inside[np.argsort(-found.scores[inside], kind="stable")]
        return Outcome(Faces(*_taken(found._replace(boxes=boxes), best)))

    def close(self) -> None:
        """Release the backend; see Runner."""
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
