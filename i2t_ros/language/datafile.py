"""From a language's data file to a Language, refusing what its author got wrong by its name.

The format is described in docs/languages.md.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Collection, Mapping, Set
from functools import cache, lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal, get_args

import msgspec
from babel import Locale, UnknownLocaleError
from msgspec import Meta

from i2t_ros.errors import InvalidRequestError
from i2t_ros.language import korean, spanish
from i2t_ros.language.grammar import LAST_WORD, Forms, Language, ListPattern, Noun, label_key
from i2t_ros.language.places import PLACES
from i2t_ros.resources import config_path
from i2t_ros.validation import Structure, convert, read_mapping

# Phrases that a language may leave out -> the phrase that then takes their place, whose fields they
# are given.
OPTIONAL = {"scene.group_hedged": "scene.group"}

# What is needed of a language beyond its data: how a template takes its fields.
_FILLERS: Mapping[str, Callable[[str, dict[str, str]], str]] = {
    "es": spanish.fill,
    "ko": korean.fill,
}

Data = dict[str, Any]
Category = Literal["zero", "one", "two", "few", "many", "other"]
ListKind = Literal["things", "texts", "groups", "nested"]
Names = Annotated[list[str], Meta(min_length=1)]
Word = str | dict[str, str]  # the same in every grammatical case, or one for each
_PATTERN_KEYS = {"two": "2", "start": "start", "middle": "middle", "end": "end"}


def _structure(
    required: Mapping[str, Any], optional: Mapping[str, Any] = MappingProxyType({})
) -> Any:
    """Return the type of a mapping with these keys and no others."""
    fields: list[Any] = list(required.items())
    fields += [(key, kind, None) for key, kind in optional.items()]
    return msgspec.defstruct("Mapping", fields, bases=(Structure,))


_PHRASE = str | dict[Category, str]
_NOUN: Any = str | _structure(
    {"other": Word},
    {
        **dict.fromkeys(get_args(Category)[:-1], Word),
        **dict.fromkeys(("label", "gender", "counter"), str),
    },
)


_REQUIRED: Mapping[str, Any] = {
    "name": str,
    "numbers": dict[int, str | dict[str, Word]],
    "item": str | _structure({"words": str, "digits": str}),
    "nouns": _structure(dict.fromkeys(("face", "text", "unknown"), _NOUN)),
    "labels": dict[str, _NOUN],
}
_OPTIONAL: Mapping[str, Any] = {
    "extends": str,
    "cldr": str,
    "genders": Names,
    "cases": Names,
    "counters": dict[str, Annotated[dict[int, str], Meta(min_length=1, max_length=1)]],
    "lists": dict[ListKind, dict[Literal["2", "start", "middle", "end"], str]],
    "space": str,
    "capitals": Literal["sentences", "nouns", "none"],
    "aliases": dict[str, str],
    "borrowed": _structure({}, {"gender": str, "counter": str}),
}


def read(path: Path) -> Data:
    """Return what a data file holds. Raises InvalidRequestError, naming the file."""
    if path == config_path("languages", "en.yaml"):
        return shipped_english()
    return read_mapping(path, InvalidRequestError)


@cache
def shipped_english() -> Data:
    """Return the English data file that ships; it says which phrases there are."""
    return read_mapping(config_path("languages", "en.yaml"), InvalidRequestError)


@cache
def phrase_fields() -> Mapping[str, Mapping[str, frozenset[str]]]:
    """Return each section of phrases, its phrases, and the fields that each is given.

    They are what English has: a task adds its phrases there, and every language must have them.
    """
    sections = shipped_english().keys() - _REQUIRED.keys() - _OPTIONAL.keys()
    return {
        section: {
            name: _fields(template if isinstance(template, str) else template["other"])
            or frozenset()
            for name, template in shipped_english()[section].items()
            if name not in ("case", "places")
        }
        for section in sorted(sections)
    }


@cache
def _language_type() -> Any:
    sections = {}
    for section, phrases in phrase_fields().items():
        required: dict[str, Any] = dict.fromkeys(phrases, _PHRASE)
        if section == "scene":
            required["places"] = _structure(dict.fromkeys(PLACES, str))
        optional = [name.split(".")[1] for name in OPTIONAL if name.startswith(f"{section}.")]
        sections[section] = _structure(required, {"case": str, **dict.fromkeys(optional, _PHRASE)})
    return _structure({**_REQUIRED, **sections}, _OPTIONAL)


def merge(base: Data, over: Data) -> Data:
    """Return ``base`` with what ``over`` says laid over it, key by key at every depth."""
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        if isinstance(value, dict) and isinstance(below, dict):
            merged[key] = merge(below, value)
        else:
            merged[key] = value
    return merged


def build(tag: str, data: Data, fallback: Language | None) -> Language:
    """Return the language that the merged ``data`` describe; ``fallback`` is English or None.

    Raises InvalidRequestError, naming the key, what was expected and what came.
    """
    convert(data, _language_type(), f"language {tag}", InvalidRequestError)
    return _Builder(tag, data).build(fallback)


class _Builder:
    """Builds a language, and checks what its keys must have in common.

    ``data`` has every key that is required, and each value has the right type.
    """

    def __init__(self, tag: str, data: Data) -> None:
        self.tag = tag
        self.data = data
        self.cases = tuple(data.get("cases", ["nominative"]))
        self.genders = tuple(data.get("genders", [""]))
        self.borrowed = data.get("borrowed", {})
        cldr = data.get("cldr", tag)
        try:
            self.locale = Locale.parse(cldr, sep="-")
        except (UnknownLocaleError, ValueError) as error:
            expected = "the tag of a language that CLDR has data for"
            raise self.wrong("cldr", expected, cldr) from error

    def wrong(self, key: str, expected: str, got: Any) -> InvalidRequestError:
        came = "nothing" if got is None else repr(got)
        return InvalidRequestError(f"language {self.tag}: {key}: expected {expected}, got {came}")

    def build(self, fallback: Language | None) -> Language:
        data = self.data
        aliases = fallback.aliases if fallback else {}
        own = {label_key(name): label_key(of) for name, of in data.get("aliases", {}).items()}
        counters = data.get("counters", {}).items()
        return Language(
            tag=self.tag,
            name=data["name"],
            plural=lru_cache(1024)(self.locale.plural_form),
            fill=_FILLERS.get(self.locale.language, str.format_map),
            cases=self.cases,
            genders=self.genders,
            numbers=self.numbers(),
            items=self.items(),
            counters={counter: next(iter(beyond.items())) for counter, beyond in counters},
            lists=self.lists(),
            phrases=self.phrases(),
            section_cases={section: self.section_case(section) for section in phrase_fields()},
            places=data["scene"]["places"],
            nouns={
                label_key(key): self.noun(f"labels.{key}", label_key(key), value)
                for key, value in {**data["nouns"], **data["labels"]}.items()
            },
            aliases={**aliases, **own},
            unknown=self.noun("nouns.unknown", "", data["nouns"]["unknown"]),
            borrowed=self.noun("borrowed", "", {"other": "", **self.borrowed}),
            space=data.get("space", " "),
            capitals=data.get("capitals", "sentences"),
            fallback=fallback,
        )

    def numbers(self) -> dict[tuple[int, str, str], str]:
        table = {}
        for number in range(1, LAST_WORD + 1):
            by_gender = self.data["numbers"].get(number)
            for gender in self.genders:
                by_case = by_gender.get(gender) if isinstance(by_gender, dict) else by_gender
                for case in self.cases:
                    where = f"numbers.{number} {gender} {case}"
                    table[number, gender, case] = self.in_case(where, by_case, case)
        return table

    def in_case(self, where: str, by_case: Any, case: str) -> str:
        word: str | None = by_case.get(case) if isinstance(by_case, dict) else by_case
        if word is None:
            raise self.wrong(where, "a word", by_case)
        return word

    def items(self) -> dict[str, str]:
        item = self.data["item"]
        forms = {"words": item, "digits": item} if isinstance(item, str) else item
        for kind, template in forms.items():
            self.check_fields(f"item.{kind}", template, {"number", "noun"}, {"counter"})
        return forms

    def lists(self) -> dict[str, ListPattern]:
        """Return CLDR's pattern for every kind of list, and the language's own if it has one."""
        cldr = dict(self.locale.list_patterns["standard"])
        own = {kind: {} for kind in get_args(ListKind)} | self.data.get("lists", {})
        for kind, pattern in own.items():
            for key, template in pattern.items():
                self.check_fields(f"lists.{kind}.{key}", template, {"0", "1"}, ())
        things = cldr | own["things"]
        groups = things | own["groups"]
        kinds = {
            "list": cldr,
            "things": things,
            "texts": cldr | own["texts"],
            "groups": groups,
            "nested": groups | own["nested"],
        }
        return {kind: _list_pattern(pattern) for kind, pattern in kinds.items()}

    def phrases(self) -> dict[str, Forms]:
        phrases = {
            f"{section}.{name}": self.phrase(section, name, fields)
            for section, names in phrase_fields().items()
            for name, fields in names.items()
        }
        for optional, other in OPTIONAL.items():
            section, name = optional.split(".")
            fields = phrase_fields()[section][other.split(".")[1]]
            own = name in self.data[section]
            phrases[optional] = self.phrase(section, name, fields) if own else phrases[other]
        return phrases

    def phrase(self, section: str, name: str, fields: frozenset[str]) -> Forms:
        value = self.data[section][name]
        forms = {"other": value} if isinstance(value, str) else value
        for category, template in forms.items():
            needed = fields if category == "other" else frozenset()
            self.check_fields(f"{section}.{name}.{category}", template, needed, fields)
        if "other" not in forms:
            raise self.wrong(f"{section}.{name}", "a form for other", None)
        return forms

    def check_fields(
        self, key: str, template: str, needed: Set[str], optional: Collection[str]
    ) -> None:
        found = _fields(template)
        if found is None or not needed <= found <= needed | set(optional):
            listed = " ".join(f"{{{field}}}" for field in sorted(needed | set(optional))) or "none"
            raise self.wrong(key, f"a text with the fields {listed}", template)

    def section_case(self, section: str) -> str:
        case: str = self.data[section].get("case", self.cases[0])
        if case not in self.cases:
            raise self.wrong(f"{section}.case", " or ".join(self.cases), case)
        return case

    def noun(self, key: str, name: str, value: str | Data) -> Noun:
        entry = {"other": value} if isinstance(value, str) else value
        gender = entry.get("gender", self.genders[0])
        if gender not in self.genders:
            raise self.wrong(f"{key}.gender", " or ".join(self.genders), gender)
        forms = {
            case: {
                category: self.in_case(f"{key}.{category} ({case})", entry[category], case)
                for category in get_args(Category)
                if category in entry
            }
            for case in self.cases
        }
        first = forms[self.cases[0]]
        label = entry.get("label", first.get(self.locale.plural_form(1), first["other"]))
        counter = entry.get("counter", self.borrowed.get("counter", ""))
        return Noun(name, label, forms, gender, counter)


def _fields(template: str) -> frozenset[str] | None:
    """Return the fields of a template; None if a brace lacks its fellow."""
    try:
        parts = list(string.Formatter().parse(template))
    except ValueError:
        return None
    return frozenset(field for _, field, _, _ in parts if field is not None)


def _list_pattern(pattern: Mapping[str, str]) -> ListPattern:
    return ListPattern(
        **{
            name: pattern[key].replace("{0}", "{first}").replace("{1}", "{second}")
            for name, key in _PATTERN_KEYS.items()
        }
    )
