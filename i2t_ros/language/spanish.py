"""What Spanish needs beyond its data file: "y" becomes "e" before the sound of i.

"aguja e hilo", but "nieve y hielo", where i only begins a diphthong. Things begin with their
number, none with that sound; lines of text that were read may.
"""

from __future__ import annotations

import re

# Quotation marks and other signs, an h that is not heard, an i, and no vowel with which that i
# would make a diphthong.
_SOUND_OF_I = re.compile(r"\W*h?[ií](?![aeouáéóú])", re.IGNORECASE)

_AND = re.compile(r"\by \{(\w+)\}")


def fill(template: str, fields: dict[str, str]) -> str:
    """Return the template with its fields, "e" for "y" where the field behind asks for it."""

    def conjunction(match: re.Match[str]) -> str:
        name = match[1]
        return f"{'e' if _SOUND_OF_I.match(fields[name]) else 'y'} {{{name}}}"

    return _AND.sub(conjunction, template).format_map(fields)
