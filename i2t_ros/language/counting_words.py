"""The words by which counts are found in a text: nouns, numbers, and what stands around them.

Nouns and numbers are those with which this package itself speaks, so that a language of a user's
own is understood as well; config/counting.yaml has what only understanding needs.
"""

import functools
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

import msgspec
from babel import Locale

from i2t_ros.errors import BackendMissingError, InvalidRequestError
from i2t_ros.language.grammar import Language
from i2t_ros.language.inflection import english_plural
from i2t_ros.language.nouns import Noun
from i2t_ros.language.numerals import number_words
from i2t_ros.resources import config_path
from i2t_ros.validation import Structure, convert, read_mapping

LONGEST_TEXT = 10_000
"""Characters; what comes after them is not read."""

LARGEST = 999
"""A larger number is a year or a price rather than a count."""

_WORDS_TO = 100
_SECTIONS = ("list", "sentence", "changes")
"""Sections of phrases that together have all cases."""

_LONGEST_PARTICLE = 12
_JOINED = ("zh", "ja", "ko")
"""Where a word may be followed by another without a space."""

# What has no meaning of its own: directions of writing, quotation marks, marks of emphasis.
_SILENT = re.compile('[\u00ad\u200b\u200e\u200f\u2066-\u2069\ufeff"“”„«»‹›‘「」『』*`]')
_MARKED = re.compile(r"[(,、](?:推定|추정)[),、]")  # how a list says "probably"
_QUOTE = re.compile(r"(?<!\w)'|'(?!\w)")
_ARABIC_SIGNS = re.compile("[\u064b-\u0652\u0670\u0640]")
_OPEN_PARTICLE = re.compile(r"([이을은과])\([가를는와]\)")
_SAME_LETTER = str.maketrans("أإآٱىё", "اااايе")
_LETTER, _DIGITS = re.compile(r"[^\W_]"), re.compile(r"\d+(?:[.,:/\u2044]\d+)*")
_MARKS = "\u0300-\u036f\u0900-\u0903\u093a-\u094f\u0951-\u0957\u0962\u0963\u200c\u200d"
TOKEN = re.compile(rf"(?P<sum>\d+(?:[.,:/\u2044]\d+)+)|[^\W_][\w{_MARKS}]*")
BREAK = re.compile(r"[.!?;:,()\[\]{}|/\n\r。、…—–।؟،؛]|(?<=\s)-(?=\s)")
"""What ends a clause."""

_PREFIXES = "وفبل"
"""Arabic writes "and", "then", "with" and "for" as one word with what follows."""


class _Words(Structure, frozen=True):
    """What counting.yaml has of one language; the comment there says what it is.

    The fields of class str are lists of words, and the roles of these words in a text.
    """

    gap: int = 0
    tail: str = ""
    numbers: dict[str, int] = msgspec.field(default_factory=dict)
    counted: dict[str, dict[str, int]] = msgspec.field(default_factory=dict)
    names: dict[str, list[str | dict[str, str | dict[str, str]]]] = msgspec.field(
        default_factory=dict
    )
    within: str = ""
    joints: str = ""
    units: str = ""
    others: str = ""
    vague: str = ""
    behind: str = ""
    either: str = ""
    known: str = ""
    voids: str = ""
    voided: str = ""
    zero: str = ""
    zero_behind: str = ""
    none: str = ""
    here: str = ""
    how_many: str = ""
    bare: str = ""
    linked: str = ""
    of: str = ""
    people: str = ""
    counters: str = ""


class Item(NamedTuple):
    """A word of a text.

    roles    what it may be -> what is known of it as such; nothing for an unknown word
    before   what stands between the last word and this one
    capital  whether it is written with one
    joined   what is written together with it: a particle behind it in Korean, "and" before it in
             Arabic
    phrase   the whole phrase if it is one of several words, of which ``word`` is the first
    """

    word: str
    roles: Mapping[str, Any]
    before: str = ""
    capital: bool = False
    joined: str = ""
    phrase: str = ""


@functools.cache
def _file() -> Mapping[str, _Words]:
    path = config_path("counting.yaml")
    content = read_mapping(path, InvalidRequestError)
    return convert(content, dict[str, _Words], str(path), InvalidRequestError)


@functools.lru_cache(32)
def lexicon(language: Language, classes: tuple[str, ...]) -> "Lexicon":
    """Return the words for these classes in a language; made once, in a tenth of a second."""
    return Lexicon(language, classes)


