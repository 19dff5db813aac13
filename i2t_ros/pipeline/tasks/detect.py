"""The task ``detect``: which objects there are, and where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from i2t_ros.language.facts import ObjectCount, Style, TaskFacts, count_objects
from i2t_ros.language.grammar import Language
from i2t_ros.language.sentences import Things, split
from i2t_ros.models.manifest import BUILT_IN
from i2t_ros.options import option
from i2t_ros.pipeline.loading import OpenOptions, open_model
from i2t_ros.pipeline.object_detector import DetectOptions, ObjectDetector
from i2t_ros.pipeline.tasks.base import Label, Task, rounded_pixels, rounded_score
from i2t_ros.types import DescribeRequest, Detections, Image
from i2t_ros.vision.drawing import DrawOptions, Pen, class_color, draw_box, readable


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


@dataclass(frozen=True, slots=True)
class ObjectFacts(TaskFacts):
    """Counted objects: most first, then the largest, then the most certain."""

    section: ClassVar[str] = "objects"
    found: tuple[ObjectCount, ...]

    def sentences(self, language: Language, style: Style, hedge: bool) -> list[str]:
        """Return one sentence; in the style ``scene`` two, what is sure and then what is not."""
        sure, unsure = split(self.found, hedge)
        if style == "scene":
            phrases = (("plain", "group", sure), ("hedged", "group_hedged", unsure))
            return [
                _placed(objects, language, f"scene.{phrase}", f"scene.{group}")
                for phrase, group, objects in phrases
                if objects
            ]
        certain, doubtful = (Things(part, language, style) for part in (sure, unsure))
        total = certain.total + doubtful.total
        if certain and doubtful:
            fields = {"things": certain.text(), "hedged": doubtful.text()}
            return [language.phrase(f"{style}.mixed", total, **fields)]
        phrase = f"{style}.{'plain' if certain else 'hedged'}"
        return [language.phrase(phrase, total, things=(certain or doubtful).text())]


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

    def open(self, settings: DetectSettings, how: OpenOptions) -> ObjectDetector:
        """Return a detector.

        With ``model`` auto and no trained model, OpenCV's own detectors serve, and ``degraded`` is
        true. Raises ModelError and BackendError.
        """
        return open_model(
            self.name, settings.model, ObjectDetector, how, settings.backend, built_in=BUILT_IN
        )

    def for_request(self, options: DetectOptions, request: DescribeRequest) -> DetectOptions:
        """Return the options with the least score that a request names."""
        return replace(options, min_score=request.min_score) if request.min_score else options

    def facts(self, result: Detections, size: tuple[int, int], style: Style) -> TaskFacts:
        """Return how many objects of each class there are, and in style ``scene`` where."""
        return ObjectFacts(count_objects(result, size if style == "scene" else None))

    def draw(
        self, canvas: Image, result: Detections, pen: Pen, label: Label, options: DrawOptions
    ) -> None:
        """Draw the boxes, the best last, so that it is on top."""
        for i in range(len(result) - 1, -1, -1):
            name = result.label(i)
            text = _caption(result, i, label, options)
            draw_box(canvas, result.boxes[i], text, pen, class_color(name))

    def to_json(self, result: Detections, label: Label) -> dict[str, Any]:
        """Return the counts and the objects, best first; see Task."""
        counts = [
            {
                "class_id": entry.key,
                "label": label(entry.key),
                "count": entry.count,
                "max_score": rounded_score(entry.max_score),
            }
            for entry in count_objects(result)
        ]
        return {"objects": counts, "detections": list(_items(result, label))}

    def from_json(self, values: Mapping[str, Any]) -> Detections:
        """Return the objects, numbered anew; see Task."""
        items = values["detections"]
        names = [item["class_id"] for item in items]
        labels = tuple(dict.fromkeys(names))
        tracks = [item.get("track_id", -1) for item in items]
        # Objects without a track are not counted; without any track that alone tells of tracking.
        tracked = any(track >= 0 for track in tracks) or (bool(items) and not values["objects"])
        return Detections(
            boxes=[item["box"] for item in items],  # type: ignore[arg-type]
            scores=[item["score"] for item in items],  # type: ignore[arg-type]
            class_ids=[labels.index(name) for name in names],  # type: ignore[arg-type]
            labels=labels,
            track_ids=tracks if tracked else None,  # type: ignore[arg-type]
        )


def _caption(found: Detections, i: int, label: Label, options: DrawOptions) -> str:
    """Return what is written at a box: "dog 87% #4"."""
    parts = []
    if options.labels:
        parts.append(readable(found.label(i), label))
    if options.scores:
        parts.append(f"{round(100 * float(found.scores[i]))}%")
    if found.track_ids is not None and found.track_ids[i] >= 0:
        parts.append(f"#{found.track_ids[i]}")
    return " ".join(parts)


def _items(found: Detections, label: Label) -> Any:
    for i, box in enumerate(found.boxes.tolist()):
        name = found.label(i)
        item = {
            "class_id": name,
            "label": label(name),
            "score": rounded_score(found.scores[i]),
            "box": rounded_pixels(box),
        }
        if found.track_ids is not None and found.track_ids[i] >= 0:
            item["track_id"] = int(found.track_ids[i])
        yield item


def _placed(
    objects: Sequence[ObjectCount], language: Language, phrase: str, group_phrase: str
) -> str:
    by_place: dict[str, list[ObjectCount]] = {}
    for fact in objects:
        by_place.setdefault(fact.place or "middle", []).append(fact)
    things = {place: Things(facts, language, "scene") for place, facts in by_place.items()}
    groups = [
        language.phrase(
            group_phrase, group.total, things=group.text(), place=language.places[place]
        )
        for place, group in things.items()
    ]
    nested = any(len(group.items) > 1 for group in things.values())
    # "There is a dog and there are two cats": the verb goes with what stands next to it.
    first = next(iter(things.values())).first
    return language.phrase(
        phrase, first, things=language.join(groups, "nested" if nested else "groups")
    )
