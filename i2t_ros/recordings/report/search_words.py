"""The words by which the search of a report finds classes and numbers.

They are those of language.counting, so that the page reads "two dogs" as `i2t find` does.
"""

from collections.abc import Sequence
from typing import Any

from i2t_ros.language.counting_words import lexicon
from i2t_ros.language.grammar import Language

_FLAGS = ("within", "counters", "people", "zero", "zero_behind", "linked", "of")
"""Roles that a word has or has not; search.js uses them."""


def search_words(language: Language, classes: Sequence[str]) -> dict[str, Any]:
    """Return the words of a language, as search.js reads them.

    nouns    phrase -> for each noun that it may be, the numbers of its classes in the report; an
             empty list is a class that the report does not have
    numbers  phrase -> number
    counted  phrase -> the numbers of the classes, and how many
    others   phrases that belong to no noun
    alone    noun that says by itself how many there are, as an Arabic dual -> how many
    """
    words = lexicon(language, tuple(classes))
    places: dict[str, list[int]] = {}
    for place, name in enumerate(classes):
        places.setdefault(language.noun(name).key, []).append(place)
    found: dict[str, Any] = {
        "language": words.tag,
        "spaced": words.spaced,
        "gap": words.data.gap,
        "tail": words.data.tail if words.tag == "ko" else "",
        "person": places.get(words.person, []),
        "nouns": {},
        "numbers": {},
        "counted": {},
        "alone": {},
        "others": [],
        **{flag: [] for flag in _FLAGS},
    }
    for phrase, roles in sorted(words.phrases().items()):
        if nouns := roles.get("noun"):
            known = [key for key in sorted(nouns) if key in places]
            found["nouns"][phrase] = places[known[0]] if known else []
        if "number" in roles:
            found["numbers"][phrase] = roles["number"]
        if "counted" in roles:
            key, number = roles["counted"]
            found["counted"][phrase] = [places.get(key, []), number]
        if alone := [roles["alone"][key] for key in sorted(roles.get("alone", {}))]:
            found["alone"][phrase] = alone[0]
        flags = [flag for flag in _FLAGS if flag in roles]
        for flag in flags:
            found[flag].append(phrase)
        if not flags and roles.keys().isdisjoint(("noun", "number", "counted")):
            found["others"].append(phrase)
    return found
