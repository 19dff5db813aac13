"""What a language's data file may hold; docs/languages.md describes the format.

Errors are for the file's author: they name the key, what was expected and what came.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from msgspec import Meta

from i2t_ros.errors import InvalidRequestError
from i2t_ros.language.color_data import check_colors, color_templates, with_defaults
from i2t_ros.language.shapes import (
    CATEGORIES,
    Template,
    all_of,
    fields_of,
    forms,
    item_templates,
    item_type,
    some_of,
    structure,
    text_type,
    wrong,
)
from i2t_ros.resources import config_path
from i2t_ros.validation import convert, read_mapping

Data = dict[str, Any]

FEWEST_WORDS = 9
"""Every language writes the numbers to this one as words, and may write more of them so."""

OPTIONAL_PHRASES = {
    "list.noun_hedged": "",
    "scene.also": "scene.hedged",
    "scene.first": "scene.group",
    "scene.group_hedged": "scene.group",
    "scene.first_hedged": "scene.group_hedged",
    "scene.first_also": "scene.first_hedged",
    "changes.appeared_also": "changes.appeared_hedged",
    "changes.left_also": "changes.left",
    "distance.group": "scene.group",
    "distance.first": "scene.first",
    "distance.group_hedged": "scene.group_hedged",
    "distance.first_hedged": "scene.first_hedged",
    "distance.first_also": "scene.first_also",
}
"""Phrase that a language may leave out -> the one that then takes its place; empty: English's."""

OPTIONAL_PLACES = {"center_near": "middle_near", "center_far": "middle_far"}
"""Place that a language may leave out -> the one that then takes its place."""

_Names = Annotated[list[str], Meta(min_length=1)]
_List = dict[Literal["2", "start", "middle", "end"], str]
_Lists = Literal["list", "things", "parts", "within", "texts", "groups", "nested", "distances"]

# Key that a language may leave out -> its type and its default.
_OPTIONAL: Mapping[str, tuple[Any, Any]] = {
    "extends": (str, ""),
    "cldr": (str, ""),
    "genders": (_Names, [""]),
    "cases": (_Names, ["nominative"]),
    "digit_cases": (dict[str, str], {}),  # see _language_type
    "counters": (dict[str, dict[int, str]], {}),
    "numerals": (Literal["mixed", "uniform"], "mixed"),
    "lists": (dict[_Lists, _List], {}),
    "space": (str, " "),
    "opening": (Literal["digits", "words"], "digits"),
    "quoted_period": (Literal["outside", "inside", "merged"], "outside"),
    "capitals": (Literal["sentences", "nouns", "none"], "sentences"),
    "aliases": (dict[str, str], {}),
    "colors": (dict[str, Any], {}),  # see color_data
    "borrowed": (dict[str, Any], {}),  # see _language_type
    "spoken": (dict[str, dict[str, Any]], {}),  # see checked
}


class Measure(NamedTuple):
    """The numbers of a unit of distance.

    words         of those that the language writes so
    gender, case  of all others, when a voice says them
    """

    words: Mapping[int, str]
    gender: str
    case: str


@cache
def english() -> Data:
    """Return the English data file that ships; it says which phrases there are."""
    return read_mapping(config_path("languages", "en.yaml"), InvalidRequestError)


def read(path: Path) -> Data:
    """Return a data file; raises InvalidRequestError."""
    shipped = path == config_path("languages", "en.yaml")  # every language needs it, too
    return english() if shipped else read_mapping(path, InvalidRequestError)


@cache
def phrase_fields() -> Mapping[str, Mapping[str, frozenset[str]]]:
    """Return each section of phrases, its phrases, and the fields that each is given.

    They are what English has: a task adds its phrases there, and every language must have them.
    """
    sections = english().keys() - {"name", "numbers", "item", "nouns", "labels"} - _OPTIONAL.keys()
    found = {}
    for section in sorted(sections):
        phrases = {name: text for name, text in english()[section].items() if name != "places"}
        found[section] = {name: fields_of(forms(text)["other"]) for name, text in phrases.items()}
    return found


