"""What an image shows, before any words: what a task found, and how many of each.

Result -> facts -> words. Facts are free of language and of pixels, so that one rule decides for
every language what is said and in which order.
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
"""How a sentence is put."""

SURE = 0.5
"""Score from which something is stated; below it ``hedge`` says "probably"."""


class Fact(Protocol):
    """One thing that a task found; a frozen dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def key(self) -> str:
        """What makes it the same thing in the next image."""
        ...

    @property
    def count(self) -> int:
        """How many of it there are."""
        ...


@dataclass(frozen=True, slots=True)
class ObjectCount:
    """How many objects of one class there are (in one place, if ``place`` is set).

    class_id   the model's own label
    label      the class in the language asked for; the model's own label if none was
    max_score, min_score  of the objects counted, 0 to 1
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
    """What one task has to say of one image. Each task has a subclass; false: nothing was found.

    section  the name of its phrases in the language files, such as "faces". If this task alone
             looked and found nothing, "faces.empty" is said, if the language has that phrase
    found    in the order in which it is said. The style ``changes`` counts every ObjectCount
             together with those of the other tasks
    """

    section: ClassVar[str]
    found: tuple[Fact, ...]

    def __bool__(self) -> bool:
        return bool(self.found)

    @abstractmethod
    def sentences(self, language: Language, style: Style, hedge: bool) -> list[str]:
        """Return what was found, in words; called only if there is something.

        In the style ``changes`` only a task that found no ObjectCount is asked.
        """


def count_objects(
    detections: Detections, size: tuple[int, int] | None = None
) -> tuple[ObjectCount, ...]:
    """Count the objects of each class: most first, then the largest, then the most certain.

    The order of the detections makes no difference. ``label`` is the model's own. If objects are
    tracked, those without a track do not count: one frame alone is not to be believed. With the
    ``size`` of the image (width, height in pixels), each place is counted by itself.
    """
    if detections.track_ids is not None:
        detections = detections[detections.track_ids >= 0]
    boxes = detections.boxes
    # In the boxes' own 32 bits: in 64, the rounding of boxes of one size would order their classes.
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
