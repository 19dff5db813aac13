"""The words by which the search of a report finds classes and numbers.

They are those of language.searching, so that the page understands and refuses what `i2t find` does.
"""

from collections.abc import Sequence
from typing import Any

from i2t_ros.language.counting_words import lexicon
from i2t_ros.language.grammar import Language
from i2t_ros.language.searching import own_words
from i2t_ros.recordings.asking import usual_classes

_VALUED = ("noun", "number", "counted", "alone")
"""Roles that are more than a flag."""


def search_words(language: Language, classes: Sequence[str]) -> dict[str, Any]:
    """Return the words of a language, as search.js reads them.

    Classes that may be asked for are numbered: first those of the report, then the usual ones.

    classes  of each, the numbers that it has in the report; none: the report does not have it
    labels   of each
    person   the one that measure words for people count; -1: none
    noun     phrase -> class, -1 if it may not be asked for, and the plural categories of the form
    number   phrase -> number
    counted  phrase -> class and number
    alone    noun that says by itself how many there are, as an Arabic dual -> how many
    flags    role -> the phrases that have it; see counting.yaml
    own      words with which the language itself says what there is
    """
    words = lexicon(language, (*classes, *usual_classes()))
    numbers = {key: number for number, key in enumerate(words.classes)}
    places: dict[str, list[int]] = {}
    for place, name in enumerate(classes):
        places.setdefault(language.noun(name).key, []).append(place)
    found: dict[str, Any] = {
        "language": words.tag,
        "cldr": words.cldr,
        "spaced": words.spaced,
        "gap": words.data.gap,
        "bare": bool(words.data.bare),
        "tail": words.tail.pattern if words.tail else "",
        "person": numbers.get(words.person, -1),
        "classes": [places.get(key, []) for key in numbers],
        "labels": [language.noun(name).label for name in words.classes.values()],
        "own": sorted(own_words(words, language)),
        "flags": {},
        **{role: {} for role in _VALUED},
    }
    for phrase, roles in sorted(words.phrases().items()):
        nouns = roles.get("noun", {})
        key = next((key for key in nouns if key in numbers), "")
        if nouns:
            found["noun"][phrase] = [numbers[key], sorted(nouns[key])] if key else [-1, []]
        if "number" in roles:
            found["number"][phrase] = roles["number"]
        if "counted" in roles:
            counted, number = roles["counted"]
            found["counted"][phrase] = [numbers.get(counted, -1), number]
        if alone := roles.get("alone", {}).get(key):
            found["alone"][phrase] = alone
        for flag in roles.keys() - set(_VALUED):
            found["flags"].setdefault(flag, []).append(phrase)
    found["flags"] = dict(sorted(found["flags"].items()))
    return found
