"""The task ``detect``: which objects there are, and where."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray

from i2t_ros.language.facts import ObjectCount, Style, TaskFacts, count_objects
from i2t_ros.language.grammar import Language
from i2t_ros.language.places import say_places
from i2t_ros.language.sentences import Things, split
from i2t_ros.models.manifest import BUILT_IN
from i2t_ros.options import option
from i2t_ros.pipeline.grounding import place
from i2t_ros.pipeline.loading import OpenOptions, open_model
from i2t_ros.pipeline.object_detector import DetectOptions, ObjectDetector
from i2t_ros.pipeline.tasks.base import Label, Task, json_items, rounded_pixels, rounded_score
from i2t_ros.types import DescribeRequest, Detections, Image, Mask
from i2t_ros.vision.class_colors import class_color
from i2t_ros.vision.drawing import DrawOptions, Pen, Plate, caption, draw_box, readable
from i2t_ros.vision.fonts import can_draw
from i2t_ros.vision.masks import Polygon, draw_masks, outlined_masks, outlines_of, scaled_masks

Settings = TypeVar("Settings")


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
            return say_places(sure, unsure, language)
        certain, doubtful = (Things(part, language, style) for part in (sure, unsure))
        largest = max(certain.largest, doubtful.largest)
        marked = style == "list"
        if certain and doubtful:
            fields = {
                "things": certain.text(largest),
                "hedged": doubtful.text(largest, marked=marked),
            }
            # A list announces all of them; a verb agrees with what is certain.
            number = certain.total + (doubtful.total if style == "list" else 0)
            return [language.phrase(f"{style}.mixed", number, certain.gender, **fields)]
        phrase, things = ("plain", certain) if certain else ("hedged", doubtful)
        name = f"{style}.{phrase}"
        text = things.text(marked=marked and not certain, phrases=(name,))
        return [language.phrase(name, things.total, things.gender, things=text)]


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
    distance: float | None = field(
        default=None, metadata={"description": "meters from the camera, if it was measured"}
    )
    position: list[float] | None = field(
        default=None,
        metadata={
            "description": "x, y, z in meters in the camera's optical frame (x right, y down, z "
            "forward), if it was measured"
        },
    )
    color: str | None = field(
        default=None,
        metadata={"description": "if colors are asked for and one stands out", "examples": ["red"]},
    )
    polygons: list[list[float]] | None = field(
        default=None,
        metadata={
            "description": "the outlines of its parts, each x, y, x, y and so on in pixels of the "
            "picture, as in COCO's segmentation; of the task segment"
        },
    )


class ObjectTask(Task[Settings, DetectOptions, Detections]):
    """What ``detect`` and ``segment`` have in common: all but their models."""

    options = DetectOptions
    result_json: ClassVar[Mapping[str, Any]] = {
        "objects": list[ObjectCountJson],
        "detections": list[DetectionJson],
    }

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
        """Draw the masks, if there are any, and the boxes, the best last, to be on top."""
        if result.masks is not None:
            colors = map(class_color, result.class_names(), result.class_ids.tolist())
            draw_masks(canvas, result.masks, [*colors], pen.line)
        rows = zip(
            result.class_names(), result.class_ids.tolist(), result.boxes.tolist(), strict=True
        )
        for name, class_id, box in reversed(list(rows)):
            draw_box(canvas, box, pen, class_color(name, class_id))

    def plates(
        self, canvas: Image, result: Detections, pen: Pen, label: Label, options: DrawOptions
    ) -> Sequence[Plate]:
        """Return a text such as "dog 87% #4 2.1 m" for each box, the best first."""
        plates = []
        distances = result.distances()
        rows = zip(
            result.class_names(),
            result.class_ids.tolist(),
            result.scores.tolist(),
            result.boxes.tolist(),
            _tracks(result),
            [0.0] * len(result) if distances is None else distances.tolist(),
            strict=True,
        )
        for name, class_id, score, box, track, away in rows:
            notes = [f"{round(100 * score)}%"] if options.scores else []
            notes += [f"#{track}"] if track is not None else []
            shown = readable(name, label) if options.labels else ""
            text = caption(shown, notes)
            # Some scripts have fonts without Latin letters.
            if away and can_draw(placed := caption(shown, [*notes, f"{away:.1f} m"])):
                text = placed
            if text:
                plates.append(Plate(text, tuple(box), class_color(name, class_id)))
        return plates

    def scaled(self, result: Detections, factors: NDArray[np.float32]) -> Detections:
        """Return the objects with other boxes and masks; see Task."""
        masks = None if result.masks is None else scaled_masks(result.masks, factors)
        return replace(result, boxes=result.boxes * np.tile(factors, 2), masks=masks)

    def to_json(self, result: Detections, label: Label) -> dict[str, Any]:
        """Return the counts and the objects, best first; see Task."""
        counts = (
            ObjectCountJson(of.key, label(of.key), of.count, rounded_score(of.max_score))
            for of in count_objects(result)
        )
        names, boxes, tracks = result.class_names(), result.boxes.tolist(), _tracks(result)
        positions, outlines = result.positions, outlines_of(result.masks or ())
        objects = (
            DetectionJson(
                name,
                label(name),
                rounded_score(score),
                rounded_pixels(box),
                track,
                color=result.colors[i] or None if result.colors else None,
                polygons=_polygons_json(outlines[i]) if outlines else None,
                **({} if positions is None else _position_json(positions[i].tolist())),
            )
            for i, (name, score, box, track) in enumerate(
                zip(names, result.scores, boxes, tracks, strict=True)
            )
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
            positions=_any(items, "position", [0.0, 0.0, 0.0]),
            colors=_any(items, "color", ""),
            masks=_masks(_any(items, "polygons", [])),
        )


class DetectTask(ObjectTask[DetectSettings]):
    """Objects: boxes, classes and scores."""

    name = "detect"
    settings = DetectSettings

    def open(self, settings: DetectSettings, how: OpenOptions) -> ObjectDetector:
        """Return a detector; see Task. OpenCV's own stands in for a trained model of auto."""
        return open_model(
            self.name, settings.model, ObjectDetector, how, settings.backend, built_in=BUILT_IN
        )


def _position_json(position: Sequence[float]) -> dict[str, Any]:
    """Return where something is, and how far away, to the millimeter; nothing if not known."""
    if not any(position):
        return {}
    rounded = [round(value, 3) for value in position]
    return {"distance": round(math.hypot(*position), 3), "position": rounded}


def _polygons_json(polygons: Sequence[Polygon]) -> list[list[float]]:
    return [rounded_pixels(line.ravel().tolist()) for line in polygons]


def _masks(outlines: Sequence[Sequence[Sequence[float]]] | None) -> tuple[Mask, ...] | None:
    """Return what _polygons_json() was given, of each object."""
    if outlines is None:
        return None
    return outlined_masks(
        [[np.array(line, np.float32).reshape(-1, 2) for line in lines] for lines in outlines]
    )


def _any(items: Sequence[Mapping[str, Any]], key: str, missing: Any) -> Any:
    """Return the values of a key, with something in place of those that lack it; None if all do."""
    if not any(key in item for item in items):
        return None
    return tuple(item.get(key, missing) for item in items)


def _tracks(found: Detections) -> list[int | None]:
    """Return the number of each object's track, None for one that has none."""
    if found.track_ids is None:
        return [None] * len(found)
    return [track if track >= 0 else None for track in found.track_ids.tolist()]
