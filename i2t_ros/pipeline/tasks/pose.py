"""The task ``pose``: 17 key points of each person, and what they say of how the person stands."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from i2t_ros.backends.base import Tensor
from i2t_ros.language.facts import Fact, ObjectCount, Style, TaskFacts
from i2t_ros.language.grammar import Language
from i2t_ros.language.sentences import Things
from i2t_ros.options import Checked, option
from i2t_ros.pipeline.grounding import place
from i2t_ros.pipeline.loading import OpenOptions, open_model
from i2t_ros.pipeline.model_runner import ModelRunner, PreparedImage
from i2t_ros.pipeline.tasks.base import Label, Task, json_items, rounded_pixels, rounded_score
from i2t_ros.types import Image, freeze_arrays
from i2t_ros.vision.boxes import are_boxes, check_points
from i2t_ros.vision.class_colors import Color
from i2t_ros.vision.decoders.poses import PoseCandidates
from i2t_ros.vision.drawing import DrawOptions, Pen
from i2t_ros.vision.postures import KEY_POINTS, LIMBS, POSTURES, SURE, postures_of

COLORS: Mapping[str, Color] = {"left": (60, 170, 255), "right": (255, 190, 60)}
"""Blue, green, red of what is on a person's own left and right."""
MIDDLE_COLOR: Color = (90, 230, 120)

MOST_TELLING = ("arms_raised", "arm_raised", "lying", "sitting", "facing_away", "standing")
"""Which of several postures of one person the sentence has, the first that applies: a sentence for
each would sound like several people."""


@dataclass(frozen=True, slots=True)
class PoseSettings:
    """Which model finds key points."""

    model: str = option(
        "auto",
        "for the task pose: an entry of models.yaml, a path, or auto: MoveNet, which finds one "
        "person",
        name="pose_model",
    )


@dataclass(frozen=True, slots=True)
class PoseOptions(Checked):
    """Which people are wanted."""

    min_score: float = option(
        0.0,
        "people below this score have no key points, 0 to 1; 0: the model's own threshold",
        name="pose_min_score",
        bounds=(0.0, 1.0),
        changes="live",
    )


@dataclass(frozen=True, eq=False, slots=True)
class Poses:
    """People found in one image, best score first.

    boxes         (N, 4) float32, xyxy, pixels of the original image
    scores        (N,) float32, 0 to 1
    points        (N, 17, 2) float32, x and y in pixels, in the order of postures.KEY_POINTS; those
                  that the model only guesses may be outside of the image
    point_scores  (N, 17) float32, 0 to 1
    postures      N times those of postures.POSTURES that are certain
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    points: NDArray[np.float32]
    point_scores: NDArray[np.float32]
    postures: tuple[tuple[str, ...], ...]

    def __post_init__(self) -> None:
        """Check shapes, dtypes and names; copy and freeze the arrays."""
        count = len(KEY_POINTS)
        freeze_arrays(
            self,
            boxes=((None, 4), np.float32),
            scores=((None,), np.float32),
            points=((None, count, 2), np.float32),
            point_scores=((None, count), np.float32),
        )
        if len(self.postures) != len(self):
            raise ValueError(f"Poses.postures: expected {len(self)}, got {len(self.postures)}")
        if unknown := {name for names in self.postures for name in names} - {*POSTURES}:
            raise ValueError(f"Poses.postures: expected {', '.join(POSTURES)}, got {unknown}")

    def __len__(self) -> int:
        """Return the number of people."""
        return len(self.scores)

    def certain(self, i: int) -> "dict[str, tuple[float, float]]":
        """Return the certain points of person ``i`` by their names, x and y in pixels."""
        rows = zip(KEY_POINTS, self.points[i].tolist(), self.point_scores[i].tolist(), strict=True)
        return {name: (x, y) for name, (x, y), score in rows if score >= SURE}

    def limbs(self, i: int) -> "Iterator[Limb]":
        """Yield the limbs of person ``i`` whose ends are certain."""
        at = self.certain(i)
        for start, end in LIMBS:
            if start in at and end in at:
                yield Limb(at[start], at[end], limb_color(start, end))


class Limb(NamedTuple):
    """A line between two points, x and y in pixels."""

    start: tuple[float, float]
    end: tuple[float, float]
    color: Color


@dataclass(frozen=True, slots=True)
class PoseFacts(TaskFacts):
    """How many people have which posture; only what is certain."""

    section: ClassVar[str] = "poses"

    def sentences(self, language: Language, style: Style, hedge: bool) -> list[str]:
        """Return one sentence for each posture; none is ever in doubt."""
        return [_sentence(fact, language, style) for fact in self.found]


def _sentence(fact: Fact, language: Language, style: Style) -> str:
    things = Things((ObjectCount("person", fact.count),), language, style, PoseFacts.section)
    phrase = f"{PoseFacts.section}.{fact.key}"
    return language.phrase(phrase, things.total, things.gender, things=things.text())


@dataclass(frozen=True, slots=True)
class PoseJson:
    """One person's key points."""

    score: float
    box: list[float] = field(
        metadata={"description": "left, top, right, bottom in pixels of the picture"}
    )
    postures: list[str] = field(
        metadata={"description": f"what is certain of {', '.join(POSTURES)}"}
    )
    points: dict[str, list[float]] = field(
        metadata={
            "description": f"x and y in pixels, and the score, of {', '.join(KEY_POINTS)}; left "
            "and right are the person's own"
        }
    )


