"""What a scene says, before any words: counts, places, the faces, the texts, the whole picture.

Scene -> facts -> words. Facts are free of language and of pixels, so that one rule decides for
every language what is said and in which order.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from i2t_ros.language.places import Place, places_of
from i2t_ros.types import Detections, Scene, TextRegion

SURE = 0.5
"""Score from which something is stated; below it ``hedge`` says "probably"."""

SPOKEN_CLASS = 0.1
"""Probability from which the class of the whole picture is said; a classifier always has a best."""

SPOKEN_TEXTS = 6
"""Lines of text that a sentence reads out, the largest ones; the others are counted."""


@dataclass(frozen=True, slots=True)
class ObjectCount:
    """How many objects of one class there are (in one place, where ``place`` is set).

    class_id   the model's own label
    label      the class in the language asked for; the model's own label where none was
    max_score, min_score  of the objects counted, 0 to 1
    """

    class_id: str
    label: str
    count: int
    max_score: float
    min_score: float
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class ClassFact:
    """A class that the picture as a whole shows."""

    label: str
    score: float


@dataclass(frozen=True, slots=True)
class TextFact:
    """A line of text, and its translation where there is one; white space is single spaces."""

    text: str
    translation: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything there is to say of one picture; None for a task that did not run.

    objects         most first, then the largest, then the most certain
    classification  best first, those that are likely enough to be said
    faces           how many
    texts           in reading order; ``more_texts`` counts those beyond the largest few
    usable          False: the image could not be used at all, and there is nothing else
    """

    objects: tuple[ObjectCount, ...] | None = None
    classification: tuple[ClassFact, ...] | None = None
    faces: int | None = None
    texts: tuple[TextFact, ...] | None = None
    more_texts: int = 0
    usable: bool = True

    def __bool__(self) -> bool:
        """Say whether anything was found."""
        return bool(self.objects or self.classification or self.faces or self.texts)


UNUSABLE_IMAGE = Facts(usable=False)


def scene_facts(scene: Scene, *, with_places: bool = False) -> Facts:
    """Return what there is to say of a scene; ``with_places`` counts each place by itself."""
    objects = None
    if scene.detections is not None:
        size = (scene.width, scene.height) if with_places else None
        objects = tuple(_count(scene.detections, size))
    classification = None
    if (classes := scene.classification) is not None:
        pairs = zip(classes.labels, classes.scores, strict=True)
        classification = tuple(
            ClassFact(label, score) for label, score in pairs if score >= SPOKEN_CLASS
        )
    texts, more_texts = (None, 0) if scene.texts is None else _spoken_texts(scene.texts)
    return Facts(
        objects=objects,
        classification=classification,
        faces=None if scene.faces is None else len(scene.faces),
        texts=texts,
        more_texts=more_texts,
    )


def count_objects(detections: Detections) -> list[ObjectCount]:
    """Count the objects of each class: most first, then the largest, then the most certain.

    The order of the detections makes no difference. ``label`` is the model's own. Where objects
    are tracked, those without a track do not count: one frame alone is not to be believed.
    """
    return _count(detections, None)


@dataclass(slots=True)
class _Tally:
    """How many objects there are, the area of the largest, the best and the worst score."""

    count: int
    area: float
    max_score: float
    min_score: float


def _count(detections: Detections, size: tuple[int, int] | None) -> list[ObjectCount]:
    """Count by class, and by place in an image of ``size`` (width, height) where it is given."""
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
    return [
        ObjectCount(class_id, class_id, tally.count, tally.max_score, tally.min_score, place)
        for (class_id, place), tally in ranked
    ]


def _spoken_texts(regions: Sequence[TextRegion]) -> tuple[tuple[TextFact, ...], int]:
    """Return the largest lines, in reading order, and how many others there are."""
    readable = [region for region in regions if clean(region.text)]
    largest = sorted(readable, key=lambda region: (-_height(region), clean(region.text)))
    spoken = tuple(
        TextFact(clean(region.text), clean(region.translation))
        for region in reading_order(largest[:SPOKEN_TEXTS])
    )
    return spoken, len(readable) - len(spoken)


def clean(text: str) -> str:
    """Return a text on one line, with single spaces and nothing that cannot be printed."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def reading_order(regions: Sequence[TextRegion]) -> list[TextRegion]:
    """Sort lines of text from top to bottom, and from left to right within a row.

    Two lines are in one row where the middle of the lower one lies above the foot of the upper
    one; a sort by the top alone would read words of one row in the order of their tremor.
    """
    remaining = sorted(regions, key=lambda region: (*_centre(region)[::-1], clean(region.text)))
    ordered: list[TextRegion] = []
    while remaining:
        first = remaining[0]
        foot = _centre(first)[1] + _height(first) / 2
        row = [region for region in remaining if _centre(region)[1] < foot] or [first]
        ordered += sorted(row, key=lambda region: (*_centre(region), clean(region.text)))
        remaining = remaining[len(row) :]
    return ordered


def _centre(region: TextRegion) -> tuple[float, float]:
    x, y = region.corners.mean(axis=0).tolist()
    return x, y


def _height(region: TextRegion) -> float:
    """Return the height of the letters in pixels: the mean of the line's two short ends."""
    top_left, top_right, bottom_right, bottom_left = region.corners.tolist()
    return (math.dist(top_left, bottom_left) + math.dist(top_right, bottom_right)) / 2
