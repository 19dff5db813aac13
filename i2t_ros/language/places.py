"""Words for the style ``scene``: what is where, one place after the other."""

from collections.abc import Collection, Mapping, Sequence, Set

from i2t_ros.language.facts import ObjectCount
from i2t_ros.language.grammar import Language
from i2t_ros.language.sentences import Things


def say_places(
    sure: Sequence[ObjectCount], unsure: Sequence[ObjectCount], language: Language
) -> list[str]:
    """Return what is where: a sentence for what is sure, and one for what is not.

    Places come in the order in which their first thing is counted; those of which a count has none
    are the middle.
    """
    beside = {fact.place for fact in (*sure, *unsure)}
    certain, doubtful = (_by_place(part, language, beside) for part in (sure, unsure))
    largest = max(things.largest for part in (certain, doubtful) for things in part.values())
    sentences = [_placed(certain, language, "", largest)] if certain else []
    if doubtful:
        kind = "also" if certain else "hedged"
        sentences.append(_placed(doubtful, language, kind, largest, said=certain.keys()))
    return sentences


def _by_place(
    objects: Sequence[ObjectCount], language: Language, beside: Set[str]
) -> dict[str, Things]:
    """Return what is in each place, by the names of ``Language.places``.

    The foreground alone is its middle, but not beside its left or right, which it has too.
    """
    facts: dict[str, list[ObjectCount]] = {}
    for fact in objects:
        side, _, depth = fact.place.partition("_")
        if depth and side == "middle" and beside & {f"left_{depth}", f"right_{depth}"}:
            side = "center"
        name = f"{side}_{depth}" if depth else side or "middle"
        facts.setdefault(name, []).append(fact)
    return {place: Things(there, language, "scene") for place, there in facts.items()}


def _placed(
    places: Mapping[str, Things],
    language: Language,
    kind: str,
    largest: int,
    said: Collection[str] = (),
) -> str:
    """Return what is where.

    The verb of the first place agrees with what stands next to it: "there is a dog and two cats".

    kind     empty, or "hedged", or "also": hedged, after a sentence about what is certain
    largest  the largest count of all that is said
    said     the places of that sentence: of another one, "also" would be wrong
    """
    first_place, first = next(iter(places.items()))
    suffix = {"": "", "hedged": "_hedged", "also": "_also"}[kind]
    if kind == "also" and first_place not in said:
        suffix = "_hedged"
    groups = []
    for place, things in places.items():
        fields = {
            "things": things.text(
                largest,
                within=len(places) > 1,
                phrases=("scene.first", "scene.plain") if len(places) == 1 else (),
            ),
            "place": language.places[place],
        }
        name, number = f"group{'_hedged' if kind else ''}", things.total
        if place == first_place:
            name, number = f"first{suffix}", things.first
        groups.append(language.phrase(f"scene.{name}", number, things.gender, **fields))
    nested = any(len(things) > 1 for things in places.values())
    text = language.join(groups, "nested" if nested else "groups")
    return language.phrase(f"scene.{kind or 'plain'}", first.first, first.gender, things=text)
