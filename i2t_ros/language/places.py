"""Words for the style ``scene``: what is where, one place after the other."""

from collections.abc import Collection, Mapping, Sequence, Set
from typing import NamedTuple

from i2t_ros.language.distances import place_words, rounded
from i2t_ros.language.facts import ObjectCount
from i2t_ros.language.grammar import Language
from i2t_ros.language.sentences import Things


class _Place(NamedTuple):
    """Where something is.

    name      of ``Language.places``; left, middle or right if the distance is known
    distance  in the language's unit, rounded; 0: not known
    """

    name: str
    distance: float

    @property
    def section(self) -> str:
        """The section of its phrases."""
        return "distance" if self.distance else "scene"


def say_places(
    sure: Sequence[ObjectCount], unsure: Sequence[ObjectCount], language: Language
) -> list[str]:
    """Return what is where: a sentence for what is sure, and one for what is not.

    Places come in the order in which their first thing is counted; those of which a count has none
    are the middle. At each distance that people tell apart there is a place of its own.
    """
    beside = {fact.place for fact in (*sure, *unsure) if not fact.distance}
    certain, doubtful = (_by_place(part, language, beside) for part in (sure, unsure))
    parts = [item for part in (certain, doubtful) for item in part.items()]
    largest = max(things.largest for _, things in parts), max(place.distance for place, _ in parts)
    sentences = [_placed(certain, language, "", largest)] if certain else []
    if doubtful:
        kind = "also" if certain else "hedged"
        sentences.append(_placed(doubtful, language, kind, largest, said=certain.keys()))
    return sentences


def _by_place(
    objects: Sequence[ObjectCount], language: Language, beside: Set[str]
) -> dict[_Place, Things]:
    """Return what is in each place.

    The foreground alone is its middle, but not beside its left or right, which it has too.
    """
    facts: dict[_Place, list[ObjectCount]] = {}
    for fact in objects:
        side, _, depth = fact.place.partition("_")
        distance = rounded(fact.distance, language.unit) if fact.distance else 0.0
        if distance:
            depth = ""
        if depth and side == "middle" and beside & {f"left_{depth}", f"right_{depth}"}:
            side = "center"
        name = f"{side}_{depth}" if depth else side or "middle"
        facts.setdefault(_Place(name, distance), []).append(fact)
    return {place: Things(there, language, "scene") for place, there in facts.items()}


def _placed(
    places: Mapping[_Place, Things],
    language: Language,
    kind: str,
    largest: tuple[int, float],
    said: Collection[_Place] = (),
) -> str:
    """Return what is where.

    The verb of the first place agrees with what stands next to it: "there is a dog and two cats".

    kind     empty, or "hedged", or "also": hedged, after a sentence about what is certain
    largest  the largest count and the largest distance of all that is said
    said     the places of that sentence: of another one, "also" would be wrong
    """
    first_place, first = next(iter(places.items()))
    suffix = {"": "", "hedged": "_hedged", "also": "_also"}[kind]
    if kind == "also" and first_place not in said:
        suffix = "_hedged"
    groups = []
    for place, things in places.items():
        where = language.places[place.name]
        if place.distance:
            where = place_words(*place, language, largest[1])
        ends = () if place.distance or len(places) > 1 else ("scene.first", "scene.plain")
        counted = things.text(largest[0], within=len(places) > 1, phrases=ends)
        fields = {"things": counted, "place": where}
        name, number = f"group{'_hedged' if kind else ''}", things.total
        if place == first_place:
            name, number = f"first{suffix}", things.first
        groups.append(language.phrase(f"{place.section}.{name}", number, things.gender, **fields))
    joined = "distances" if all(place.distance for place in places) else "groups"
    if any(len(things) > 1 for things in places.values()):
        joined = "nested"
    text = language.join(groups, joined)
    return language.phrase(f"scene.{kind or 'plain'}", first.first, first.gender, things=text)
