"""What the task ``classify`` has to say of an image: the class of the picture as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from i2t_ros.language.facts import SURE, TaskFacts
from i2t_ros.language.grammar import Language
from i2t_ros.language.sentences import Style
from i2t_ros.types import Classification

SPOKEN_CLASS = 0.1
"""Probability from which the class of the whole picture is said; a classifier always has a best."""


@dataclass(frozen=True, slots=True)
class ClassFact:
    """A class that the picture as a whole shows; ``score`` is 0 to 1."""

    key: str
    score: float
    count: int = 1


@dataclass(frozen=True, slots=True)
class ClassFacts(TaskFacts):
    """The most likely class; empty if none is likely enough to be said."""

    section: ClassVar[str] = "classification"
    found: tuple[ClassFact, ...]

    def sentences(self, language: Language, style: Style, hedge: bool) -> list[str]:
        """Return one sentence, the same in every style."""
        best = self.found[0]
        phrase = "hedged" if hedge and best.score < SURE else "plain"
        label = language.noun(best.key).label
        return [language.phrase(f"classification.{phrase}", label=label)]


def facts(result: Classification, size: tuple[int, int], style: str) -> ClassFacts:
    """Return the facts of an image, whatever its size and the style."""
    best = list(zip(result.labels, result.scores, strict=True))[:1]
    return ClassFacts(
        tuple(ClassFact(label, score) for label, score in best if score >= SPOKEN_CLASS)
    )
