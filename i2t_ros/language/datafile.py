"""From a language's data file to a Language, refusing what its author got wrong by its name.

The format is described in docs/languages.md.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from babel import Locale, UnknownLocaleError

from i2t_ros.errors import InvalidRequestError
from i2t_ros.language import korean, spanish
from i2t_ros.language.grammar import (
    LAST_WORD,
    Forms,
    Language,
    ListPattern,
    Noun,
    label_key,
)
from i2t_ros.language.places import PLACES
from i2t_ros.resources import load_yaml

# Every phrase of a language and the fields it is given.
PHRASES: Mapping[str, frozenset[str]] = {
    name: frozenset(fields.split())
    for name, fields in {
        "list.plain": "things",
        "list.hedged": "things",
        "list.mixed": "things hedged",
        "list.empty": "",
        "sentence.plain": "things",
        "sentence.hedged": "things",
        "sentence.mixed": "things hedged",
        "sentence.empty": "",
        "scene.plain": "things",
        "scene.hedged": "things",
        "scene.group": "things place",
        "scene.group_hedged": "things place",
        "changes.appeared": "things",
        "changes.appeared_hedged": "things",
        "changes.left": "things",
        "faces.plain": "things",
        "faces.empty": "",
        "texts.plain": "texts",
        "texts.more": "things",
        "texts.empty": "",
        "texts.quote": "text",
        "texts.translation": "text translation",
        "classification.plain": "label",
        "classification.hedged": "label",
        "image.unusable": "",
        "image.not_analyzed": "",
    }.items()
}

# Phrases that a language may leave out -> the phrase that then takes their place.
OPTIONAL = {"scene.group_hedged": "scene.group"}

# What is needed of a language beyond its data: how a template takes its fields.
_FILLERS: Mapping[str, Callable[[str, dict[str, str]], str]] = {
    "es": spanish.fill,
    "ko": korean.fill,
}

LISTS = ("things", "texts", "groups", "nested")
_PATTERN_KEYS = {"two": "2", "start": "start", "middle": "middle", "end": "end"}
CAPITALS = ("sentences", "nouns", "none")
_CATEGORIES = ("zero", "one", "two", "few", "many", "other")
_SECTIONS = {name.split(".")[0] for name in PHRASES}
_KEYS = _SECTIONS | {
    *("name", "extends", "cldr", "cases", "genders", "numbers", "item", "counters", "lists"),
    *("space", "capitals", "nouns", "borrowed", "labels", "aliases"),
}

Data = dict[str, Any]
Kind = type | tuple[type, ...]

_NAMES: Mapping[Kind, str] = {
    str: "a text",
    list: "a list",
    dict: "a mapping",
    (str, dict): "a text, or a mapping of plural categories",
}


def read(path: Path) -> Data:
    """Return what a data file holds, refusing keys that mean nothing."""
    try:
        data = load_yaml(path)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InvalidRequestError(f"language file {path}: cannot be read: {error}") from error
    if not isinstance(data, dict):
        raise InvalidRequestError(f"language file {path}: expected a mapping of keys")
    if unknown := set(map(str, data)) - _KEYS:
        raise InvalidRequestError(
            f"language file {path}: {', '.join(sorted(unknown))}: unknown; "
            f"the keys are {', '.join(sorted(_KEYS))}"
        )
    return data


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
    return _Builder(tag, data).build(fallback)


class _Builder:
    """Reads one language; every error begins with its tag and the key at fault."""

    def __init__(self, tag: str, data: Data) -> None:
        self.tag = tag
        self.data = data
        self.cases = tuple(self.need("cases", list, ["nominative"]))
        self.genders = tuple(self.need("genders", list, [""]))
        cldr = self.need("cldr", str, tag)
        try:
            self.locale = Locale.parse(cldr, sep="-")
        except (UnknownLocaleError, ValueError) as error:
            expected = "the tag of a language that CLDR has data for"
            raise self.wrong("cldr", expected, cldr) from error

    def build(self, fallback: Language | None) -> Language:
        nouns = self.need("nouns", dict)
        borrowed = {"other": "", **self.need("borrowed", dict, {})}
        own_aliases = {
            label_key(str(alias)): label_key(str(label))
            for alias, label in self.need("aliases", dict, {}).items()
        }
        labels = {**nouns, **self.need("labels", dict)}
        return Language(
            tag=self.tag,
            name=self.need("name", str),
            plural=lru_cache(1024)(self.locale.plural_form),
            fill=_FILLERS.get(self.locale.language, str.format_map),
            cases=self.cases,
            genders=self.genders,
            numbers=self.numbers(),
            items=self.items(),
            counters=self.counters(),
            lists=self.lists(),
            phrases={name: self.phrase(name, fields) for name, fields in PHRASES.items()},
            section_cases=self.section_cases(),
            places=self.places(),
            nouns={
                label_key(str(key)): self.noun(f"labels.{key}", label_key(str(key)), value)
                for key, value in labels.items()
            },
            aliases={**(fallback.aliases if fallback else {}), **own_aliases},
            unknown=self.noun("nouns.unknown", "", nouns.get("unknown")),
            borrowed=self.noun("borrowed", "", borrowed),
            space=self.need("space", str, " "),
            capitals=self.capitals(),
            fallback=fallback,
        )

    def need(self, key: str, kind: Kind, default: Any = None) -> Any:
        """Return the value at ``key`` ("a.b" goes deeper); without a default it must be there."""
        value: Any = self.data
        for part in key.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        if value is None:
            value = default
        if not isinstance(value, kind):
            raise self.wrong(key, _NAMES[kind], value)
        return value

    def wrong(self, key: str, expected: str, got: Any) -> InvalidRequestError:
        came = "nothing" if got is None else repr(got)
        return InvalidRequestError(f"language {self.tag}: {key}: expected {expected}, got {came}")

    def capitals(self) -> str:
        capitals: str = self.need("capitals", str, CAPITALS[0])
        if capitals not in CAPITALS:
            raise self.wrong("capitals", " or ".join(CAPITALS), capitals)
        return capitals

    def numbers(self) -> dict[tuple[int, str, str], str]:
        table = {}
        for number in range(1, LAST_WORD + 1):
            by_gender = self.need("numbers", dict).get(number)
            for gender in self.genders:
                by_case = by_gender.get(gender) if isinstance(by_gender, dict) else by_gender
                for case in self.cases:
                    word = by_case.get(case) if isinstance(by_case, dict) else by_case
                    if not isinstance(word, str):
                        raise self.wrong(f"numbers.{number} {gender} {case}", "a word", word)
                    table[number, gender, case] = word
        return table

    def items(self) -> dict[str, str]:
        item = self.need("item", (str, dict))
        forms = {"words": item, "digits": item} if isinstance(item, str) else item
        for kind in ("words", "digits"):
            self.check_fields(f"item.{kind}", forms.get(kind), {"number", "noun"}, {"counter"})
        return forms

    def counters(self) -> dict[str, tuple[int, str]]:
        table = {}
        for counter, beyond in self.need("counters", dict, {}).items():
            if not (isinstance(beyond, dict) and len(beyond) == 1):
                raise self.wrong(f"counters.{counter}", "{count: counter}", beyond)
            ((limit, other),) = beyond.items()
            table[counter] = (int(limit), str(other))
        return table

    def lists(self) -> dict[str, ListPattern]:
        """Return CLDR's pattern for every kind of list, and the language's own where it has one."""
        cldr = dict(self.locale.list_patterns["standard"])
        if unknown := self.need("lists", dict, {}).keys() - set(LISTS):
            raise self.wrong("lists", ", ".join(LISTS), ", ".join(map(str, unknown)))
        own = {kind: self.own_pattern(kind) for kind in LISTS}
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

    def own_pattern(self, kind: str) -> dict[str, str]:
        pattern: dict[str, str] = self.need(f"lists.{kind}", dict, {})
        for key, template in pattern.items():
            if key not in _PATTERN_KEYS.values():
                raise self.wrong(f"lists.{kind}", "the keys 2, start, middle, end", key)
            self.check_fields(f"lists.{kind}.{key}", template, {"0", "1"}, ())
        return pattern

    def phrase(self, name: str, fields: frozenset[str]) -> Forms:
        value = self.need(name, (str, dict), self.need(OPTIONAL.get(name, name), (str, dict)))
        forms = {"other": value} if isinstance(value, str) else value
        for category, template in forms.items():
            if category not in _CATEGORIES:
                raise self.wrong(name, f"plural categories {', '.join(_CATEGORIES)}", category)
            needed = fields if category == "other" else frozenset()
            self.check_fields(f"{name}.{category}", template, needed, fields)
        if "other" not in forms:
            raise self.wrong(name, "a form for other", None)
        return forms

    def check_fields(
        self, key: str, template: Any, needed: set[str] | frozenset[str], optional: Any
    ) -> None:
        if not isinstance(template, str):
            raise self.wrong(key, "a text", template)
        try:
            parts = list(string.Formatter().parse(template))
        except ValueError:  # a brace without its fellow
            parts = [("", "", "", "")]
        found = {field for _, field, _, _ in parts if field is not None}
        if not needed <= found <= needed | set(optional):
            listed = " ".join(f"{{{field}}}" for field in sorted(needed | set(optional))) or "none"
            raise self.wrong(key, f"a text with the fields {listed}", template)

    def section_cases(self) -> dict[str, str]:
        cases = {}
        for section in sorted(_SECTIONS):
            case = self.need(f"{section}.case", str, self.cases[0])
            if case not in self.cases:
                raise self.wrong(f"{section}.case", " or ".join(self.cases), case)
            cases[section] = case
        return cases

    def places(self) -> dict[str, str]:
        return {place: self.need(f"scene.places.{place}", str) for place in PLACES}

    def noun(self, key: str, name: str, value: Any) -> Noun:
        entry = {"other": value} if isinstance(value, str) else value
        if not isinstance(entry, dict):
            raise self.wrong(key, "a word, or a mapping with its forms", value)
        if unknown := set(entry) - {"label", "gender", "counter", *_CATEGORIES}:
            expected = f"label, gender, counter, {', '.join(_CATEGORIES)}"
            raise self.wrong(key, expected, ", ".join(map(str, unknown)))
        if "other" not in entry:
            raise self.wrong(f"{key}.other", "the form for many", None)
        gender = entry.get("gender", self.genders[0])
        if gender not in self.genders:
            raise self.wrong(f"{key}.gender", " or ".join(self.genders), gender)
        forms = {case: self.forms(key, entry, case) for case in self.cases}
        first = forms[self.cases[0]]
        label = entry.get("label", first.get(self.locale.plural_form(1), first["other"]))
        counter = entry.get("counter", self.need("borrowed.counter", str, ""))
        return Noun(name, label, forms, gender, counter)

    def forms(self, key: str, entry: Data, case: str) -> dict[str, str]:
        forms = {}
        for category in _CATEGORIES:
            if category in entry:
                value = entry[category]
                word = value.get(case) if isinstance(value, dict) else value
                if not isinstance(word, str):
                    raise self.wrong(f"{key}.{category} ({case})", "a word", word)
                forms[category] = word
        return forms


def _list_pattern(pattern: Mapping[str, str]) -> ListPattern:
    return ListPattern(
        **{
            name: pattern[key].replace("{0}", "{first}").replace("{1}", "{second}")
            for name, key in _PATTERN_KEYS.items()
        }
    )
