"""Words for how far away something is: "two meters ahead on the left"."""

import copy
from functools import lru_cache
from typing import Literal, get_args

from i2t_ros.errors import InvalidRequestError
from i2t_ros.language.facts import rounded_meters
from i2t_ros.language.grammar import Language
from i2t_ros.language.tags import LONGEST_TAG, tag_key

DistanceUnit = Literal["auto", "meters", "feet"]
DISTANCE_UNITS: tuple[DistanceUnit, ...] = get_args(DistanceUnit)
"""In what distances are said; auto: what the region of the language's tag uses."""

FOOT = 0.3048
"""Meters; exactly so since 1959 (https://doi.org/10.6028/NIST.SP.811e2008, appendix B.6)."""

_IN_FEET = frozenset({"us", "lr", "mm"})
"""Regions whose measurement system is "US" in CLDR, which Babel does not have:
https://github.com/unicode-org/cldr/blob/main/common/supplemental/supplementalData.xml"""

_HALVES = {0.5: "half_meter", 1.5: "one_and_a_half_meters", 2.5: "two_and_a_half_meters"}


@lru_cache(1024)
def unit_of(tag: str) -> str:
    """Return "feet" if a tag names a region that measures in them, else "meters".

    So "en-US" has feet; "en" names no region and has meters.
    """
    subtags = tag_key(tag[:LONGEST_TAG]).split("-")[1:]
    if subtags and len(subtags[0]) == 4:  # a script
        del subtags[0]
    return "feet" if subtags and subtags[0] in _IN_FEET else "meters"


def unit_for(unit: str, tag: str) -> str:
    """Return "meters" or "feet" for one of DISTANCE_UNITS and the tag of a language.

    Raises InvalidRequestError for any other unit.
    """
    if unit not in DISTANCE_UNITS:
        raise InvalidRequestError(
            f"distance_unit: expected one of {', '.join(DISTANCE_UNITS)}, got {unit!r}"
        )
    return unit_of(tag) if unit == "auto" else unit


def measuring(language: Language, unit: str) -> Language:
    """Return a language, or its voice, that says distances in "meters" or "feet"."""
    if language.unit == unit:
        return language
    language = copy.copy(language)
    language.unit = unit
    return language


def rounded(meters: float, unit: str) -> float:
    """Return a distance in a unit, as people say it.

    meters  as rounded_meters() has it
    feet    whole below 10, then by fives, from 30 on by tens; at least one

    Halfway values go to the even step.
    """
    if unit == "meters":
        return rounded_meters(meters)
    feet = meters / FOOT
    step = 1 if feet < 9.5 else 5 if feet < 27.5 else 10
    return float(max(1, step * round(feet / step)))


def place_words(side: str, distance: float, language: Language, largest: float) -> str:
    """Return where something is, "two meters ahead on the left".

    side      left, middle or right
    distance  in the language's unit, rounded
    largest   the largest distance of all that is said
    """
    if name := _HALVES.get(distance):
        text = language.phrase(f"distance.{name}")
    else:
        number = int(distance)
        text = language.phrase(
            f"distance.{language.unit}", number, number=_number(number, language, int(largest))
        )
    return language.phrase(f"distance.{side}", distance=text)


def _number(number: int, language: Language, largest: int) -> str:
    measure = language.measures[language.unit]
    known = number in measure.words
    if not language.aloud and not (known and language.numerals("scene", largest) == "usual"):
        return str(number)
    if known:
        return measure.words[number]
    from i2t_ros.language.numerals import number_words  # noqa: PLC0415  # most never ask

    return number_words(number, language.cldr, measure.gender, measure.case)
