"""Which objects a text asks for, to search for them: "two people and a dog".

Counts are read as counting.py reads them. Besides, a class without a number asks for one or more of
it: "dog and two people", "dogs". A text is understood as a whole or not at all: who asks for a red
car is not shown all cars.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from i2t_ros.language.counting_signs import SignText
from i2t_ros.language.counting_text import Text
from i2t_ros.language.counting_words import Item, Lexicon, lexicon
from i2t_ros.language.grammar import Language

_UNCLEAR = ("vague", "behind", "either", "known", "voids", "voided", "units", "others", "noun")
"""Roles of words that make a count uncertain, or say something else; see counting.yaml."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a text asks for.

    counts   key of a noun (``Language.noun(name).key``) -> how many; 0: none at all
    unclear  the words that are not understood, in their order; if there are any, so is the text.
             Those that only stand beside such a word are left out
    """

    counts: Mapping[str, int]
    unclear: tuple[str, ...]


def asked_for(text: str, classes: Sequence[str], language: Language) -> Asked:
    """Return what a text asks for.

    text     what comes after counting_words.LONGEST_TEXT characters is not read
    classes  those that may be asked for, as the detector names them
    """
    words = lexicon(language, tuple(classes))
    items = words.items(text)
    read = (Text if words.spaced else SignText)(items, words)
    counts = {key: readings[0] for key, readings in read.readings().items()}
    unclear = list(_unclear(read, words, language))
    doubtful = _numbers(read)
    for at, item in enumerate(items):
        key = next((key for key in item.roles.get("noun", {}) if key in words.classes), "")
        if key in read.doubtful:
            doubtful.append(item.word)
        elif key and at not in read.used:  # "개" is a dog, and in "2개" any two things
            counts.setdefault(key, 1)
    # "Two" of "two unicorns" is as clear as "people" of "about people" is.
    return Asked(counts, tuple(dict.fromkeys(unclear or doubtful)))


def _unclear(text: Text, words: Lexicon, language: Language) -> Iterator[str]:
    """Yield the words that say something else than which objects there are."""
    own = own_words(words, language)
    for at, item in enumerate(text.items):
        if at in text.used or _is_class(item, words) or text.has(at, "zero", "zero_behind"):
            continue
        if item.roles.get("number"):
            continue
        if item.word in own and not (text.has(at, "known") and _counts(text, at + 1, words)):
            continue
        if _says_more(text, at):
            yield item.phrase or item.word


def _numbers(text: Text) -> list[str]:
    """Return the numbers that count nothing; an article is none."""
    return [
        item.word
        for at, item in enumerate(text.items)
        if (number := item.roles.get("number"))
        and at not in text.used
        and (number > 1 or item.word.isdecimal())
        and not (at and text.listed(at - 1) is not None)  # "dogs: 2"
    ]


def _says_more(text: Text, at: int) -> bool:
    """Return whether a word is unknown, an adjective, or makes something else of the text."""
    item = text.items[at]
    is_adjective = text.has(at, "within") and not text.has(at, "counters", "of")  # "kırmızı": red
    has_digits = any(map(str.isdigit, item.word))
    return is_adjective or has_digits or not item.roles or text.has(at, *_UNCLEAR)


def _is_class(item: Item, words: Lexicon) -> bool:
    return any(key in words.classes for key in item.roles.get("noun", {}))


def _counts(text: Text, at: int, words: Lexicon) -> bool:
    """Return whether there is a word there that is a number or a class: "the two dogs"."""
    if at == len(text.items):
        return False
    return text.has(at, "number") or _is_class(text.items[at], words)


@lru_cache(32)
def own_words(words: Lexicon, language: Language) -> frozenset[str]:
    """Return the words with which a language itself says what there is: "I can see ..."."""
    names = ("sentence.plain", "list.plain")
    amounts = {
        (number, language.gender(noun, number))
        for noun in map(language.noun, words.classes.values())
        for number in (1, 2, 5)
    }
    said = {language.phrase(name, *amount, things=",") for name in names for amount in amounts}
    return frozenset(item.word for text in said for item in words.items(text))
