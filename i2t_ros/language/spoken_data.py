"""What symbols and times are called in each language, from config/spoken.yaml."""

import functools
from collections.abc import Mapping
from typing import Any

from babel.core import get_global

from i2t_ros.errors import InvalidRequestError
from i2t_ros.resources import config_path
from i2t_ros.validation import read_mapping

# A language that has no entry says nothing for a symbol, and the numbers of a time or a range.
_DEFAULTS: Mapping[str, Any] = {
    **dict.fromkeys(("and", "plus", "minus", "equals", "times", "over", "at", "slash", "dot"), ""),
    **dict.fromkeys(("point", "less", "more", "about", "cold", "to_case", "decimals"), ""),
    **dict.fromkeys(
        ("hours", "hours_to", "minutes", "minutes_to", "early", "hour_to", "from", "until"), ""
    ),
    "join": " ",
    "pause": ",",
    "between": "",
    "number": "{0}",
    "to": "{0} {1}",
    "alone": "{0}",
    "minute": "{0}",
    "minute_to": "",
    "hour": "{0}",
    "time": "{0} {1}",
    "price": "{0} {1}",
    "repeat": "",
    **{key: {} for key in ("units", "currencies", "hundredths")},
    **{key: [] for key in ("feminine", "counters", "digits", "oclock")},
}


@functools.cache
def spoken_words(tag: str) -> Mapping[str, Any]:
    """Return the words for ``tag``: those of its language, with those of the variety over them."""
    known, parts = _file(), tag.replace("_", "-").split("-")
    tags = ["-".join(parts[: length + 1]) for length in range(len(parts))]
    parent = get_global("parent_exceptions").get(tag.replace("-", "_"), "")  # es-MX: es_419
    words = dict(_DEFAULTS)
    for each in (tags[0], parent.replace("_", "-"), *tags[1:]):
        words |= known.get(each, {})
    return words


@functools.cache
def _file() -> Mapping[str, Any]:
    return read_mapping(config_path("spoken.yaml"), InvalidRequestError)
