"""Numbers in words, in any of the languages: "veintiuna", "двадцать одну", "스물한".

The words come from CLDR's rules through the package ``unicode-rbnf``, which is imported, and a
language's rules read, when the first number is said. What is corrected here:

Arabic       has its own module: CLDR's rules know neither gender nor case
German and Italian  agree only in the number one: "ein Hund", but "hunderteins Hunde", "ventuno"
Portuguese of Portugal  10**9 is "mil milhões", not "um mil milhões"
British English  "one hundred and one"
Russian      what lives is counted in the genitive where the sentence has the accusative: "одного"
French       "vingt et un", the spelling that dictionaries and voices know best
Japanese     0 is "ゼロ", not the sign 〇
Dutch        a space after "duizend"; one thing of no gender is "één", which "een" does not tell
Korean       things are counted in native numbers below a hundred
decimals     digits after the separator are said one by one or as config/spoken.yaml says; the
             library's own are not used: its Polish fractions are wrong
"""

import functools
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from babel import Locale

from i2t_ros.errors import InvalidRequestError
from i2t_ros.installation import how_to_install
from i2t_ros.language.arabic_numbers import arabic_words
from i2t_ros.language.spoken_data import spoken_words
from i2t_ros.optional import needed_for

LONGEST = 12
"""A number of more digits than this is said digit by digit."""

MOST_DIGITS = 40
"""Of a longer row of digits only so many are said."""

_LONGEST_FRACTION = 3
"""Digits behind a point that may be said as one number."""

_LAST_ORDINAL = 1000
"""The library does not read all of the rules for larger ones."""

# Names that a language file gives its genders -> how CLDR's rule sets name them. A file may also
# use the names of CLDR itself.
_GENDERS = {
    "m": "masculine", "f": "feminine", "n": "neuter",
    "ma": "masculine", "fa": "feminine", "na": "neuter",  # animate, in Russian
    "v": "masculine-personal",  # virile, in Polish
}  # fmt: skip
_CASES = {"instrumental": "ablative"}  # what Russian's rules call it
_ONE_AGREES = {"de", "it"}
_COUNTING = {"zh": "spellout-cardinal-alternate2", "ko": "spellout-cardinal-native-attributive"}
_NATIVE = 100
"""From here on Korean counts things in the numbers that it took from Chinese."""

_SPEAKING = {
    "ko": "spellout-cardinal-sinokorean", "ja": "spellout-cardinal", "zh": "spellout-cardinal",
}  # fmt: skip


def number_words(
    number: int | Decimal | str,
    tag: str,
    gender: str = "",
    case: str = "",
    *,
    counting: bool = False,
) -> str:
    """Return a number in words.

    number    "1.5" and Decimal("1.5") have a fraction, digit by digit
    tag       a language with or without a region, as babel knows it: "es", "pt-PT", "zh-Hant"
    gender    of what is counted, as language files name it: m, f, n, or masculine, ...; "": the
              form of counting without a noun
    case      nominative, accusative, ...; unknown ones are as if they were not given
    counting  whether it stands before a measure word: Chinese 两, native Korean numbers

    Raises BackendMissingError without the package ``unicode-rbnf``, InvalidRequestError for a
    language that has no rules, and ValueError for a number that is not finite.
    """
    if isinstance(number, int):
        return _whole(number, tag, gender, case, counting)
    value = Decimal(number)
    if not value.is_finite():
        raise ValueError(f"{number!r} cannot be said in words")
    whole, _, fraction = f"{abs(value):f}".partition(".")
    data = spoken_words(tag)
    if fraction:
        words = _with_fraction(int(whole), fraction, tag, case)
    else:
        words = _whole(int(whole), tag, gender, case, counting)
    return data["join"].join((data["minus"], words)) if value < 0 else words


def digit_words(digits: str, tag: str) -> str:
    """Return each digit in words, as of a telephone number; not more than MOST_DIGITS."""
    data, shown = spoken_words(tag), map(int, digits[:MOST_DIGITS])
    if names := data["digits"]:
        return str(data["pause"]).join(names[digit] for digit in shown)
    return _one_by_one(shown, tag)


def _one_by_one(numbers: Iterable[int], tag: str) -> str:
    joiner: str = spoken_words(tag)["join"]
    return joiner.join(_whole(number, tag, "", "", False) for number in numbers)


