"""What Korean needs beyond its data file: particles that follow the sound before them.

A template writes both forms, as Korean software does: ``{things}이(가)``. After a syllable that
ends in a consonant the first is right, after a vowel the one in brackets. Where the sound is
unknown (foreign letters) both forms stay, which is how Korean writes it then.
"""

from __future__ import annotations

import re

# Both forms as written -> after a consonant, after a vowel.
PARTICLES = {
    "이(가)": ("이", "가"),
    "을(를)": ("을", "를"),
    "은(는)": ("은", "는"),
    "과(와)": ("과", "와"),
}

_FIELD = re.compile(r"\{(\w+)\}(" + "|".join(map(re.escape, PARTICLES)) + ")")

# Sino-Korean readings that end in a consonant: 영 일 삼 육 칠 팔. Tens and hundreds end in zero and
# are read 십, 백, ..., which end in one too.
_CLOSED_DIGITS = "013678"


def fill(template: str, fields: dict[str, str]) -> str:
    """Return the template with its fields, each particle in the form that its field asks for."""

    def with_particle(match: re.Match[str]) -> str:
        name, particle = match.groups()
        return f"{{{name}}}{_particle(fields[name], particle)}"

    return _FIELD.sub(with_particle, template).format_map(fields)


def _particle(word: str, particle: str) -> str:
    closed = _ends_in_consonant(word)
    if closed is None:
        return particle
    return PARTICLES[particle][0 if closed else 1]


def _ends_in_consonant(word: str) -> bool | None:
    last = word[-1:]
    if "가" <= last <= "힣":
        # Precomposed syllables are laid out 28 to a vowel, the first of each without a final
        # consonant: The Unicode Standard, section 3.12.
        return (ord(last) - ord("가")) % 28 != 0
    if last.isascii() and last.isdigit():
        return last in _CLOSED_DIGITS
    return None
