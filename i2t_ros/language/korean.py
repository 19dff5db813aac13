"""What Korean needs beyond its data file: particles depend on the sound before them.

A template has both forms, as is usual in Korean software: ``{things}이(가)``. The first is right
after a syllable that ends in a consonant, and the one in parentheses after a vowel. If the sound is
unknown (foreign letters), both forms stay, as Korean writes it then.
"""

from __future__ import annotations

import re

# Both forms, as in templates -> the form after a consonant, the form after a vowel.
PARTICLES = {
    "이(가)": ("이", "가"),
    "을(를)": ("을", "를"),
    "은(는)": ("은", "는"),
    "과(와)": ("과", "와"),
}

_FIELD = re.compile(r"\{(\w+)\}(" + "|".join(map(re.escape, PARTICLES)) + ")")

# Digits whose Sino-Korean names end in a consonant: 영 일 삼 육 칠 팔. Tens and hundreds, which
# end in zero, are read 십, 백, ..., and end in a consonant, too.
_CONSONANT_DIGITS = "013678"


def fill(template: str, fields: dict[str, str]) -> str:
    """Return the filled template, each particle in the form that fits the field before it."""

    def with_particle(match: re.Match[str]) -> str:
        name, particle = match.groups()
        return f"{{{name}}}{_particle(fields[name], particle)}"

    return _FIELD.sub(with_particle, template).format_map(fields)


def _particle(word: str, particle: str) -> str:
    consonant = _ends_in_consonant(word)
    if consonant is None:
        return particle
    return PARTICLES[particle][0 if consonant else 1]


def _ends_in_consonant(word: str) -> bool | None:
    last = word[-1:]
    if "가" <= last <= "힣":
        # Unicode has 28 syllables for each vowel, the first of them without a final consonant
        # (The Unicode Standard, section 3.12).
        return (ord(last) - ord("가")) % 28 != 0
    if last.isascii() and last.isdigit():
        return last in _CONSONANT_DIGITS
    return None