def _with_fraction(whole: int, fraction: str, tag: str, case: str) -> str:
    """Return a number with the digits ``fraction`` behind its point."""
    data = spoken_words(tag)
    how, join = data["decimals"], data["join"]
    if how and len(fraction) > _LONGEST_FRACTION:
        how = ""
    if isinstance(how, Mapping):  # "три целых пять десятых"
        plural = Locale.parse(tag, sep="-").plural_form
        parts = ((whole, how["whole"]), (int(fraction), how["parts"][len(fraction) - 1]))
        said = []
        for number, names in parts:
            one = case if case in names else "one"
            name = names[one if plural(number) == "one" else "other"]
            said.append(f"{_whole(number, tag, 'f', case, False)} {name}")
        return " ".join(said)
    numbers = list(map(int, fraction[:MOST_DIGITS]))
    if how == "number":  # "virgule zéro vingt-cinq"
        behind = fraction.lstrip("0")
        numbers = [0] * (len(fraction) - len(behind)) + ([int(behind)] if behind else [])
    words = _whole(whole, tag, "", case, False)
    return str(join).join((words, data["point"] or _point(tag), _one_by_one(numbers, tag)))


@functools.cache
def _point(tag: str) -> str:
    """Return what CLDR's rules say between the parts of 1.5, for languages without an entry."""
    words = _engine(tag).format_number(1.5).text.split()
    return str(words[-2]) if len(words) > 2 else ""


@functools.lru_cache(8192)
def ordinal_words(number: int, tag: str, feminine: bool = False) -> str:
    """Return an ordinal in words, "vigésima primera"; empty if there are no rules for it."""
    engine = _engine(tag)
    gender = "feminine" if feminine else "masculine"
    names = (f"spellout-ordinal-{gender}", "spellout-ordinal")
    name = next((name for name in names if name in engine.rulesets), None)
    if name is None or number > _LAST_ORDINAL:
        return ""
    return _said(engine, number, name)


@functools.lru_cache(8192)
def _whole(number: int, tag: str, gender: str, case: str, counting: bool) -> str:
    if number < 0:
        data = spoken_words(tag)
        words = _whole(-number, tag, gender, case, counting)
        return f"{data['minus']}{data['join']}{words}"
    if number >= 10**LONGEST:
        return digit_words(str(number), tag)
    return _spelled(number, tag, gender, case, counting)


def _spelled(number: int, tag: str, gender: str, case: str, counting: bool) -> str:
    locale = Locale.parse(tag, sep="-")
    language = locale.language
    if language == "ar":
        return arabic_words(number, gender.startswith("f"), case, counts=bool(gender))
    if language == "ja" and number == 0:
        return "ゼロ"
    if number != 1 and language in _ONE_AGREES:
        gender = ""
    counting = counting and (language != "ko" or number < _NATIVE)
    engine = _engine(tag)
    names = _names(language, gender, case, counting)
    if language == "en" and locale.territory == "GB":
        names = ["spellout-cardinal-verbose"]
    name = next(name for name in names if name in engine.rulesets)
    words = _said(engine, number, name).replace(",", "")
    if language == "ru" and (gender, case) == ("ma", "accusative") and words.endswith("один"):
        return words.removesuffix("один") + "одного"
    if language == "fr":
        words = words.replace("-et-", " et ")
    if language == "nl":
        words = "één" if words == "een" else words.replace("duizend", "duizend ").strip()
    return words.removeprefix("um ") if words.startswith("um mil ") else words


def _names(language: str, gender: str, case: str, counting: bool) -> list[str]:
    """Return the names of rule sets that would do, best first."""
    kind = _GENDERS.get(gender, gender)
    case = _CASES.get(case, case) if language == "ru" else case
    names = [_COUNTING.get(language, "")] if counting else []
    if language == "de" and kind == "masculine" and case == "accusative":
        names.append("spellout-cardinal-n")
    if kind:
        if kind == "masculine-personal" and case == "accusative":
            names.append("spellout-cardinal-masculine-accusative-personal")
        names += [f"spellout-cardinal-{kind}-{case}"] if case else []
        names.append(f"spellout-cardinal-{kind}")
    return [*names, _SPEAKING.get(language, "spellout-numbering"), "spellout-cardinal"]


def _said(engine: Any, number: int, name: str) -> str:
    text = "".join(engine.iter_format_number(number, ruleset_name=name))
    return text.replace("\u00ad", "")  # where a long word may be broken


@functools.cache
def _engine(tag: str) -> Any:
    """Return CLDR's rules for the language, or for the one that it is a variety of."""
    with needed_for("spoken", how_to_install("unicode-rbnf")):
        from unicode_rbnf import RbnfEngine  # noqa: PLC0415  # 30 ms that others need not wait

    locale = Locale.parse(tag, sep="-")
    for name in (str(locale), f"{locale.language}_{locale.script}", locale.language):
        # es_419 differs from es in ordinals alone, and holds nothing else.
        if name in RbnfEngine.get_supported_languages():
            return RbnfEngine.for_language(name)
    raise InvalidRequestError(f"language {tag}: CLDR has no words for its numbers, as spoken needs")
