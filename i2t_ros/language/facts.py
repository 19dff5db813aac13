"""What an image shows, before any words: what each task found, and how many of each.

Result -> facts -> words. Facts have neither words nor pixels, so one rule decides for all languages
what is said and in which order.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol, get_args

from i2t_ros.language.grammar import Language
from i2t_ros.language.places import Place, places_of
from i2t_ros.types import Detections

Style = Literal["list", "sentence", "scene", "changes"]
STYLES: tuple[Style, ...] = get_args(Style)
"""The styles of a sentence."""

SURE = 0.5
"""Scores from here on count as certain; below, ``hedge`` says "probably"."""


class Fact(Protocol):
    """One thing that a task found; a frozen dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def key(self) -> str:
        """What identifies the same thing in the next image."""
        ...

    @property
    def count(self) -> int:
        """How many there are."""
        ...


@dataclass(frozen=True, slots=True)
class ObjectCount:
    """How many objects of one class there are (in one place, if ``place`` is set).

    class_id   the model's own label
    label      the class in the requested language; the model's own label if there is none
    max_score, min_score  of the counted objects, 0 to 1
    """

    class_id: str
    label: str
    count: int
    max_score: float
    min_score: float
    place: Place | None = None

    @property
    def key(self) -> str:
        """The class."""
        return self.class_id


@dataclass(frozen=True, slots=True)
class TaskFacts(ABC):
    """What one task found in one image; each task has a subclass. False: it found nothing.

    section  the section of its phrases in the language files, such as "faces". If only this task
             ran and it found nothing, the sentence is its phrase "faces.empty", if there is one
    found    in the order in which to say it. The style ``changes`` adds up the ObjectCount facts of
             all tasks
    """

    section: ClassVar[str]
    found: tuple[Fact, ...]

    def __bool__(self) -> bool:
        return bool(self.found)

    @abstractmethod
    def sentences(self, language: Language, style: Style, hedge: bool) -> list[str]:
        """Return what was found, in words; called only if something was found.

        The style ``changes`` calls this only for tasks whose facts have no ObjectCount.
        """


def count_objects(
    detections: Detections, size: tuple[int, int] | None = None
) -> tuple[ObjectCount, ...]:
    """Count the objects of each class: most first, then the largest, then the most certain.

    The order of the detections makes no difference. ``label`` is the model's own. If objects are
    tracked, only those with a track count, because a single frame is not reliable. If ``size``
    (width, height of the image in pixels) is given, each place is counted separately.
    """
    if detections.track_ids is not None:
        detections = detections[detections.track_ids >= 0]
    boxes = detections.boxes
    # In float32, as the boxes are: in float64, rounding would rank boxes of the same size.
    sides = boxes[:, 2:] - boxes[:, :2]
    areas = (sides[:, 0] * sides[:, 1]).tolist()
    classes = detections.class_names()
    places: Iterable[Place | None] = [None] * len(classes)
    if size is not None:
        places = places_of(boxes, classes, *size)
    tallies: dict[tuple[str, Place | None], _Tally] = {}
    keys = zip(classes, places, strict=True)
    for key, area, score in zip(keys, areas, detections.scores.tolist(), strict=True):
        tally = tallies.get(key)
        if tally is None:
            tallies[key] = _Tally(1, area, score, score)
            continue
        tally.count += 1
        tally.area = max(tally.area, area)
        tally.max_score = max(tally.max_score, score)
        tally.min_score = min(tally.min_score, score)
    ranked = sorted(
        tallies.items(),
        key=lambda item: (-item[1].count, -item[1].area, -item[1].max_score, item[0]),
    )
    return tuple(
        ObjectCount(class_id, class_id, tally.count, tally.max_score, tally.min_score, place)
        for (class_id, place), tally in ranked
    )


@dataclass(slots=True)
class _Tally:
    """How many objects there are, the area of the largest, the best and the worst score."""

    count: int
    area: float
    max_score: float
    min_score: float
