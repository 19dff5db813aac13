"""What Spanish needs beyond its data file: "y" becomes "e" before the sound of i.

"aguja e hilo", but "nieve y hielo", because that i starts a diphthong. Things start with their
number, and no number has that sound; lines of text from an image may.
"""

from __future__ import annotations

import re

# Quotation marks and other signs, a silent h, an i, and no vowel that makes a diphthong with it.
_SOUND_OF_I = re.compile(r"\W*h?[ií](?![aeouáéóú])", re.IGNORECASE)

_AND = re.compile(r"\by \{(\w+)\}")


def fill(template: str, fields: dict[str, str]) -> str:
    """Return the filled template, with "e" for "y" if the field after it requires that."""

    def conjunction(match: re.Match[str]) -> str:
        name = match[1]
        return f"{'e' if _SOUND_OF_I.match(fields[name]) else 'y'} {{{name}}}"

    return _AND.sub(conjunction, template).format_map(fields)
