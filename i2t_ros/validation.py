"""Checks what a YAML file holds against typed structures; the errors are for the file's author."""

import re
import reprlib
from difflib import get_close_matches
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

import msgspec
from msgspec.structs import fields

from i2t_ros.errors import I2tError
from i2t_ros.resources import load_yaml

T = TypeVar("T")

# msgspec's names of types -> those that a person who writes YAML knows.
_NAMES = {
    "array": "a list",
    "bool": "true or false",
    "float": "a number",
    "int": "a whole number",
    "null": "nothing",
    "object": "a mapping",
    "str": "a text",
}


class Structure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of what a mapping in a file becomes: the fields of the class, and no others."""


def read_mapping(path: Path, error: type[I2tError]) -> dict[Any, Any]:
    """Return the mapping in a YAML file. Raises ``error``, beginning with the path."""
    try:
        content = load_yaml(path)
    except (OSError, ValueError) as problem:
        raise error(f"{path}: cannot be read: {problem}") from problem
    if not isinstance(content, dict):
        raise error(f"{path}: expected a mapping of keys, got {reprlib.repr(content)}")
    return content


def convert(value: Any, kind: type[T], where: str, error: type[I2tError]) -> T:
    """Return ``value``, as YAML gave it, as ``kind``.

    Nothing changes its type silently: neither ``yes`` nor "7" is a number. Only a whole number may
    stand for a float. Raises ``error``: "<where>: <field>: expected <type>, got <value>".
    """
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as problem:
        raise error(f"{where}: {_explain(problem, value, kind)}") from problem


def _explain(problem: msgspec.ValidationError, value: Any, kind: Any) -> str:
    """Return the field at fault and what is wrong with it.

    msgspec's own text has neither the value that came, nor the choices, nor keys of mappings.
    """
    text, _, place = str(problem).partition(" - at ")
    path = ""
    for name, index in re.findall(r"\.(\w+)|\[(\d+|\.{3})\]", place):
        step, value, kind = _element(value, kind, name or index)
        path += step
    field = f"{path.lstrip('.')}: " if path else ""
    if "`key`" in place:
        field, value, kind = f"{field}a key: ", *_wrong_key(value, kind)
    if text.startswith("Object"):
        return field + _wrong_fields(value, kind)
    if text.startswith("Invalid enum value"):
        choices = ", ".join(str(choice) or '""' for choice in get_args(_members(kind)[0]))
        return f"{field}expected one of {choices}, got {value!r}"
    if not text.startswith("Expected"):  # what a structure's own check says
        return field + text
    if "`object` of length >=" in text:  # a mapping that has each of some keys
        keys = get_args(next(get_args(member)[0] for member in _members(kind) if get_args(member)))
        if not keys:  # of any name
            return f"{field}expected {text.split('>= ')[1]} or more, got {len(value)}"
        return f"{field}missing {', '.join(str(key) for key in keys if key not in value)}"
    expected = re.sub("`(.+?)`", _plainly, text.partition(", got")[0])
    return f"{field}{expected.lower()}, got {reprlib.repr(value)}"


def _plainly(names: re.Match[str]) -> str:
    return " or ".join(_NAMES.get(name, name) for name in names[1].split(" | "))


def _element(value: Any, kind: Any, step: str) -> tuple[str, Any, Any]:
    """Return the name, the value and the type of what msgspec calls ``step``."""
    for member in _members(kind):
        arguments = get_args(member)
        if isinstance(value, (list, tuple)) and get_origin(member) in (list, tuple):
            return f"[{step}]", value[int(step)], arguments[0]
        if isinstance(value, dict) and isinstance(member, type) and issubclass(member, Structure):
            return f".{step}", value[step], {f.encode_name: f.type for f in fields(member)}[step]
        if isinstance(value, dict) and arguments:
            key = next(key for key in value if not _fits(value[key], arguments[1]))
            return f".{key}", value[key], arguments[1]
    raise AssertionError(f"nothing at {step} of {kind}")


def _wrong_key(value: dict[Any, Any], kind: Any) -> tuple[Any, Any]:
    """Return the key of a mapping that is at fault, and the type of its keys."""
    keys = next((get_args(member)[0] for member in _members(kind) if get_args(member)), str)
    return next(key for key in value if not _fits(key, keys)), keys


def _fits(value: Any, kind: Any) -> bool:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return False
    return True


def _wrong_fields(value: dict[str, Any], kind: Any) -> str:
    """Return which fields a structure lacks, or which it does not know."""
    structure = next(m for m in _members(kind) if isinstance(m, type) and issubclass(m, Structure))
    known = {field.encode_name: field.required for field in fields(structure)}
    absent = ", ".join(name for name, required in known.items() if required and name not in value)
    wrong = absent and f"missing {absent}", _unknown_fields(value, structure)
    return "; ".join(filter(None, wrong))


def check_keys(
    value: dict[Any, Any], kind: type[Structure], where: str, error: type[I2tError]
) -> None:
    """Raise ``error`` for keys that a structure does not know, even if others are still missing."""
    if text := _unknown_fields(value, kind):
        raise error(f"{where}: {text}")


def _unknown_fields(value: dict[Any, Any], structure: type[Structure]) -> str:
    """Return which keys a structure does not know; empty if it knows them all."""
    known = sorted(field.encode_name for field in fields(structure))
    unknown = sorted(map(str, value.keys() - set(known)))
    if not unknown:
        return ""
    near = [match for name in unknown for match in get_close_matches(name, known, 1)]
    hint = f" (did you mean {', '.join(near)}?)" if near else ""
    return f"unknown field {', '.join(unknown)}{hint}; known: {', '.join(known)}"


def _members(kind: Any) -> list[Any]:
    """Return the types that a union is made of, or the one type, without their bounds."""
    if get_origin(kind) is Annotated:
        return _members(get_args(kind)[0])
    if get_origin(kind) in (Union, UnionType):
        return [member for part in get_args(kind) for member in _members(part)]
    return [kind]
