"""What English needs beyond its data file: plurals and articles of labels that it lacks.

``inflect`` knows them. It takes most of a second to import and none of the labels in
config/languages/en.yaml need it, so it is imported with the first label that does. Where it is
not installed, spelling alone decides: right for most words ("forklifts", "an apple"), wrong for
irregular ones ("childs", "an unicorn"); a label file of one's own settles those.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import inflect


@functools.lru_cache(maxsize=4096)
def plural(word: str) -> str:
    """Return the plural of a noun, "forklift" -> "forklifts"."""
    last = re.split(r"[\s-]", word)[-1]
    if last == last.upper():  # inflect shouts back at acronyms: "AGVS"
        return word + "s"
    engine = _engine()
    return _spelled_plural(word) if engine is None else str(engine.plural_noun(word))


@functools.lru_cache(maxsize=4096)
def article(word: str) -> str:
    """Return "a" or "an", whichever a noun takes."""
    engine = _engine()
    if engine is None:
        return "an" if word[:1].lower() in "aeiou" else "a"
    return str(engine.a(word)).split(" ", 1)[0]


@functools.cache
def _engine() -> inflect.engine | None:
    try:
        import inflect  # noqa: PLC0415  # see the head of this module
    except ImportError:
        return None
    return inflect.engine()


def _spelled_plural(word: str) -> str:
    if re.search(r"(s|x|z|ch|sh)$", word):
        return word + "es"
    if re.search(r"[^aeiou]y$", word):
        return word[:-1] + "ies"
    return word + "s"
