"""The task ``detect``: which objects there are, and where."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from i2t_ros.backends.base import Tensor
from i2t_ros.errors import InvalidRequestError
from i2t_ros.language.facts import ObjectCount, Style, TaskFacts, count_objects
from i2t_ros.language.grammar import Language
from i2t_ros.language.places import say_places
from i2t_ros.language.sentences import Things, split
from i2t_ros.models.manifest import BUILT_IN
from i2t_ros.options import Checked, option
from i2t_ros.pipeline.grounding import place
from i2t_ros.pipeline.loading import OpenOptions, open_model
from i2t_ros.pipeline.model_runner import ModelRunner, PreparedImage
from i2t_ros.pipeline.tasks.base import Label, Task, json_items, rounded_pixels, rounded_score
from i2t_ros.types import DescribeRequest, Detections, Image
from i2t_ros.vision.boxes import all_are_boxes, are_boxes, non_maximum_suppression
from i2t_ros.vision.class_colors import class_color
from i2t_ros.vision.decoders.objects import Candidates
from i2t_ros.vision.drawing import DrawOptions, Pen, Plate, caption, draw_box, readable


@dataclass(frozen=True, slots=True)
class DetectSettings:
    """Which model finds objects, and what runs it."""

    model: str = option(
        "auto",
        "for objects: an entry of models.yaml, a path to a model file, or auto: the best that is "
        "at hand or can be downloaded, else the detectors built into OpenCV",
    )
    backend: str = option(
        "auto",
        "what runs that model; auto: the server if server_url names one, else the first of the "
        "model's backends that is installed and starts",
    )


def class_scores(entries: Iterable[str]) -> dict[str, float]:
    """Read entries such as "person=0.6"; raises InvalidRequestError."""
    scores = {}
    for entry in filter(None, entries):
        label, _, score = entry.rpartition("=")
        try:
            scores[label] = float(score)
        except ValueError:
            label = ""
        if not label or not 0 <= scores[label] <= 1:
            raise InvalidRequestError(
                f"class_min_scores: expected CLASS=SCORE with a score of 0 to 1, got {entry!r}"
            )
    return scores


def _names(entries: Iterable[str]) -> frozenset[str]:
    return frozenset(filter(None, entries))


@dataclass(frozen=True, slots=True)
class DetectOptions(Checked):
    """Which objects of those that a model finds are wanted."""

    min_score: float = option(
        0.0,
        "objects below this score are left out, 0 to 1; 0: the model's own threshold",
        bounds=(0.0, 1.0),
        changes="live",
    )
    iou_threshold: float = option(
        0.0,
        "boxes of one class that overlap by more are one object, 0 to 1; 0: the model's own value",
        bounds=(0.0, 1.0),
        changes="live",
    )
    any_class_iou_threshold: float = option(
        0.85,
        "boxes of any classes that overlap by more are one object, and the better class is kept, 0 "
        "to 1; no less than iou_threshold, and not if min_score is below the model's own",
        bounds=(0.0, 1.0),
        changes="live",
    )
    class_min_scores: Mapping[str, float] = option(
        MappingProxyType({}),
        "scores for single classes in place of min_score, such as person=0.6 (a list)",
        changes="live",
        read=class_scores,
    )
    allow: frozenset[str] = option(
        frozenset(),
        "only these classes, by the model's own names; empty: all",
        name="allow_classes",
        changes="live",
        read=_names,
    )
    deny: frozenset[str] = option(
        frozenset(),
        "not these classes, by the model's own names; wins over allow_classes",
        name="deny_classes",
        changes="live",
        read=_names,
    )
    max_detections: int = option(
        100,
        "at most this many objects of an image are kept, the best ones",
        bounds=(1, 10_000),
        changes="live",
    )

    @property
    def named(self) -> frozenset[str]:
        """Every class that is named."""
        return self.allow | self.deny | frozenset(self.class_min_scores)


@dataclass(frozen=True, slots=True)
class ObjectFacts(TaskFacts):
    """Counted objects: most first, then the largest, then the most certain."""

    section: ClassVar[str] = "objects"
    found: tuple[ObjectCount, ...]

    def sentences(self, language: Language, style: Style, hedge: bool) -> list[str]:
        """Return one sentence; in the style ``scene`` two, what is sure and then what is not."""
        sure, unsure = split(self.found, hedge)
        if style == "scene":
            return say_places(sure, unsure, language)
        certain, doubtful = (Things(part, language, style) for part in (sure, unsure))
        largest = max(certain.largest, doubtful.largest)
        hedged = doubtful.text(largest, marked=style == "list")
        if certain and doubtful:
            fields = {"things": certain.text(largest), "hedged": hedged}
            # A list announces all of them; a verb agrees with what is certain.
            number = certain.total + (doubtful.total if style == "list" else 0)
            return [language.phrase(f"{style}.mixed", number, certain.gender, **fields)]
        phrase, things = ("plain", certain) if certain else ("hedged", doubtful)
        text = certain.text() if certain else hedged
        return [language.phrase(f"{style}.{phrase}", things.total, things.gender, things=text)]


@dataclass(frozen=True, slots=True)
class ObjectCountJson:
    """How many of one class there are."""

    class_id: str = field(metadata={"description": "the model's own name", "examples": ["dog"]})
    label: str = field(
        metadata={"description": "the class in the language asked for", "examples": ["perro"]}
    )
    count: int
    max_score: float


@dataclass(frozen=True, slots=True)
class DetectionJson:
    """One object."""

    class_id: str = field(metadata={"examples": ["dog"]})
    label: str = field(metadata={"examples": ["perro"]})
    score: float = field(metadata={"description": "0 to 1"})
    box: list[float] = field(
        metadata={"description": "left, top, right, bottom in pixels of the picture"}
    )
    track_id: int | None = field(default=None, metadata={"description": "if objects are tracked"})


class DetectTask(Task[DetectSettings, DetectOptions, Detections]):
    """Objects: boxes, classes and scores."""

    name = "detect"
    settings = DetectSettings
    options = DetectOptions
    result_json: ClassVar[Mapping[str, Any]] = {
        "objects": list[ObjectCountJson],
        "detections": list[DetectionJson],
    }

    def open(self, settings: DetectSettings, how: OpenOptions) -> "ObjectDetector":
        """Return a detector; see Task. OpenCV's own stands in for a trained model of auto."""
        return open_model(
            self.name, settings.model, ObjectDetector, how, settings.backend, built_in=BUILT_IN
        )

    def for_request(self, options: DetectOptions, request: DescribeRequest) -> DetectOptions:
        """Return the options with the least score that a request names."""
        return replace(options, min_score=request.min_score) if request.min_score else options

    def facts(self, result: Detections, size: tuple[int, int], style: Style) -> TaskFacts:
        """Return how many objects of each class there are, and in style ``scene`` where."""
        return ObjectFacts(count_objects(result, size if style == "scene" else None))

    def clues(self, result: Detections, size: tuple[int, int]) -> Sequence[str]:
        """Return the number of objects of each class, and then each object; see Task."""
        counts = ", ".join(f"{fact.count} x {fact.key}" for fact in count_objects(result))
        lines = [f"A detector has found: {counts or 'nothing that it knows'}."]
        if len(result):
            lines.append("Their boxes as [left, top, right, bottom] in percent of the picture:")
        for name, box in zip(result.class_names(), result.boxes.tolist(), strict=True):
            lines.append(f"- {name} {place(box, size)}")
        return lines

    def draw(
        self, canvas: Image, result: Detections, pen: Pen, label: Label, options: DrawOptions
    ) -> None:
        """Draw the boxes, the best last, to be on top."""
        rows = zip(
            result.class_names(), result.class_ids.tolist(), result.boxes.tolist(), strict=True
        )
        for name, class_id, box in reversed(list(rows)):
            draw_box(canvas, box, pen, class_color(name, class_id))

    def plates(
        self, canvas: Image, result: Detections, pen: Pen, label: Label, options: DrawOptions
    ) -> Sequence[Plate]:
        """Return a text such as "dog 87% #4" for each box, the best first."""
        plates = []
        rows = zip(
            result.class_names(),
            result.class_ids.tolist(),
            result.scores.tolist(),
            result.boxes.tolist(),
            _tracks(result),
            strict=True,
        )
        for name, class_id, score, box, track in rows:
            notes = [f"{round(100 * score)}%"] if options.scores else []
            notes += [f"#{track}"] if track is not None else []
            if text := caption(readable(name, label) if options.labels else "", notes):
                plates.append(Plate(text, tuple(box), class_color(name, class_id)))
        return plates

    def scaled(self, result: Detections, factors: NDArray[np.float32]) -> Detections:
        """Return the objects with other boxes; see Task."""
        return replace(result, boxes=result.boxes * np.tile(factors, 2))

    def to_json(self, result: Detections, label: Label) -> dict[str, Any]:
        """Return the counts and the objects, best first; see Task."""
        counts = (
            ObjectCountJson(of.key, label(of.key), of.count, rounded_score(of.max_score))
            for of in count_objects(result)
        )
        names, boxes, tracks = result.class_names(), result.boxes.tolist(), _tracks(result)
        objects = (
            DetectionJson(name, label(name), rounded_score(score), rounded_pixels(box), track)
            for name, score, box, track in zip(names, result.scores, boxes, tracks, strict=True)
        )
        return {"objects": json_items(counts), "detections": json_items(objects)}

    def from_json(self, values: Mapping[str, Any]) -> Detections:
        """Return the objects, numbered anew; see Task."""
        items = values["detections"]
        names = [item["class_id"] for item in items]
        labels = tuple(dict.fromkeys(names))
        tracks = [item.get("track_id", -1) for item in items]
        # If objects were tracked and none has a track, none is counted: only that shows tracking.
        tracked = any(track >= 0 for track in tracks) or (bool(items) and not values["objects"])
        return Detections(
            boxes=[item["box"] for item in items],  # type: ignore[arg-type]
            scores=[item["score"] for item in items],  # type: ignore[arg-type]
            class_ids=[labels.index(name) for name in names],  # type: ignore[arg-type]
            labels=labels,
            track_ids=tracks if tracked else None,  # type: ignore[arg-type]
        )


