"""What the task ``text`` has to say of an image: what is written in it, in reading order."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from i2t_ros.language.facts import TaskFacts, clean
from i2t_ros.language.grammar import Language
from i2t_ros.language.sentences import Style
from i2t_ros.types import TextRegion

SPOKEN_TEXTS = 6
"""Lines of text that a sentence reads out, the largest ones; the others are counted."""


@dataclass(frozen=True, slots=True)
class TextFact:
    """A line of text, and its translation if there is one; white space is single spaces."""

    key: str
    translation: str = ""
    count: int = 1


@dataclass(frozen=True, slots=True)
class TextFacts(TaskFacts):
    """Lines of text in reading order; ``more`` counts those beyond the largest few."""

    section: ClassVar[str] = "texts"
    found: tuple[TextFact, ...]
    more: int = 0

    def sentences(self, language: Language, style: Style, hedge: bool) -> list[str]:
        """Return a sentence that quotes the lines, and one that counts what it leaves out."""
        quoted = []
        for fact in self.found:
            text = language.phrase("texts.quote", text=fact.key)
            if fact.translation:
                translation = language.phrase("texts.quote", text=fact.translation)
                text = language.phrase("texts.translation", text=text, translation=translation)
            quoted.append(text)
        parts = [language.phrase("texts.plain", len(quoted), texts=language.join(quoted, "texts"))]
        if self.more:
            noun = language.noun("text")
            lines = language.count(noun, self.more, self.section, digits=style == "list")
            parts.append(language.phrase("texts.more", self.more, things=lines))
        return parts


def facts(result: Sequence[TextRegion], size: tuple[int, int], style: str) -> TextFacts:
    """Return the largest lines of an image, whatever its size and the style."""
    readable = [region for region in result if clean(region.text)]
    largest = sorted(readable, key=lambda region: (-_height(region), clean(region.text)))
    spoken = tuple(
        TextFact(clean(region.text), clean(region.translation))
        for region in reading_order(largest[:SPOKEN_TEXTS])
    )
    return TextFacts(spoken, len(readable) - len(spoken))


def reading_order(regions: Sequence[TextRegion]) -> list[TextRegion]:
    """Sort lines of text from top to bottom, and from left to right within a row.

    Two lines are in one row if the middle of the lower one lies above the foot of the upper one; a
    sort by the top alone would read words of one row in the order of their tremor.
    """
    remaining = sorted(regions, key=lambda region: (*_center(region)[::-1], clean(region.text)))
    ordered: list[TextRegion] = []
    while remaining:
        first = remaining[0]
        foot = _center(first)[1] + _height(first) / 2
        row = [region for region in remaining if _center(region)[1] < foot] or [first]
        ordered += sorted(row, key=lambda region: (*_center(region), clean(region.text)))
        remaining = remaining[len(row) :]
    return ordered


def _center(region: TextRegion) -> tuple[float, float]:
    # In plain Python, which is done with four corners before NumPy has begun.
    xs, ys = zip(*region.corners.tolist(), strict=True)
    return sum(xs) / 4, sum(ys) / 4


def _height(region: TextRegion) -> float:
    """Return the height of the letters in pixels: the mean of the line's two short ends."""
    top_left, top_right, bottom_right, bottom_left = region.corners.tolist()
    return (math.dist(top_left, bottom_left) + math.dist(top_right, bottom_right)) / 2
