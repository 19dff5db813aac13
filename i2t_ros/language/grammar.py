"""One language: its nouns, numbers, lists and sentences, as its data file gives them."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from i2t_ros.language import english

Forms = Mapping[str, str]
"""CLDR plural category ("one", "few", "other", ...) -> word."""

LAST_WORD = 10
"""The largest number that is written as a word."""

_HOLE = re.compile(r"(class \d+)?")


@dataclass(frozen=True, eq=False, slots=True)
class Noun:
    """A thing that can be counted.

    key      what makes two labels the same thing
    label    the bare name, for a picture or a table
    forms    grammatical case -> plural category -> word
    gender   what numbers and articles agree with; in English the article itself
    counter  the measure word between number and noun, where the language has them
    """

    key: str
    label: str
    forms: Mapping[str, Forms]
    gender: str = ""
    counter: str = ""


@dataclass(frozen=True, slots=True)
class ListPattern:
    """How CLDR joins a list: two items, and the start, middle and end of a longer one."""

    two: str
    start: str
    middle: str
    end: str


@dataclass(frozen=True, eq=False)
class Language:
    """Everything that composing needs to know of one language.

    numbers   (number, gender, case) -> word
    items     "words" and "digits": how number, counter and noun stand together
    counters  counter -> (from which count on, which other counter takes its place)
    lists     "things", "list", "texts", "groups", "nested"
    phrases   name of a phrase, as "sentence.plain" -> plural category -> template
    capitals  what begins with a capital letter: "sentences", "nouns" (and sentences), or "none"
    section_cases  section of phrases, as "sentence" -> the case that its things are in
    fallback  English, for labels that this language lacks; None for English itself
    """

    tag: str
    name: str
    plural: Callable[[int], str]
    fill: Callable[[str, dict[str, str]], str]
    cases: tuple[str, ...]
    genders: tuple[str, ...]
    numbers: Mapping[tuple[int, str, str], str]
    items: Mapping[str, str]
    counters: Mapping[str, tuple[int, str]]
    lists: Mapping[str, ListPattern]
    phrases: Mapping[str, Forms]
    section_cases: Mapping[str, str]
    places: Mapping[str, str]
    nouns: Mapping[str, Noun]
    aliases: Mapping[str, str]
    unknown: Noun
    borrowed: Noun
    space: str
    capitals: str
    fallback: Language | None = None

    def noun(self, label: str) -> Noun:
        """Return the noun for a model's label, borrowed from English where this lacks it.

        A label that only numbers a class ("class 7") or is empty is an unknown object.
        """
        return _noun(self, label)

    def has(self, label: str) -> bool:
        """Return whether the language has a noun of its own for a model's label."""
        key = label_key(label)
        return self.aliases.get(key, key) in self.nouns

    def count(self, noun: Noun, number: int, section: str, *, digits: bool = False) -> str:
        """Return a number of things for a phrase of ``section``: "two dogs", "2 dogs"."""
        return _count(self, noun, number, section, digits)

    def number_word(self, number: int, gender: str, case: str) -> str | None:
        """Return a number up to ten in words, agreeing with its noun; None beyond."""
        if not 1 <= number <= LAST_WORD:
            return None
        return self.numbers[number, gender, case]

    def join(self, items: Sequence[str], kind: str) -> str:
        """Return items as one list, by the pattern ``kind``."""
        if len(items) < 2:
            return "".join(items)
        pattern = self.lists[kind]
        if len(items) == 2:
            return self._pair(pattern.two, *items)
        text = self._pair(pattern.start, items[0], items[1])
        for item in items[2:-1]:
            text = self._pair(pattern.middle, text, item)
        return self._pair(pattern.end, text, items[-1])

    def _pair(self, pattern: str, first: str, second: str) -> str:
        return self.fill(pattern, {"first": first, "second": second})

    def phrase(self, name: str, number: int = 0, /, **fields: str) -> str:
        """Return the phrase ``name`` with its fields, in the plural category of ``number``."""
        forms = self.phrases[name]
        template = forms.get(self.plural(number)) or forms["other"]
        return self.fill(template, fields)


def clean(text: str) -> str:
    """Return a text on one line, with single spaces and nothing that cannot be printed."""
    if not text.isprintable():
        text = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(text.split())


def label_key(label: str) -> str:
    """Return a label as labels are compared: "Traffic_Light" and "traffic light" are one."""
    return clean(label.replace("_", " ")).casefold()


# Bounded: a model may bring a thousand labels, and a caller may bring any text.
@functools.lru_cache(maxsize=4096)
def _noun(language: Language, label: str) -> Noun:
    word = clean(label.replace("_", " "))
    key = label_key(label)
    if _HOLE.fullmatch(key):
        return language.unknown
    key = language.aliases.get(key, key)
    return language.nouns.get(key) or _borrow(language, key, word)


# Bounded as nouns are; what one camera sees comes again with every frame.
@functools.lru_cache(maxsize=4096)
def _count(language: Language, noun: Noun, number: int, section: str, digits: bool) -> str:
    case = language.section_cases[section]
    forms = noun.forms.get(case) or noun.forms[language.cases[0]]
    counter = noun.counter
    limit, beyond = language.counters.get(counter, (number + 1, counter))
    word = None if digits else language.number_word(number, noun.gender, case)
    fields = {
        "number": str(number) if word is None else word,
        "noun": forms.get(language.plural(number)) or forms["other"],
        "counter": beyond if number >= limit else counter,
    }
    return language.items["digits" if word is None else "words"].format_map(fields)


def _borrow(language: Language, key: str, word: str) -> Noun:
    """Return a noun for a label that the language lacks: English words in its own grammar."""
    lender = language.fallback
    if lender is None:
        singular, plural = word, english.plural(word)
        gender = english.article(word)
    else:
        known = lender.noun(key) if key in lender.nouns else lender.noun(word)
        forms = known.forms[lender.cases[0]]
        singular, plural, word = forms.get("one", forms["other"]), forms["other"], known.label
        gender = language.borrowed.gender
        if language.capitals == "nouns":
            singular, plural, word = (_capitals(text) for text in (singular, plural, word))
    # Where one and many share a category the language has no plural, and the singular stays.
    forms = {"other": plural, language.plural(1): singular}
    return replace(
        language.borrowed, key=key, label=word, gender=gender, forms={language.cases[0]: forms}
    )


def _capitals(words: str) -> str:
    return " ".join(word[:1].upper() + word[1:] for word in words.split(" "))
