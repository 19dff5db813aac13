"""One language: its nouns, numbers, lists and phrases, from its data file."""

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

_UNNAMED = re.compile(r"(class \d+)?")


@dataclass(frozen=True, eq=False, slots=True)
class Noun:
    """A thing that can be counted.

    key      labels with the same key are the same thing
    label    the bare name, for a picture or a table
    forms    grammatical case -> plural category -> word
    gender   numbers and articles agree with it; in English it is the article
    counter  the measure word between number and noun, if the language has them
    """

    key: str
    label: str
    forms: Mapping[str, Forms]
    gender: str = ""
    counter: str = ""


@dataclass(frozen=True, slots=True)
class ListPattern:
    """How CLDR joins a list: a pattern for two items, and start, middle and end of a longer one."""

    two: str
    start: str
    middle: str
    end: str


@dataclass(frozen=True, eq=False)
class Language:
    """The grammar and the words of one language.

    numbers   (number, gender, case) -> word
    items     "words" and "digits" -> template that joins number, counter and noun
    counters  counter -> (count from which another counter is used, that counter)
    lists     "things", "list", "texts", "groups", "nested" -> pattern
    phrases   name of a phrase, such as "sentence.plain" -> plural category -> template
    capitals  what starts with a capital letter: "sentences", "nouns" (and sentences), or "none"
    section_cases  section of phrases, such as "sentence" -> the grammatical case of its things
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
        """Return the noun for a model's label, borrowed from English if this language lacks it.

        An empty label, or one that is only a number ("class 7"), is an unknown object.
        """
        return _noun(self, label)

    def has(self, label: str) -> bool:
        """Return whether the language has its own noun for a model's label."""
        key = label_key(label)
        return self.aliases.get(key, key) in self.nouns

    def count(self, noun: Noun, number: int, section: str, *, digits: bool = False) -> str:
        """Return number and noun for a phrase of ``section``: "two dogs" or "2 dogs"."""
        return _count(self, noun, number, section, digits)

    def number_word(self, number: int, gender: str, case: str) -> str | None:
        """Return a number up to ten as a word that agrees with its noun; None if it is larger."""
        if not 1 <= number <= LAST_WORD:
            return None
        return self.numbers[number, gender, case]

    def join(self, items: Sequence[str], kind: str) -> str:
        """Return the items as one list, joined by the pattern ``kind``."""
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
        """Return the phrase ``name`` with its fields filled in, in the plural of ``number``."""
        forms = self.phrases[name]
        template = forms.get(self.plural(number)) or forms["other"]
        return self.fill(template, fields)


def clean(text: str) -> str:
    """Return ``text`` on one line, with single spaces and without unprintable characters."""
    if not text.isprintable():
        text = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(text.split())


def label_key(label: str) -> str:
    """Return a key for comparing labels: "Traffic_Light" and "traffic light" have the same."""
    return clean(label.replace("_", " ")).casefold()


# The size is limited because a caller may pass any text; a model may have a thousand labels.
@functools.lru_cache(maxsize=4096)
def _noun(language: Language, label: str) -> Noun:
    word = clean(label.replace("_", " "))
    key = label_key(label)
    if _UNNAMED.fullmatch(key):
        return language.unknown
    key = language.aliases.get(key, key)
    return language.nouns.get(key) or _borrow(language, key, word)


# Cached because a camera shows the same things frame after frame; the size is limited as above.
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
    """Return a noun for a label that the language lacks: the English word in its own grammar."""
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
    # If 1 has the category "other", the language has no plural, and the singular overwrites it.
    forms = {"other": plural, language.plural(1): singular}
    return replace(
        language.borrowed, key=key, label=word, gender=gender, forms={language.cases[0]: forms}
    )


def _capitals(words: str) -> str:
    return " ".join(word[:1].upper() + word[1:] for word in words.split(" "))