class Lexicon:
    """The words of one language, for one set of classes.

    classes  key of a noun -> the class, by its first label
    plural   number -> CLDR's plural category
    person   the key of the noun that measure words for people count
    """

    def __init__(self, language: Language, classes: Sequence[str]) -> None:
        locale = Locale.parse(language.cldr, sep="-")
        self.tag, self.cldr = locale.language, language.cldr
        self.plural = locale.plural_form
        self.spaced = self.tag not in _JOINED
        self.data = data = _file().get(self.tag, _Words())
        tail = (
            self.legible(data.tail) if self.tag == "hi" else data.tail
        )  # with letters as in texts
        self.tail = re.compile(tail) if tail else None
        self.person = language.noun("person").key
        self.classes: dict[str, str] = {}
        self._phrases: dict[str, dict[str, Any]] = {}
        for role in _Words.__struct_fields__:
            listed = getattr(data, role)
            for phrase in listed.split(",") if isinstance(listed, str) and role != "tail" else ():
                self._add(phrase, role, True)
        for number, words in self._numbers(language):
            self._add(words, "number", number)
        for name in classes:
            self.classes.setdefault(language.noun(name).key, name)
        # Also what is not asked for: a hot dog is no dog.
        nouns = {**language.nouns, **{name: language.noun(name) for name in classes}}
        for noun in nouns.values():
            self._add_noun(noun)
            self._add(noun.counter, "counters", True)
        if self.tag == "en":
            self._add_names(language)
        for key, wholes in data.counted.items():
            for word, number in wholes.items():
                self._add(word, "counted", (key, number))
        self._longest: dict[str, int] = {}
        self._measure(list(self._phrases))
        self._measure([said for name in classes for said in self._wholes(language, name)])

    def _measure(self, phrases: list[str]) -> None:
        """Note with which phrases words begin."""
        for phrase in phrases:
            first = phrase.split(" ")[0] if self.spaced else phrase[:1]
            size = phrase.count(" ") + 1 if self.spaced else len(phrase)
            self._longest[first] = max(self._longest.get(first, 0), size)

    def _add(self, phrase: str, role: str, what: Any) -> None:
        if words := self.words(phrase):
            self._phrases.setdefault(words, {}).setdefault(role, what)

    def _numbers(self, language: Language) -> Iterator[tuple[int, str]]:
        yield from ((number, word) for word, number in self.data.numbers.items())
        yield from language.number_words()
        genders = ("", "m", "f", "n", *(("ma",) if self.tag == "ru" else ()))
        try:
            for number in range(_WORDS_TO):
                for case in ("", "accusative"):
                    for gender in genders:
                        yield number, number_words(number, self.cldr, gender, case, counting=True)
                        if self.tag != "ko" or number > 9:  # 이 is "this" more often than two
                            yield number, number_words(number, self.cldr, gender, case)
        except (BackendMissingError, InvalidRequestError):
            return  # the language's own few numbers have to do

    def _add_noun(self, noun: Noun) -> None:
        more = self.data.names.get(noun.key, [])
        for forms in (noun.forms, *({"other": name} if isinstance(name, str) else name
                                    for name in more)):  # fmt: skip
            for category, words in forms.items():
                for word in words.values() if isinstance(words, Mapping) else [words]:
                    self._add_form(noun.key, word, category)
            if "other" not in forms or ("one" not in forms and len(forms) > 1):
                continue
            for category in {"one", "two", "few", "many"} - forms.keys():
                other = forms["other"]
                for word in other.values() if isinstance(other, Mapping) else [other]:
                    self._add_form(noun.key, word, category)
        self._add_form(noun.key, noun.label, "")

    def _add_names(self, language: Language) -> None:
        """Add the names of classes that English calls otherwise: a computer mouse is a mouse, too.

        Other nouns that are the same word come first.
        """
        for key, name in self.classes.items():
            if self.words(name) != self.words(language.noun(name).label):
                self._add_form(key, name, "one")
                self._add_form(key, english_plural(name), "other")

    def _add_form(self, key: str, words: str, category: str) -> None:
        said = self.words(words)
        if not said:
            return
        nouns = self._phrases.setdefault(said, {}).setdefault("noun", {})
        nouns.setdefault(key, set()).add(category)

    def _wholes(self, language: Language, name: str) -> Iterator[str]:
        """Note, and yield, how few of a class are counted in a way of their own: "كلبان"."""
        noun = language.noun(name)
        ways: Any = product(_SECTIONS, (1, 2, 3, 4), ("usual", "digits"))
        for section, number, numerals in ways:
            counted = language.count(noun, number, section, numerals)
            said, items = self.words(counted), self.items(counted)
            if not items:
                continue
            roles = self._phrases.get(said, {})
            forms = items[-1].roles.get("noun", {}).get(noun.key, ())
            if noun.key in roles.get("noun", {}):
                roles.setdefault("alone", {})[noun.key] = number
            elif self.spaced and not ("number" in items[0].roles and self.plural(number) in forms):
                self._add(counted, "counted", (noun.key, number))
                yield said

    def phrase(self, words: str) -> Mapping[str, Any]:
        """Return the roles of words."""
        return self._phrases.get(words, {})

    def phrases(self) -> Mapping[str, Mapping[str, Any]]:
        """Return all phrases, as words() looks them up, and their roles."""
        return self._phrases

    def words(self, text: str) -> str:
        """Return a phrase as its words are looked up."""
        text = self.legible(text).casefold()
        if not self.spaced:
            return " ".join(text.split())
        return " ".join(match[0] for match in TOKEN.finditer(text))

    def legible(self, text: str) -> str:
        """Return a text without signs that make no difference, and with one form of each letter."""
        text = _SILENT.sub("", unicodedata.normalize("NFKC", text).replace("_", " "))
        text = _MARKED.sub("", text)
        text = _QUOTE.sub("", text.replace("’", "'").translate(_SAME_LETTER))
        if self.tag == "tr":
            return text.replace("İ", "i").replace("I", "ı")
        if self.tag == "ko":
            return _OPEN_PARTICLE.sub(r"\1", text)
        if self.tag == "ar":
            return _ARABIC_SIGNS.sub("", text)
        if self.tag == "hi":
            text = unicodedata.normalize("NFD", text)
            return text.replace("\u093c", "").replace("\u0901", "\u0902")
        return text

    def items(self, text: str) -> list[Item]:
        """Return the words of a text, of which the longest known phrases are one."""
        whole = text
        # Again below: the one sign ﷺ is 18 letters.
        text = self.legible(text[:LONGEST_TEXT])[:LONGEST_TEXT]
        if self.spaced and len(whole) > LONGEST_TEXT:
            text = text.rpartition(" ")[0] or text  # the last word may have been cut
        return list(self._spaced(text) if self.spaced else self._joined(text.casefold()))

    def _spaced(self, text: str) -> Iterator[Item]:
        tokens = list(TOKEN.finditer(text))
        words = [token[0].casefold() for token in tokens]
        at = end = 0
        while at < len(tokens):
            token, word, prefix = tokens[at], words[at], ""
            before, capital = text[end : token.start()], token[0][0].isupper()
            if self.tag == "ar" and word not in self._longest and word[0] in _PREFIXES:
                shorter = word[1:]
                if shorter in self._longest or shorter.isdigit():
                    words[at], prefix, word = shorter, word[0], shorter
            size, roles = self._find(text, tokens, words, at)
            if not roles:
                size, roles = 1, _digits(word, bool(token["sum"]))
            end = tokens[at + size - 1].end()
            phrase = " ".join(words[at : at + size]) if size > 1 else ""
            yield Item(word, roles, before, capital, prefix, phrase)
            at += size

    def _find(
        self, text: str, tokens: list[re.Match[str]], words: list[str], at: int
    ) -> tuple[int, Mapping[str, Any]]:
        for size in range(min(self._longest.get(words[at], 0), len(words) - at), 0, -1):
            roles = self._phrases.get(" ".join(words[at : at + size]))
            if roles and not BREAK.search(text, tokens[at].end(), tokens[at + size - 1].start()):
                return size, roles
        return 1, {}

    def _joined(self, text: str) -> Iterator[Item]:
        at = end = 0
        number = False
        while match := _LETTER.search(text, at):
            at = match.start()
            before = text[end:at]
            start = self.tag != "ko" or bool(before) or at == 0 or number
            digits = _DIGITS.match(text, at)
            roles: Mapping[str, Any] = {}
            size, particle = 1, ""
            if digits:
                size, roles = len(digits[0]), _digits(digits[0], not digits[0].isdigit())
            elif start:
                size, roles, particle = self._match(text, at)
            if not roles and (self.tag == "ko" or text[at].isascii()):
                found = TOKEN.match(text, at)
                size = len(found[0]) if found else 1
            number = "number" in roles
            yield Item(text[at : at + size], roles, before, joined=particle)
            at = end = at + size + len(particle)

    def _match(self, text: str, at: int) -> tuple[int, Mapping[str, Any], str]:
        """Return how long the phrase there is, its roles, and the particle behind it."""
        for size in range(self._longest.get(text[at], 0), 0, -1):
            roles = self._phrases.get(text[at : at + size])
            if not roles or at + size > len(text):
                continue
            if self.tag != "ko":
                return size, roles, ""
            rest = TOKEN.match(text, at + size, at + size + _LONGEST_PARTICLE)
            behind = rest[0] if rest else ""
            if behind and "number" in roles:
                if any("counters" in self._phrases.get(behind[:length], {}) for length in (1, 2)):
                    return size, roles, ""
            elif self.tail and self.tail.fullmatch(behind):
                return size, roles, behind
        return 1, {}, ""


def _digits(word: str, several: bool) -> Mapping[str, Any]:
    """Return the roles of a word that may have digits."""
    if several or not word.isdecimal() or int(word[:9]) > LARGEST:
        return {"joints": True} if any(map(str.isdigit, word)) else {}
    return {"number": int(word)}
