"""One language: its nouns, numbers, lists and phrases, from its data file."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from babel import Locale, UnknownLocaleError

from i2t_ros.language import datafile, inflection

# Kind of list -> the keys of ``lists`` that are laid over CLDR's pattern.
_LISTS = {
    "list": (),
    "things": ("things",),
    "texts": ("texts",),
    "groups": ("things", "groups"),
    "nested": ("things", "groups", "nested"),
}
_UNNAMED = re.compile(r"(class \d+)?")


@dataclass(frozen=True, eq=False, slots=True)
class Noun:
    """A thing that can be counted.

    key      labels with the same key are the same thing
    label    the bare name, for a picture or a table
    forms    plural category -> word, or grammatical case -> word
    gender   numbers and articles agree with it; in English it is the article
    counter  the measure word between number and noun, if the language has them
    """

    key: str
    label: str
    forms: Mapping[str, str | Mapping[str, str]]
    gender: str = ""
    counter: str = ""


class Language:
    """The grammar and the words of one language.

    phrases   name of a phrase, such as "sentence.plain" -> plural category -> template
    places    place -> words
    space     what stands between two sentences
    capitals  what starts with a capital letter: "sentences", "nouns" (and sentences), or "none"
    nouns     key -> noun
    aliases   another key -> key; those of English hold everywhere
    noun      the noun for a model's label, borrowed from English if this language lacks it
    count     (noun, number, section of its phrase, digits?) -> "two dogs" or "2 dogs"
    """

    def __init__(self, tag: str, data: datafile.Data, fallback: "Language | None") -> None:
        """Build the language that the merged ``data`` describe.

        ``fallback`` is English, for labels that this language lacks; None for English itself.
        Raises InvalidRequestError, naming the key, what was expected and what came.
        """
        self.tag = tag
        self._data = data = datafile.checked(tag, data)
        self._fallback = fallback
        locale = _locale(tag, data["cldr"] or tag)
        self._fill = inflection.FILLERS.get(locale.language, str.format_map)
        self._plural = lru_cache(1024)(locale.plural_form)
        self._case = data["cases"][0]
        cldr = locale.list_patterns["standard"]
        self._lists = {
            kind: _list_pattern(cldr, *(data["lists"].get(key, {}) for key in overlays))
            for kind, overlays in _LISTS.items()
        }
        self.phrases = {
            f"{section}.{name}": datafile.forms(
                data[section][name if name in data[section] else datafile.OPTIONAL_PHRASES[name]]
            )
            for section, names in datafile.phrase_fields().items()
            for name in names
        }
        self.places: Mapping[str, str] = data["scene"]["places"]
        self.space: str = data["space"]
        self.capitals: str = data["capitals"]
        aliases = {label_key(name): label_key(of) for name, of in data["aliases"].items()}
        self.aliases: dict[str, str] = {**(fallback.aliases if fallback else {}), **aliases}
        named = {**data["nouns"], **data["labels"]}.items()
        self.nouns = {label_key(name): self._noun(label_key(name), value) for name, value in named}
        self._borrowed = self._noun("", {"other": "", **data["borrowed"]})
        # Cached because a camera shows the same things frame after frame. The size is limited
        # because a caller may pass any text; a model may have a thousand labels.
        self.noun = lru_cache(4096)(self._find_noun)
        self.count = lru_cache(4096)(self._count)

    def _noun(self, key: str, value: Any) -> Noun:
        data = self._data
        entry = datafile.forms(value)
        forms = {category: entry[category] for category in datafile.CATEGORIES if category in entry}
        return Noun(
            key,
            entry.get("label", _of(forms.get(self._plural(1), forms["other"]), self._case)),
            forms,
            entry.get("gender", data["genders"][0]),
            entry.get("counter", data["borrowed"].get("counter", "")),
        )

    def _find_noun(self, label: str) -> Noun:
        """Return the noun for a label; empty, or only a number ("class 7"): an unknown object."""
        word = clean(label.replace("_", " "))
        key = word.casefold()
        if _UNNAMED.fullmatch(key):
            return self.nouns["unknown"]
        key = self.aliases.get(key, key)
        return self.nouns.get(key) or self._borrow(key, word)

    def _borrow(self, key: str, word: str) -> Noun:
        """Return a noun for a label that the language lacks: the English word in its grammar."""
        lender = self._fallback
        if lender is None:
            singular = inflection.english_singular(word)
            plural = inflection.english_plural(word)
            gender = inflection.english_article(word)
        else:
            known = lender.noun(key) if key in lender.nouns else lender.noun(word)
            plural = _of(known.forms["other"], lender._case)
            singular = _of(known.forms.get("one", plural), lender._case)
            word, gender = known.label, self._borrowed.gender
            if singular.endswith(f" of {word}"):  # "piece of furniture", which only English needs
                singular = plural = word
            if self.capitals == "nouns":
                singular, plural, word = map(_capitals, (singular, plural, word))
        # If 1 has the category "other", the language has no plural, and the singular overwrites it.
        forms = {"other": plural, self._plural(1): singular}
        return replace(self._borrowed, key=key, label=word, gender=gender, forms=forms)

    def _count(self, noun: Noun, number: int, section: str, digits: bool = False) -> str:
        data = self._data
        case = data[section].get("case", self._case)
        counter = noun.counter
        for limit, beyond in data["counters"].get(noun.counter, {}).items():
            counter = beyond if number >= limit else counter
        in_words = not digits and number in data["numbers"]
        word = _of(_of(data["numbers"][number], noun.gender), case) if in_words else str(number)
        name = _of(noun.forms.get(self._plural(number)) or noun.forms["other"], case)
        template: str = _of(data["item"], "words" if in_words else "digits")
        filled = template.format_map({"number": word, "noun": name, "counter": counter})
        return filled.strip()  # the number may be an empty word: "jeans"

    def agreement(self, noun: Noun, number: int) -> int:
        """Return the number that a verb agrees with: two for "jeans", though it is one thing."""
        one = number == 1 and not _of(self._data["numbers"][1], noun.gender)
        return 2 if one else number

    def join(self, items: Sequence[str], kind: str) -> str:
        """Return the items as one list, joined by the pattern ``kind``, a key of _LISTS."""
        keys = ["start", *["middle"] * (len(items) - 3), "end"] if len(items) > 2 else ["2"]
        text = "".join(items[:1])
        for key, item in zip(keys, items[1:], strict=False):
            text = self._fill(self._lists[kind][key], {"first": text, "second": item})
        return text

    def phrase(self, name: str, number: int = 0, /, **fields: str) -> str:
        """Return the phrase ``name`` with its fields filled in, in the plural of ``number``."""
        forms = self.phrases[name]
        return self._fill(forms.get(self._plural(number)) or forms["other"], fields)


def _locale(tag: str, cldr: str) -> Locale:
    try:
        return Locale.parse(cldr, sep="-")
    except (UnknownLocaleError, ValueError) as error:
        expected = "the tag of a language that CLDR has data for"
        raise datafile.wrong(tag, "cldr", expected, cldr) from error


def _of(value: Any, key: str) -> Any:
    """Return the part of a value that depends on a gender or a case, or the value itself."""
    return value[key] if isinstance(value, dict) else value


def _list_pattern(*patterns: Mapping[str, str]) -> dict[str, str]:
    """Return the patterns laid one over the other, with names that str.format_map takes."""
    return {
        key: text.replace("{0}", "{first}").replace("{1}", "{second}")
        for pattern in patterns
        for key, text in pattern.items()
    }


def _capitals(words: str) -> str:
    return " ".join(word[:1].upper() + word[1:] for word in words.split(" "))


def clean(text: str) -> str:
    """Return ``text`` on one line, with single spaces and without unprintable characters."""
    if not text.isprintable():
        text = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(text.split())


def label_key(label: str) -> str:
    """Return a key for comparing labels: "Traffic_Light" and "traffic light" have the same."""
    return clean(label.replace("_", " ")).casefold()
