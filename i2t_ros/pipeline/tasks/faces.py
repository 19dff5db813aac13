"""The task ``faces``: boxes, scores and, with YuNet or MTCNN, five landmarks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from i2t_ros.backends.base import Tensor
from i2t_ros.language.facts import ObjectCount, Style, TaskFacts
from i2t_ros.language.grammar import Language
from i2t_ros.language.sentences import Things
from i2t_ros.models.manifest import BUILT_IN_FACES
from i2t_ros.options import Checked, option
from i2t_ros.pipeline.grounding import place
from i2t_ros.pipeline.loading import Loaded, OpenOptions, open_model
from i2t_ros.pipeline.model_runner import ModelRunner, PreparedImage
from i2t_ros.pipeline.tasks.base import Label, Task, json_items, rounded_pixels, rounded_score
from i2t_ros.types import Image, freeze_arrays
from i2t_ros.vision.boxes import are_boxes, check_points
from i2t_ros.vision.decoders.faces import FaceCandidates
from i2t_ros.vision.drawing import DrawOptions, Pen, Plate, caption, draw_box, readable

COLOR = (200, 80, 255)
LANDMARKS = ("right_eye", "left_eye", "nose", "right_mouth_corner", "left_mouth_corner")
"""Right and left are the person's own."""


@dataclass(frozen=True, slots=True)
class FaceSettings:
    """Which model finds faces."""

    model: str = option(
        "auto",
        "for the task faces: an entry of models.yaml, a path, or auto: YuNet, else MTCNN, else the "
        "faces that OpenCV finds by itself, without landmarks",
        name="faces_model",
    )


@dataclass(frozen=True, slots=True)
class FaceOptions(Checked):
    """Which faces are wanted."""

    min_score: float = option(
        0.0,
        "faces below this score are left out, 0 to 1; 0: the model's own threshold",
        name="face_min_score",
        bounds=(0.0, 1.0),
        changes="live",
    )


