"""What an image shows, before any words: what each task found, how many of each, and where.

Result -> facts -> words. Facts have neither words nor pixels, so one rule decides for all languages
what is said and in which order.
"""

import math
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import ClassVar, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from i2t_ros.errors import UnknownStyleError
from i2t_ros.language.grammar import Language
from i2t_ros.types import Detections

Style = Literal["list", "sentence", "scene", "changes", "caption"]
STYLES: tuple[Style, ...] = get_args(Style)
"""The styles of a sentence."""
OWN_STYLES = tuple(style for style in STYLES if style != "caption")
"""Those whose words are made here, and not by a language model."""

SURE = 0.5
"""Scores from here on count as certain; below, ``hedge`` says "probably"."""

PLACES = tuple(map("".join, product(("left", "middle", "right"), ("_near", "", "_far"))))
"""Where in the picture something is.

Left, middle, right: the third of the picture in which the center of the box lies. Depth is what
people would say of a picture, not a measurement:

near   the box covers at least a quarter of the picture
far    the box is lower than a tenth of the picture, and the class is about a meter tall or more.
       With a vertical field of view of 50 degrees, height / (2 tan 25 deg) / 0.1 puts a person at
       18 m and a bicycle at 11 m. Small things are never far: their boxes are small close by, too.
"""
NEAR_AREA = 1 / 4
FAR_HEIGHT = 1 / 10

# Names of COCO and VOC; a class that is not listed is never far.
_TALL = """
person bicycle car motorcycle motorbike airplane aeroplane bus train truck boat
horse cow elephant bear zebra giraffe
"""
TALL = frozenset(_TALL.split())


def check_style(style: str) -> Style:
    """Return ``style``, or raise UnknownStyleError if there is no style of that name."""
    if style in STYLES:
        return style
    raise UnknownStyleError(f"style {style!r}: there is {', '.join(STYLES)}")


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that a task found, and how many; ``key`` identifies it in the next image."""

    key: str
    count: int = 1


@dataclass(frozen=True, slots=True)
class ObjectCount(Fact):
    """How many objects of one class there are (in one place, if ``place`` is set).

    key        the class, by the model's own label
    max_score, min_score  of the counted objects, 0 to 1
    place      one of PLACES, or empty
    distance   the mean of the counted objects', in meters; 0: not known
    colors     how many of them have which color, most first; only colors that stand out
    """

    max_score: float = 1.0
    min_score: float = 1.0
    place: str = ""
    distance: float = 0.0
    colors: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class TaskFacts(ABC):
    """What one task found in one image; each task has a subclass. False: it found nothing.

    section  the section of its phrases in the language files, such as "faces". If only this task
             ran and it found nothing, the sentence is its phrase "faces.empty", if there is one
    whole    whether its sentences tell what the whole picture shows. They are said in the style
             ``caption``, in place of all others, and in every style if nothing else is there
    found    in the order in which to say it. The style ``changes`` adds up the ObjectCount facts of
             all tasks
    """

    section: ClassVar[str]
    whole: ClassVar[bool] = False
    found: tuple[Fact, ...]

    def __bool__(self) -> bool:
        return bool(self.found)

    @abstractmethod
    def sentences(self, language: Language, style: Style, hedge: bool) -> list[str]:
        """Return what was found, in words; called only if something was found.

        The style ``changes`` calls this only for tasks whose facts have no ObjectCount.
        """


@dataclass(slots=True)
class _Tally:
    """Objects that are counted together; ``largest`` is an area."""

    count: int = 0
    largest: int = 0
    best: float = 0.0
    worst: float = 1.0
    away: float = 0.0
    colors: Counter[str] = field(default_factory=Counter)

    def add(self, area: int, score: float, away: float, color: str) -> None:
        """Count one more."""
        self.count += 1
        self.largest, self.best = max(self.largest, area), max(self.best, score)
        self.worst = min(self.worst, score)
        self.away += away
        if color:
            self.colors[color] += 1

    def fact(self, name: str, place: str) -> ObjectCount:
        """Return what was counted."""
        colors = sorted(self.colors.items(), key=lambda item: (-item[1], item[0]))
        away = self.away / self.count
        return ObjectCount(name, self.count, self.best, self.worst, place, away, tuple(colors))


def count_objects(
    detections: Detections, size: tuple[int, int] | None = None
) -> tuple[ObjectCount, ...]:
    """Count the objects of each class: most first, then the largest, then the most certain.

    The order of the detections makes no difference. If objects are tracked, only those with a track
    count, because a single frame is not reliable. If ``size`` (width, height of the image in
    pixels) is given, each place is counted separately, and in it each distance that people would
    tell apart. Of what has a distance, the place is only its side; the nearest comes first.
    """
    if detections.track_ids is not None:
        detections = detections[detections.track_ids >= 0]
    boxes, classes = detections.boxes, detections.class_names()
    # In whole tenths of a pixel, as in JSON: read from there, the same objects rank the same.
    tenths = np.rint(boxes.astype(np.float64) * 10).astype(np.int64)
    sides = tenths[:, 2:] - tenths[:, :2]
    areas, scores = (sides[:, 0] * sides[:, 1]).tolist(), detections.scores.tolist()
    places = places_of(boxes, classes, *size) if size else [""] * len(classes)
    distances = detections.distances()
    away = [0.0] * len(classes) if distances is None else distances.tolist()
    colors = detections.colors or ("",) * len(classes)
    tallies: dict[tuple[str, str, float], _Tally] = {}
    rows = zip(classes, places, away, areas, scores, colors, strict=True)
    for name, place, distance, area, score, color in rows:
        side, step = place, 0.0
        if size and distance:
            side, step = place.partition("_")[0], rounded_meters(distance)
        tally = tallies.setdefault((name, side, step), _Tally())
        tally.add(area, score, distance if step else 0.0, color)
    # What has no distance comes last, and has a step of 0.
    ranked = sorted(
        tallies.items(),
        key=lambda item: (
            *(item[0][2] or math.inf, -item[1].count),
            *(-item[1].largest, -item[1].best, *item[0]),
        ),
    )
    return tuple(tally.fact(name, place) for (name, place, _), tally in ranked)


def rounded_meters(distance: float) -> float:
    """Return a distance as people say it: by halves below 3 m, then whole, from 10 m on by tens.

    At least half a meter. Halfway values go to the even step, as round() has it.
    """
    if distance < 2.75:
        return max(0.5, round(2 * distance) / 2)
    return float(round(distance) if distance < 10 else 10 * round(distance / 10))


def places_of(
    boxes: NDArray[np.float32], classes: Sequence[str], width: int, height: int
) -> list[str]:
    """Return the place of each box, (N, 4) xyxy in pixels, in an image of width x height."""
    left, top, right, bottom = boxes.T
    thirds = np.clip((left + right) / 2 * 3 / width, 0, 2.5).astype(np.intp)
    near = (right - left) * (bottom - top) >= NEAR_AREA * width * height
    low = bottom - top < FAR_HEIGHT * height
    return [
        PLACES[3 * third + (0 if is_near else 2 if is_low and name in TALL else 1)]
        for third, is_near, is_low, name in zip(
            thirds.tolist(), near.tolist(), low.tolist(), classes, strict=True
        )
    ]
