"""The shapes of what a language's data file holds, and of the templates in it."""

import string
from collections.abc import Iterator, Mapping, Set
from types import MappingProxyType
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from i2t_ros.errors import InvalidRequestError
from i2t_ros.validation import Structure

CATEGORIES = ("other", "zero", "one", "two", "few", "many")
"""CLDR's plural categories; every noun and every phrase has a form for the first."""

Template = tuple[str, str, Set[str], Set[str]]
"""The key and the text of a template, and the fields that it needs and may have."""

_ByNumber = str | dict[int | Literal["other"], str]


def forms(value: Any) -> Any:
    """Return a text, or one for each plural category, as the latter."""
    return {"other": value} if isinstance(value, str) else value


def wrong(tag: str, key: str, expected: str, got: Any, hint: str = "") -> InvalidRequestError:
    """Return the error of a wrong value."""
    return InvalidRequestError(f"language {tag}: {key}: expected {expected}, got {got!r}{hint}")


def item_type() -> Any:
    """Return the type of an ``item``: how number and noun stand together."""
    return str | structure({"words": _ByNumber, "digits": _ByNumber})


def structure(
    required: Mapping[str, Any], optional: Mapping[str, Any] = MappingProxyType({})
) -> Any:
    """Return the type of a mapping with these keys and no others."""
    fields: list[Any] = list(required.items())
    fields += [(key, kind, None) for key, kind in optional.items()]
    return msgspec.defstruct("Mapping", fields, bases=(Structure,))


def some_of(keys: tuple[Any, ...], kind: Any) -> Any:
    """Return the type of a mapping that has some of ``keys``, which need not be identifiers."""
    one_of: Any = Literal.__getitem__(keys)
    return dict[one_of, kind]


def all_of(keys: tuple[Any, ...], kind: Any) -> Any:
    """Return the type of a mapping that has each of ``keys``, which need not be identifiers."""
    return Annotated[some_of(keys, kind), Meta(min_length=len(keys))]


def text_type(kind: Any, **more: Any) -> Any:
    """Return the type of a text, or of one for each plural category."""
    return str | structure({"other": kind}, {**dict.fromkeys(CATEGORIES[1:], kind), **more})


def item_templates(
    where: str,
    item: Any,
    needed: Set[str] = frozenset({"number", "noun"}),
    allowed: Set[str] = frozenset({"number", "noun", "counter"}),
) -> Iterator[Template]:
    """Yield the templates of an ``item``."""
    for kind, texts in ({"words": item} if isinstance(item, str) else item).items():
        for number, template in ({"other": ""} | forms(texts)).items():
            yield f"{where}.{kind}", template, needed if number == "other" else set(), allowed


def fields_of(template: str) -> frozenset[str]:
    """Return the fields of a template.

    If its braces do not match, or a field says how it is written ("{things!r:>9}"): the template
    itself, which is no field.
    """
    try:
        parts = list(string.Formatter().parse(template))
    except ValueError:
        return frozenset({template})
    if any(spec or conversion for _, _, spec, conversion in parts):
        return frozenset({template})
    return frozenset(field for _, field, _, _ in parts if field is not None)
