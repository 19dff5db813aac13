"""What English, Korean and Spanish need beyond their data files.

English: plurals and articles of labels that its file lacks. ``inflect`` knows them. Its import
takes two seconds, and no label of config/languages/en.yaml needs it, so it is imported for the
first label that does. If it is not installed, the spelling decides: right for most words
("forklifts", "an apple"), wrong for irregular ones ("childs", "an unicorn"). A user's own language
file can correct those.

Korean: particles depend on the sound before them. A template has both forms, as is usual in Korean
software: ``{things}이(가)``. The first is right after a syllable that ends in a consonant, and the
one in parentheses after a vowel. If the sound is unknown (foreign letters), both forms stay, as
Korean writes it then.

Spanish: "y" becomes "e" before the sound of i. "aguja e hilo", but "nieve y hielo", because that i
starts a diphthong. Things start with their number, and no number has that sound; lines of text from
an image may.
"""

import functools
import re
from collections.abc import Callable, Mapping
from typing import Any

from i2t_ros.optional import pass_on_interrupt

_PARTICLE = re.compile(r"\{(\w+)\}([이을은과])\(([가를는와])\)")

# Digits whose Sino-Korean names end in a consonant: 영 일 삼 육 칠 팔. Tens and hundreds, which
# end in zero, are read 십, 백, ..., and end in a consonant, too.
_CONSONANT_DIGITS = "013678"

# A word, what closes its quotation, and a particle of which both forms were left.
_OPEN_PARTICLE = re.compile(r"((\w?)[^\w\s]*)([이을은과])\(([가를는와])\)")
_SYLLABLE_END = re.compile(r"[lmn]", re.IGNORECASE)

_AND = re.compile(r"\by \{(\w+)\}")

# Quotation marks and other signs, a silent h, an i, and no vowel that makes a diphthong with it.
_SOUND_OF_I = re.compile(r"\W*h?[ií](?![aeouáéóú])", re.IGNORECASE)


@functools.cache
def _inflector() -> Any:
    """Return inflect's engine, or None if it is not installed."""
    try:
        import inflect  # noqa: PLC0415  # see above
    except ImportError as error:
        pass_on_interrupt(error)
        return None
    return inflect.engine()


def english_plural(word: str) -> str:
    """Return the plural of a noun, "forklift" -> "forklifts"."""
    last = re.split(r"[\s-]", word)[-1]
    if last == last.upper():  # inflect makes "AGVS" of the acronym AGV
        return word + "s"
    if inflector := _inflector():
        return str(inflector.plural_noun(word))
    if re.search(r"[^aeiou]y$", word):
        return word[:-1] + "ies"
    return word + ("es" if re.search(r"(s|x|z|ch|sh)$", word) else "s")


def english_article(word: str) -> str:
    """Return the article of a noun, "a" or "an"."""
    if inflector := _inflector():
        return str(inflector.a(word)).split(" ", 1)[0]
    return "an" if word[:1].lower() in "aeiou" else "a"


def fill_korean(template: str, fields: dict[str, str]) -> str:
    """Return the filled template, each particle in the form that fits the field before it."""

    def with_particle(match: re.Match[str]) -> str:
        name, after_consonant, after_vowel = match.groups()
        consonant = _ends_in_consonant(fields[name])
        if consonant is None:
            return match[0]
        return f"{{{name}}}{after_consonant if consonant else after_vowel}"

    return _PARTICLE.sub(with_particle, template).format_map(fields)


def _ends_in_consonant(word: str) -> bool | None:
    last = word[-1:]
    if "가" <= last <= "힣":
        # Unicode has 28 syllables for each vowel, the first of them without a final consonant
        # (The Unicode Standard, section 3.12).
        return (ord(last) - ord("가")) % 28 != 0
    if last.isascii() and last.isdigit():
        return last in _CONSONANT_DIGITS
    return None


def settle_korean(text: str) -> str:
    """Return ``text`` with one form of each particle after a foreign word, as a voice must choose.

    What is written "forklift이(가)" is said with the sounds that Korean gives the word: only l, m,
    n and ng end a syllable for certain.
    """
    return _OPEN_PARTICLE.sub(lambda m: m[1] + (m[3] if _SYLLABLE_END.search(m[2]) else m[4]), text)


def fill_spanish(template: str, fields: dict[str, str]) -> str:
    """Return the filled template, with "e" for "y" if the field after it requires that."""

    def conjunction(match: re.Match[str]) -> str:
        name = match[1]
        return f"{'e' if _SOUND_OF_I.match(fields[name]) else 'y'} {{{name}}}"

    return _AND.sub(conjunction, template).format_map(fields)


FILLERS: Mapping[str, Callable[[str, dict[str, str]], str]] = {
    "es": fill_spanish,
    "ko": fill_korean,
}
"""Language -> how a template takes its fields, if that is more than str.format_map."""


def capital(text: str) -> str:
    """Return ``text`` with a capital letter at its beginning."""
    return text[:1].upper() + text[1:]


def capital_dutch(text: str) -> str:
    """Return ``text`` with a capital at its beginning; ij counts as one letter (Taalunie)."""
    return "IJ" + text[2:] if text.startswith("ij") else capital(text)


def capital_turkish(text: str) -> str:
    """Return ``text`` with a capital at its beginning; that of i has a dot, İ."""
    return "İ" + text[1:] if text.startswith("i") else capital(text)


CAPITALS: Mapping[str, Callable[[str], str]] = {"nl": capital_dutch, "tr": capital_turkish}
"""Language -> how a sentence takes its capital, if that is more than ``capital``."""

SETTLERS: Mapping[str, Callable[[str], str]] = {"ko": settle_korean}
"""Language -> what a text for a voice still has to decide."""
