"""What the task ``faces`` has to say of an image: how many faces there are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from i2t_ros.language.facts import ObjectCount, TaskFacts
from i2t_ros.language.grammar import Language
from i2t_ros.language.sentences import Style, Things
from i2t_ros.types import Faces


@dataclass(frozen=True, slots=True)
class FaceFacts(TaskFacts):
    """The number of faces, as the count of a class of their own; empty if there is none."""

    section: ClassVar[str] = "faces"
    found: tuple[ObjectCount, ...]

    @classmethod
    def of(cls, number: int) -> FaceFacts:
        """Return the facts of so many faces."""
        return cls((ObjectCount("face", "face", number, 1.0, 1.0),) if number else ())

    def sentences(self, language: Language, style: Style, hedge: bool) -> list[str]:
        """Return one sentence; a face is never in doubt."""
        things = Things(self.found, language, style, self.section)
        return [language.phrase("faces.plain", things.total, things=things.text())]


def facts(result: Faces, size: tuple[int, int], style: str) -> FaceFacts:
    """Return the facts of an image, whatever its size and the style."""
    return FaceFacts.of(len(result))