def phrases(data: Data) -> dict[str, Any]:
    """Return the phrases of a language, "sentence.plain" -> plural category -> template."""
    return {
        f"{section}.{name}": forms(_phrase(data, f"{section}.{name}"))
        for section, names in phrase_fields().items()
        for name in names
    }


def _phrase(data: Data, name: str) -> Any:
    """Return a phrase, or the one that takes its place in a language that leaves it out."""
    section, _, key = name.partition(".")
    if key in data[section]:
        return data[section][key]
    instead = OPTIONAL_PHRASES[name]
    return _phrase(data, instead) if instead else english()[section][key]


def measures(data: Data) -> dict[str, Measure]:
    """Return the numbers before each unit of distance: "meters" and "feet"."""
    section = data["distance"]
    case, numbers = section.get("case", data["cases"][0]), section.get("numbers", data["numbers"])
    found = {}
    for unit in ("meters", "feet"):
        gender = section.get("genders", {}).get(unit, data["genders"][0])
        words = {}
        for number, word in numbers.items():
            by_case = word[gender] if isinstance(word, dict) else word
            plain = by_case if isinstance(by_case, dict) else {case: by_case}
            words[number] = plain.get(case, next(iter(plain.values())))
        found[unit] = Measure(words, gender, case)
    return found


def merge(base: Data, over: Data) -> Data:
    """Return ``base`` with what ``over`` says laid over it, key by key at every depth."""
    merged = {**base, **over}
    for key in base.keys() & over.keys():
        if isinstance(base[key], dict) and isinstance(over[key], dict):
            merged[key] = merge(base[key], over[key])
    return merged


def checked(tag: str, data: Data) -> Data:
    """Return a language's data with the defaults filled in; raises InvalidRequestError."""
    where = f"language {tag}"
    keys = ["name", "numbers", "item", "nouns", "labels", *phrase_fields()]
    if absent := ", ".join(key for key in keys if key not in data):
        raise InvalidRequestError(
            f"{where}: missing {absent}; a variety of a language says which one it changes, as in "
            '"extends: es-419"'
        )
    data = {key: default for key, (_, default) in _OPTIONAL.items()} | data
    for key in ("genders", "cases"):
        data[key] = convert(data[key], _Names, f"{where}: {key}", InvalidRequestError)
    data["colors"] = with_defaults(tag, data["colors"])
    adjectives = tuple(data["colors"].get("genders", ()))
    kind = _language_type(tuple(data["genders"]), tuple(data["cases"]), adjectives)
    convert(data, kind, where, InvalidRequestError)
    if data["colors"]:
        check_colors(tag, data)
    if data["borrowed"].keys() & CATEGORIES and "other" not in data["borrowed"]:
        raise wrong(tag, "borrowed", "the form other, if there is any", data["borrowed"])
    if sorted(data["numbers"]) != [*range(1, len(data["numbers"]) + 1)]:
        raise wrong(tag, "numbers", "1, 2, 3 and so on without a gap", sorted(data["numbers"]))
    for key, template, needed, allowed in _templates(data):
        if not needed <= fields_of(template) <= allowed:
            listed = _listed(needed) or _listed(allowed) or "none"
            perhaps = _listed(allowed - needed) if needed else ""
            may = f" (and perhaps {perhaps})" if perhaps else ""
            raise wrong(tag, key, f"a text with the fields {listed}{may}", template)
    if data["spoken"]:
        _check_spoken(tag, data)
    return data


def _listed(names: Iterable[str]) -> str:
    return " ".join(f"{{{name}}}" for name in sorted(names))


def aloud(data: Data) -> Data:
    """Return a language's data with the phrases that a voice says in the place of others."""
    return merge(data, data["spoken"]) | {"spoken": {}}