@dataclass(frozen=True, eq=False, slots=True)
class Faces:
    """Faces found in one image, best score first.

    boxes      (N, 4) float32, xyxy, pixels of the original image
    scores     (N,) float32, 0 to 1
    landmarks  (N, 5, 2) float32, x and y in pixels, in the order of LANDMARKS; None if the model
               finds none
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    landmarks: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        """Check shapes and dtypes; copy and freeze the arrays."""
        freeze_arrays(
            self,
            boxes=((None, 4), np.float32),
            scores=((None,), np.float32),
            landmarks=((None, 5, 2), np.float32),
        )

    def __len__(self) -> int:
        """Return the number of faces."""
        return len(self.scores)


@dataclass(frozen=True, slots=True)
class FaceFacts(TaskFacts):
    """The number of faces, counted like objects of one class; empty if there are none."""

    section: ClassVar[str] = "faces"
    found: tuple[ObjectCount, ...]

    @classmethod
    def of(cls, number: int) -> "FaceFacts":
        """Return the facts of this many faces."""
        return cls((ObjectCount("face", number),) if number else ())

    def sentences(self, language: Language, style: Style, hedge: bool) -> list[str]:
        """Return one sentence; a face is never in doubt."""
        things = Things(self.found, language, style, self.section)
        return [language.phrase("faces.plain", things.total, things.gender, things=things.text())]


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

    def open(self, settings: FaceSettings, how: OpenOptions) -> "FaceFinder":
        """Return a face finder; see Task. OpenCV's Haar cascades stand in, without landmarks."""
        how = how.of_other_tasks()
        return open_model(self.name, settings.model, FaceFinder, how, built_in=BUILT_IN_FACES)

    def facts(self, result: Faces, size: tuple[int, int], style: Style) -> TaskFacts:
        """Return how many faces there are; see Task."""
        return FaceFacts.of(len(result))

    def clues(self, result: Faces, size: tuple[int, int]) -> Sequence[str]:
        """Return where each face is; see Task."""
        places = ", ".join(place(box, size) for box in result.boxes.tolist())
        return [f"Faces are at {places}."] if places else ["No face was found."]

    def draw(
        self, canvas: Image, result: Faces, pen: Pen, label: Label, options: DrawOptions
    ) -> None:
        """Draw boxes and landmarks, the best face last; those of small faces are smaller."""
        boxes = result.boxes.tolist()
        landmarks = [[]] * len(boxes) if result.landmarks is None else result.landmarks.tolist()
        for box, points in reversed(list(zip(boxes, landmarks, strict=True))):
            draw_box(canvas, box, pen, COLOR)
            side = min(box[2] - box[0], box[3] - box[1])
            radius = max(1, min(pen.line + 1, round(side / 30)))
            for x, y in points:
                center = (round(x), round(y))
                cv2.circle(canvas, center, radius, COLOR, cv2.FILLED, cv2.LINE_AA)

    def plates(
        self, canvas: Image, result: Faces, pen: Pen, label: Label, options: DrawOptions
    ) -> Sequence[Plate]:
        """Return a text such as "face 87%" for each face, the best first."""
        name = readable("face", label) if options.labels else ""
        plates = []
        for score, box in zip(result.scores.tolist(), result.boxes.tolist(), strict=True):
            score_shown = [f"{round(100 * score)}%"] if options.scores else []
            if text := caption(name, score_shown):
                plates.append(Plate(text, tuple(box), COLOR))
        return plates

    def scaled(self, result: Faces, factors: NDArray[np.float32]) -> Faces:
        """Return the faces with other boxes and landmarks; see Task."""
        landmarks = None if result.landmarks is None else result.landmarks * factors
        return replace(result, boxes=result.boxes * np.tile(factors, 2), landmarks=landmarks)

    def to_json(self, result: Faces, label: Label) -> dict[str, Any]:
        """Return the faces, best first; see Task."""
        named: list[dict[str, list[float]] | None] = [None] * len(result)
        if result.landmarks is not None:
            named = [
                dict(zip(LANDMARKS, map(rounded_pixels, points), strict=True))
                for points in result.landmarks.tolist()
            ]
        rows = zip(result.scores, result.boxes.tolist(), named, strict=True)
        items = (FaceJson(rounded_score(score), rounded_pixels(box), at) for score, box, at in rows)
        return {"faces": json_items(items)}

    def from_json(self, values: Mapping[str, Any]) -> Faces:
        """Return the faces; see Task."""
        items = values["faces"]
        points = [list(item["landmarks"].values()) for item in items if item["landmarks"]]
        return Faces(
            boxes=[item["box"] for item in items],  # type: ignore[arg-type]
            scores=[item["score"] for item in items],  # type: ignore[arg-type]
            landmarks=points or None,  # type: ignore[arg-type]
        )


class FaceFinder(ModelRunner[FaceOptions, Faces]):
    """Finds faces in pictures."""

    options = FaceOptions

    def __init__(self, loaded: Loaded) -> None:
        super().__init__(loaded)
        if loaded.degraded:
            self.report += "; without landmarks"

    def _result(self, image: PreparedImage, outputs: list[Tensor], options: FaceOptions) -> Faces:
        """Return every face once, in pixels of the picture."""
        min_score = options.min_score or self.spec.score_threshold
        found: FaceCandidates = self._decode(outputs, image.size, min_score)
        found = _taken(found, are_boxes(found.boxes))
        one_class = np.zeros(len(found.scores), np.int32)
        best = self._best(found.boxes, found.scores, one_class, self.spec.iou_threshold)
        boxes, scores, landmarks = _taken(found, best)
        if landmarks is not None:
            landmarks = image.placement.points_to_original(landmarks)
            check_points(landmarks)
        boxes = image.placement.to_original(boxes)
        return Faces(*_taken(FaceCandidates(boxes, scores, landmarks), are_boxes(boxes)))


def _taken(found: FaceCandidates, chosen: NDArray[Any]) -> FaceCandidates:
    """Return the faces that a mask or an array of indices selects."""
    landmarks = None if found.landmarks is None else found.landmarks[chosen]
    return FaceCandidates(found.boxes[chosen], found.scores[chosen], landmarks)
