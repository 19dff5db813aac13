"""Times of day in words: "twelve thirty", "de las doce y treinta a las ocho y cinco"."""

from collections.abc import Mapping
from typing import Any

from babel import Locale

from i2t_ros.language.numerals import number_words
from i2t_ros.language.spoken_data import spoken_words

Time = tuple[int, int]
"""Hour and minute."""


def time_words(time: Time, tag: str) -> str:
    """Return a time alone: "las ocho y cinco"."""
    return _form(spoken_words(tag)["alone"], time[0], tag).format(_clock(time, tag))


def time_range_words(first: Time, last: Time, tag: str) -> str:
    """Return from when to when."""
    words = spoken_words(tag)
    if not words["from"]:
        return str(words["to"]).format(time_words(first, tag), time_words(last, tag))
    parts = [
        _form(words[which], time[0], tag).format(_clock(time, tag, within=True))
        for which, time in (("from", first), ("until", last))
    ]
    return str(words["join"]).join(parts)


def _clock(time: Time, tag: str, *, within: bool = False) -> str:
    """Return a time without article or preposition; ``within`` a range it has the case of that."""
    words, (hour, minute) = spoken_words(tag), time
    how = (within and words["hours_to"]) or words["hours"]
    case: str = words["to_case"] if within else ""
    if isinstance(how, list):
        hours = how[hour]
    elif how == "counting":
        hours = number_words(hour, tag, counting=hour <= 12 or tag.startswith("zh"))
    else:
        hours = number_words(hour, tag, how, case)
    gender = words["minutes"]
    case = words["minutes_to"] if within else ""
    named = (within and words["minute_to"]) or words["minute"]
    minutes = _form(named, minute, tag).format(number_words(minute, tag, gender, case))
    whole = (within and words["hour_to"]) or words["hour"]
    template = words["time"] if minute else whole
    if 0 < minute < 10:
        template = words["early"] or template
    return _form(template, hour, tag).format(hours, minutes)


def _form(template: str | Mapping[str, str], number: int, tag: str) -> str:
    """Return the form of a template that an hour or a minute needs."""
    if isinstance(template, str):
        return template
    plural: Any = Locale.parse(tag, sep="-").plural_form
    return template.get(plural(number)) or template["other"]
