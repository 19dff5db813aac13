"""What the section ``colors`` of a language's data file may hold."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from i2t_ros.errors import InvalidRequestError
from i2t_ros.language.shapes import (
    CATEGORIES,
    Template,
    all_of,
    item_templates,
    item_type,
    structure,
    wrong,
)
from i2t_ros.types import COLORS
from i2t_ros.validation import convert

_OPTIONAL_TEXTS = ("apart", "all_parts", "all_apart", "behind")


def with_defaults(tag: str, colors: Any) -> dict[str, Any]:
    """Return the section ``colors`` with what it may leave out; empty if there is none."""
    where = f"language {tag}: colors"
    if not convert(colors, dict[str, Any], where, InvalidRequestError):
        return {}
    convert(colors.get("genders", []), list[str], f"{where}.genders", InvalidRequestError)
    optional = {"people": [], "genders": [], "numbers": {}, **dict.fromkeys(_OPTIONAL_TEXTS, "")}
    return {**optional, **colors}


def check_colors(tag: str, data: Mapping[str, Any]) -> None:
    """Raise InvalidRequestError if the section ``colors`` of a language's data is wrong.

    data  with_defaults() has its section ``colors``, which is not empty; the rest is checked
    """
    colors = data["colors"]
    kind = _colors_type(tuple(data["genders"]), tuple(data["cases"]), tuple(colors["genders"]))
    convert(colors, kind, f"language {tag}: colors", InvalidRequestError)
    needed = set(_leaves(colors.get("agreement", {})))
    for color in COLORS:
        has = colors[color]
        if isinstance(has, dict) and has.keys() != needed:
            expected = f"a text, or the forms {', '.join(sorted(needed))}" if needed else "a text"
            raise wrong(tag, f"colors.{color}", expected, has, " (see colors.agreement)")
    for name, noun in data["labels"].items():
        if isinstance(noun, dict) and noun.get("color_behind") and not colors["behind"]:
            raise wrong(tag, f"labels.{name}.color_behind", "false without colors.behind", True)


def color_templates(colors: Mapping[str, Any]) -> Iterator[Template]:
    """Yield the templates of a section ``colors``."""
    for key in ("noun", "person", "part", "person_part") if colors else ():
        needed = {"color", "number" if "part" in key else "noun"}
        allowed = needed | {"number", "counter"}
        yield from item_templates(f"colors.{key}", colors[key], needed, allowed)
    for key in ("parts", *_OPTIONAL_TEXTS):
        field = "color" if key == "behind" else "parts"
        if colors.get(key):
            yield f"colors.{key}", colors[key], {"things", field}, {"things", field}


def _leaves(value: Any) -> Iterator[str]:
    """Yield the texts of mappings of any depth."""
    if isinstance(value, dict):
        for part in value.values():
            yield from _leaves(part)
    else:
        yield value


@lru_cache
def _colors_type(
    genders: tuple[str, ...], cases: tuple[str, ...], adjectives: tuple[str, ...]
) -> Any:
    form = str | all_of((*genders, *adjectives), str | all_of(cases, str))
    own: Any = str | structure({"other": str}, dict.fromkeys(CATEGORIES[1:], str))
    kinds = ("person", "part", "behind")
    agreement = structure(
        {"other": form}, {**dict.fromkeys(CATEGORIES[1:], form), **dict.fromkeys(kinds, own)}
    )
    number: Any = str | all_of(genders, str | all_of(cases, str))
    items = ("noun", "person", "part", "person_part")
    return structure(
        {
            **dict.fromkeys(items, item_type()),
            "parts": str,
            **dict.fromkeys(COLORS, str | dict[str, str]),
        },
        {
            "people": list[str],
            "genders": list[str],
            "agreement": agreement,
            "numbers": dict[int, number],
            **dict.fromkeys(_OPTIONAL_TEXTS, str),
        },
    )
