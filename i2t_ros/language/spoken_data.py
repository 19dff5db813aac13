"""What symbols and times are called in each language, from config/spoken.yaml."""

import functools
from collections.abc import Mapping
from typing import Any

from i2t_ros.errors import InvalidRequestError
from i2t_ros.resources import config_path
from i2t_ros.validation import read_mapping

# A language that has no entry says nothing for a symbol, and the numbers of a time or a range.
_DEFAULTS: Mapping[str, Any] = {
    **dict.fromkeys(
        ("and", "plus", "minus", "equals", "times", "over", "at", "slash", "number"), ""
    ),
    **dict.fromkeys(("point", "less", "more", "about", "hours", "percent", "price", "to_case"), ""),
    "join": " ",
    "pause": ",",
    "to": "{0} {1}",
    "hour": "{0}",
    "time": "{0} {1}",
    "early": "",
    "units": {},
    "feminine": [],
    "counters": [],
}


@functools.cache
def spoken_words(tag: str) -> Mapping[str, Any]:
    """Return the words for ``tag``: those of its language, with those of the variety over them."""
    known = _file()
    words, parts = dict(_DEFAULTS), tag.replace("_", "-").split("-")
    for length in range(1, len(parts) + 1):
        words |= known.get("-".join(parts[:length]), {})
    return words


@functools.cache
def _file() -> Mapping[str, Any]:
    return read_mapping(config_path("spoken.yaml"), InvalidRequestError)
