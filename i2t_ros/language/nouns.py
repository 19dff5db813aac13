"""Nouns, and those that a language lacks and borrows from English."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from i2t_ros.language import inflection
from i2t_ros.language.names import names_of

if TYPE_CHECKING:
    from i2t_ros.language.grammar import Language


@dataclass(frozen=True, eq=False, slots=True)
class Noun:
    """A thing that can be counted.

    key      labels with the same key are the same thing
    label    the bare name, for a picture or a table
    cited    the bare name in a sentence: in quotation marks if it is foreign there
    forms    plural category -> word, or grammatical case -> word
    gender   numbers and articles agree with it; in English it is the article
    plural_gender  that of several of them: "un paio" is masculine, "due paia" are feminine
    counter  the measure word between number and noun, if the language has them
    item     how number and noun stand together
    plural_only   one of them is spoken of as several: "unas tijeras"
    borrowed      whether it is a foreign word in its language
    color_gender  adjectives of color agree with it, if not with the gender
    color_behind  whether its color stands behind it, in a phrase that does not agree
    """

    key: str
    label: str
    cited: str
    forms: Mapping[str, str | Mapping[str, str]]
    gender: str = ""
    plural_gender: str = ""
    counter: str = ""
    item: Any = None
    plural_only: bool = False
    borrowed: bool = False
    color_gender: str = ""
    color_behind: bool = False


class Quantity(NamedTuple):
    """How many of a noun there are, as a sentence says it.

    number    the number, and ``word`` its word or its digits
    in_words  whether it is a word
    category  CLDR's plural category of the number
    gender    of so many of the noun
    case      the grammatical case of noun and adjective
    counter   the measure word, if the language has them
    """

    number: int
    word: str
    in_words: bool
    category: str
    gender: str
    case: str
    counter: str


class Borrower:
    """Nouns for labels that a language lacks: the English words in its grammar."""

    def __init__(
        self, language: "Language", data: Mapping[str, Any], model: Noun, lender: "Language | None"
    ) -> None:
        """Prepare to borrow for ``language``, whose ``data`` are checked.

        model   gender, counter and item of every borrowed noun. Its forms, if the file gives any,
                are templates for the foreign word
        lender  English; None for English itself
        """
        self._language, self._data = language, data
        self._model = replace(model, borrowed=lender is not None)
        self._lender = lender

    def noun(self, key: str, word: str) -> Noun:
        """Return a noun for the label ``word``, whose key is ``key``.

        Its bare name may be known all the same; without gender and plural it cannot be counted.
        """
        lender, language = self._lender, self._language
        if lender is None:
            return self._english(key, word)
        known = lender.noun(key) if key in lender.nouns else lender.noun(word)
        plural = part_of(known.forms["other"], lender.case)
        if known.label.isupper() and "acronyms" in self._data["borrowed"]:
            plural = self._data["borrowed"]["acronyms"].format_map({"noun": known.label})
        words = (plural, part_of(known.forms.get("one", plural), lender.case), known.label)
        if words[1].endswith(f" of {known.label}"):  # "piece of furniture": only English needs it
            words = (known.label,) * 3
        if language.capitals == "nouns":
            words = (_capitals(words[0]), _capitals(words[1]), _capitals(words[2]))
        plural, singular, cited = (language.phrase("texts.quote", text=each) for each in words)
        own = names_of(language.tag).get(key)
        forms: Mapping[str, Any]
        if "other" in self._data["borrowed"]:
            given = self._model.forms
            forms = {category: _filled(form, noun=singular) for category, form in given.items()}
        else:
            # If 1 has the category "other", the language has no plural: the singular overwrites it.
            forms = {"other": plural, language.plural(1): singular}
        return replace(self._model, key=key, label=own or words[2], cited=own or cited, forms=forms)

    def _english(self, key: str, word: str) -> Noun:
        article = inflection.english_article(word)
        return replace(
            self._model,
            key=key,
            label=word,
            cited=word,
            forms={
                "other": inflection.english_plural(word),
                "one": inflection.english_singular(word),
            },
            gender=article,
            plural_only=not article,
        )


def part_of(value: Any, key: str) -> Any:
    """Return the part of a value that depends on a gender or a case, or the value itself."""
    return value[key] if isinstance(value, dict) else value


def _filled(value: Any, **fields: str) -> Any:
    """Return a template, or each of those that depend on a case, with its fields filled in."""
    if isinstance(value, Mapping):
        return {key: _filled(template, **fields) for key, template in value.items()}
    return value.format_map(fields)


def _capitals(words: str) -> str:
    return " ".join(word[:1].upper() + word[1:] for word in words.split(" "))