class PoseTask(Task[PoseSettings, PoseOptions, Poses]):
    """Key points of people."""

    name = "pose"
    settings = PoseSettings
    options = PoseOptions
    result_json: ClassVar[Mapping[str, Any]] = {"poses": list[PoseJson]}

    def open(self, settings: PoseSettings, how: OpenOptions) -> "PoseFinder":
        """Return what finds key points; see Task."""
        return open_model(self.name, settings.model, PoseFinder, how.of_other_tasks())

    def facts(self, result: Poses, size: tuple[int, int], style: Style) -> TaskFacts:
        """Return how many people have which posture, the most telling one of each; see Task."""
        telling = (
            next((name for name in MOST_TELLING if name in of), "") for of in result.postures
        )
        counts = Counter(filter(None, telling))
        return PoseFacts(tuple(Fact(name, counts[name]) for name in POSTURES if name in counts))

    def clues(self, result: Poses, size: tuple[int, int]) -> Sequence[str]:
        """Return the certain postures of each person, and where that is; see Task."""
        rows = zip(result.postures, result.boxes.tolist(), strict=True)
        return [
            f"The person at {place(box, size)} is certainly: {', '.join(names).replace('_', ' ')}."
            for names, box in rows
            if names
        ]

    def draw(
        self, canvas: Image, result: Poses, pen: Pen, label: Label, options: DrawOptions
    ) -> None:
        """Draw limbs and points that are certain, the best person last; small people thinner."""
        sides = (result.boxes[:, 2:] - result.boxes[:, :2]).tolist()
        for i in reversed(range(len(result))):
            line = pen.for_thing(*sides[i]).line
            for limb in result.limbs(i):
                start, end = (tuple(map(round, point)) for point in limb[:2])
                cv2.line(canvas, start, end, limb.color, line, cv2.LINE_AA)
            for name, (x, y) in result.certain(i).items():
                color, center = limb_color(name, name), (round(x), round(y))
                cv2.circle(canvas, center, line + 1, color, cv2.FILLED, cv2.LINE_AA)

    def scaled(self, result: Poses, factors: NDArray[np.float32]) -> Poses:
        """Return the people with other boxes and points; see Task."""
        boxes = result.boxes * np.tile(factors, 2)
        return replace(result, boxes=boxes, points=result.points * factors)

    def to_json(self, result: Poses, label: Label) -> dict[str, Any]:
        """Return the people, best first; see Task."""
        rows = zip(
            *(result.scores, result.boxes.tolist(), result.postures),
            *(result.points.tolist(), result.point_scores.tolist()),
            strict=True,
        )
        items = (
            PoseJson(
                rounded_score(score),
                rounded_pixels(box),
                list(names),
                {
                    name: [*rounded_pixels(point), rounded_score(certain)]
                    for name, point, certain in zip(KEY_POINTS, points, certainties, strict=True)
                },
            )
            for score, box, names, points, certainties in rows
        )
        return {"poses": json_items(items)}

    def from_json(self, values: Mapping[str, Any]) -> Poses:
        """Return the people; see Task."""
        items = values["poses"]
        rows = [[item["points"][name] for name in KEY_POINTS] for item in items]
        points = np.array(rows, np.float32).reshape(-1, len(KEY_POINTS), 3)
        return Poses(
            boxes=[item["box"] for item in items],  # type: ignore[arg-type]
            scores=[item["score"] for item in items],  # type: ignore[arg-type]
            points=points[..., :2],
            point_scores=points[..., 2],
            postures=tuple(tuple(item["postures"]) for item in items),
        )


class PoseFinder(ModelRunner[PoseOptions, Poses]):
    """Finds key points in pictures."""

    options = PoseOptions

    def _result(self, image: PreparedImage, outputs: list[Tensor], options: PoseOptions) -> Poses:
        """Return every person once, in pixels of the picture."""
        min_score = options.min_score or self.spec.score_threshold
        found: PoseCandidates = self._decode(outputs, image.size, min_score)
        found = found.taken(are_boxes(found.boxes))
        one_class = np.zeros(len(found.scores), np.int32)
        best = self._best(found.boxes, found.scores, one_class, self.spec.iou_threshold)
        boxes, scores, points, point_scores = found.taken(best)
        boxes = image.placement.to_original(boxes)
        points = image.placement.points_to_original(points)
        check_points(points)
        found = PoseCandidates(boxes, scores, points, point_scores).taken(are_boxes(boxes))
        postures = map(postures_of, found.points, found.point_scores)
        return Poses(*found, tuple(postures))


def limb_color(start: str, end: str) -> Color:
    """Return the color of the limb between two points: that of its side, if both are on one."""
    side = start.partition("_")[0]
    return COLORS.get(side, MIDDLE_COLOR) if end.startswith(side) else MIDDLE_COLOR
