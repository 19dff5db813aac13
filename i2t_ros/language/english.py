"""What English needs beyond its data file: plurals and articles of labels that the file lacks.

``inflect`` knows them. Its import takes most of a second and no label of config/languages/en.yaml
needs it, so it is imported for the first label that does. If it is not installed, the spelling
decides: right for most words ("forklifts", "an apple"), wrong for irregular ones ("childs", "an
unicorn"). A user's own language file can correct those.
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
    if last == last.upper():  # inflect makes "AGVS" of the acronym AGV
        return word + "s"
    inflector = _inflector()
    return _spelled_plural(word) if inflector is None else str(inflector.plural_noun(word))


@functools.lru_cache(maxsize=4096)
def article(word: str) -> str:
    """Return the article of a noun, "a" or "an"."""
    inflector = _inflector()
    if inflector is None:
        return "an" if word[:1].lower() in "aeiou" else "a"
    return str(inflector.a(word)).split(" ", 1)[0]


@functools.cache
def _inflector() -> inflect.engine | None:
    try:
        import inflect  # noqa: PLC0415  # see above
    except ImportError:
        return None
    return inflect.engine()


def _spelled_plural(word: str) -> str:
    if re.search(r"(s|x|z|ch|sh)$", word):
        return word + "es"
    if re.search(r"[^aeiou]y$", word):
        return word[:-1] + "ies"
    return word + "s"
