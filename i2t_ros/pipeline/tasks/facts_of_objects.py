"""What the task ``detect`` has to say of an image: how many objects of which class, and where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from i2t_ros.language.facts import ObjectCount, TaskFacts, count_objects
from i2t_ros.language.grammar import Language
from i2t_ros.language.places import Place
from i2t_ros.language.sentences import Style, Things, split, sure_and_unsure
from i2t_ros.types import Detections


@dataclass(frozen=True, slots=True)
class ObjectFacts(TaskFacts):
    """Counted objects: most first, then the largest, then the most certain."""

    section: ClassVar[str] = "objects"
    found: tuple[ObjectCount, ...]

    def sentences(self, language: Language, style: Style, hedge: bool) -> list[str]:
        """Return one sentence; in the style ``scene`` two, what is sure and then what is not."""
        if style == "scene":
            sure, unsure = split(self.found, hedge)
            phrases = (("plain", "group", sure), ("hedged", "group_hedged", unsure))
            return [
                _placed(objects, language, f"scene.{phrase}", f"scene.{group}")
                for phrase, group, objects in phrases
                if objects
            ]
        certain, doubtful = sure_and_unsure(self.found, language, style, hedge)
        total = certain.total + doubtful.total
        if certain and doubtful:
            fields = {"things": certain.text(), "hedged": doubtful.text()}
            return [language.phrase(f"{style}.mixed", total, **fields)]
        phrase = f"{style}.{'plain' if certain else 'hedged'}"
        return [language.phrase(phrase, total, things=(certain or doubtful).text())]


def facts(result: Detections, size: tuple[int, int], style: str) -> ObjectFacts:
    """Return the facts of an image of ``size`` (width, height in pixels).

    Only the style ``scene`` has places.
    """
    return ObjectFacts(count_objects(result, size if style == "scene" else None))


def _placed(
    objects: Sequence[ObjectCount], language: Language, phrase: str, group_phrase: str
) -> str:
    by_place: dict[Place, list[ObjectCount]] = {}
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