def _tracks(found: Detections) -> list[int | None]:
    """Return the number of each object's track, None for one that has none."""
    if found.track_ids is None:
        return [None] * len(found)
    return [track if track >= 0 else None for track in found.track_ids.tolist()]


class ObjectDetector(ModelRunner[DetectOptions, Detections]):
    """Finds objects in pictures."""

    options = DetectOptions
    _known: tuple[DetectOptions, tuple[NDArray[np.float32] | None, float]] | None = None

    def detect(self, image: Image, options: DetectOptions = DetectOptions()) -> Detections:
        """Return what is in ``image``, best first, boxes within it; raises as Runner.run does."""
        found: Detections = self.run(image, options).result
        return found

    def min_score(self, options: DetectOptions) -> float:
        """Return the least score of objects without a score of their class."""
        return options.min_score or self.spec.score_threshold

    def check_classes(self, names: Iterable[str]) -> None:
        """Raise InvalidRequestError for the first name that is no class of the model."""
        for name in names:
            if name not in self.labels:
                close = difflib.get_close_matches(name, self.labels, n=1)
                hint = f"; did you mean {close[0]!r}?" if close else ""
                raise InvalidRequestError(f"{self.spec.name} has no class {name!r}{hint}")

    def _result(
        self, image: PreparedImage, outputs: list[Tensor], options: DetectOptions
    ) -> Detections:
        """Keep what is wanted, once, in pixels of the picture."""
        least_scores, least = self._least_scores(options)
        found: Candidates = self._decode(outputs, image.size, least)
        boxes, scores, class_ids, classes = found
        self._check_labels(classes)
        if least_scores is not None or not all_are_boxes(boxes):
            good = are_boxes(boxes)
            if least_scores is not None:
                good &= scores >= least_scores[class_ids]
            boxes, scores, class_ids = boxes[good], scores[good], class_ids[good]
        iou = options.iou_threshold or self.spec.iou_threshold
        best = self._best(boxes, scores, class_ids, iou)
        # One thing that the model takes for a car and for a truck is one object. Whoever asks for
        # less than the model is sure of gets all its candidates.
        if len(best) > 1 and self.min_score(options) >= self.spec.score_threshold:
            those, one_class = boxes.take(best, axis=0), np.zeros(len(best), np.int32)
            most = max(iou, options.any_class_iou_threshold)
            best = best[non_maximum_suppression(those, scores.take(best), one_class, most)]
        best = best[: options.max_detections]
        boxes = image.placement.to_original(boxes.take(best, axis=0))
        if not all_are_boxes(boxes):
            inside = are_boxes(boxes)
            boxes, best = boxes[inside], best[inside]
        class_ids = class_ids.take(best).astype(np.int32)
        return Detections.adopt(boxes, scores.take(best), class_ids, self.labels)

    def _least_scores(self, options: DetectOptions) -> tuple[NDArray[np.float32] | None, float]:
        """Return the least score of each class, infinite for never, and the least of all.

        The former is None if all classes have the same. Options seldom change between two images.
        """
        known = self._known  # another thread may put its own there at any moment
        if known is not None and known[0] == options:  # every request makes equal options anew
            return known[1]
        least = self.min_score(options)
        scores = [options.class_min_scores.get(label, least) for label in self.labels]
        for class_id, label in enumerate(self.labels):
            unwanted = label in options.deny or (options.allow and label not in options.allow)
            if unwanted or class_id in self.background:
                scores[class_id] = np.inf
        of_classes = None
        if any(score != least for score in scores):
            of_classes = np.array(scores, np.float32)
        found = of_classes, min((score for score in scores if score <= 1), default=1.0)
        self._known = options, found
        return found