def _check_spoken(tag: str, data: Data) -> None:
    known = {section: set(names) for section, names in phrase_fields().items()}
    known["colors"] = {"parts", "apart", "all_parts", "all_apart"}
    for section, names in data["spoken"].items():
        if unknown := names.keys() - known.get(section, set()):
            raise wrong(tag, f"spoken.{section}", "names of phrases", ", ".join(sorted(unknown)))
    checked(tag, aloud(data))


@lru_cache
def _language_type(
    genders: tuple[str, ...], cases: tuple[str, ...], adjectives: tuple[str, ...]
) -> Any:
    word = str | all_of(cases, str)
    number: Any = str | all_of(genders, word)
    more: dict[str, Any] = {
        "gender": Literal.__getitem__(genders),
        "counter": str,
        "item": item_type(),
    }
    of_colors = {"color_gender": Literal.__getitem__((*genders, *adjectives)), "color_behind": bool}
    noun: Any = text_type(
        word, **more, **of_colors, label=str, plural_only=bool, plural_gender=more["gender"]
    )
    sections = {}
    for section, names in phrase_fields().items():
        optional: dict[str, Any] = {
            "case": Literal.__getitem__(cases),
            "agreement": Literal["all", "first", "last"],
        }
        if section == "distance":
            optional = {
                "case": str,
                "numbers": dict[int, number],
                "genders": structure({}, dict.fromkeys(("meters", "feet"), more["gender"])),
            }
        required: dict[str, Any] = {}
        for name in names:
            kind = optional if f"{section}.{name}" in OPTIONAL_PHRASES else required
            kind[name] = text_type(str | all_of(genders, str))
        if places := english()[section].get("places"):
            centers = OPTIONAL_PLACES.keys() & places.keys()
            sides = places.keys() - centers
            required["places"] = structure(
                dict.fromkeys(sorted(sides), str), dict.fromkeys(centers, str)
            )
        sections[section] = structure(required, optional)
    return structure(
        {
            "name": str,
            "numbers": Annotated[dict[int, number], Meta(min_length=FEWEST_WORDS)],
            "item": item_type(),
            "nouns": structure(dict.fromkeys(("face", "text", "unknown"), noun)),
            "labels": dict[str, noun],
            **sections,
        },
        {key: kind for key, (kind, _) in _OPTIONAL.items()}
        | {
            "digit_cases": some_of(CATEGORIES, Literal.__getitem__(cases)),
            "borrowed": structure({}, {**dict.fromkeys(CATEGORIES, word), **more, "acronyms": str}),
        },
    )


def _templates(data: Data) -> Iterator[Template]:
    """Yield each template."""
    for section, names in phrase_fields().items():
        for name in names.keys() & data[section].keys():
            fields = set(names[name])
            for category, text in forms(data[section][name]).items():
                needed = fields if category == "other" else set[str]()
                for template in text.values() if isinstance(text, dict) else [text]:
                    yield f"{section}.{name}.{category}", template, needed, fields
    yield from item_templates("item", data["item"])
    yield from color_templates(data["colors"])
    for category in data["borrowed"].keys() & {*CATEGORIES, "acronyms"}:
        word = data["borrowed"][category]
        for template in word.values() if isinstance(word, dict) else [word]:
            yield f"borrowed.{category}", template, {"noun"}, {"noun"}
    nouns = {"borrowed": data["borrowed"]}
    nouns |= {
        f"{part}.{key}": noun for part in ("nouns", "labels") for key, noun in data[part].items()
    }
    for where, noun in nouns.items():
        if isinstance(noun, dict) and "item" in noun:
            yield from item_templates(f"{where}.item", noun["item"])
    for kind, pattern in data["lists"].items():
        for key, template in pattern.items():
            yield f"lists.{kind}.{key}", template, {"0", "1"}, {"0", "1"}
