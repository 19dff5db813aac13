"""An option is written once: as a field of a frozen dataclass, with its default, text and bounds.

ROS parameters, command-line flags, HTTP query parameters, config/*.yaml and the tables of the docs
are made from such fields. Outside, an option has a plain value: a bool, an int, a float, a text or
a list of texts. Inside, it may be something richer that ``read`` makes of that.
"""

import dataclasses
import functools
import math
import re
import reprlib
from array import array
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import yaml

from i2t_ros.errors import InvalidRequestError

BOOLEANS = {True: ("true", "yes", "on", "y", "1"), False: ("false", "no", "off", "n", "0")}
"""Words for a boolean. YAML, as ROS reads it, takes all of them for one except the digits."""

# Surrogates are what Python makes of bytes that are not UTF-8, as in the name of an old file.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)

Value = bool | int | float | str | list[str]
"""A plain value of an option."""

Changes = Literal["live", "configure", "never"]
"""When a running node takes a new value: at once, when it is configured again, or never."""

Settings = TypeVar("Settings")


@dataclass(frozen=True, slots=True)
class Option:
    """Everything about an option.

    name     its public name
    default  its plain value; also says the type
    text     what it does, with its unit; shown after the name
    bounds   smallest and largest number, both allowed
    choices  the only texts allowed
    changes  when a running node takes a new value
    read     makes the field's own value of a plain one; raises InvalidRequestError
    language  whether the text is a language: YAML takes ``no``, Norwegian, for false
    """

    name: str
    default: Value
    text: str
    bounds: tuple[float, float] | None = None
    choices: tuple[str, ...] = ()
    changes: Changes = "configure"
    read: Callable[[Any], Any] | None = None
    language: bool = False

    @property
    def shown(self) -> str:
        """The default, for people."""
        default = self.default
        return (",".join(default) if isinstance(default, list) else str(default)) or "(empty)"

    def check(self, value: Any) -> None:
        """Raise InvalidRequestError for a plain value that is not allowed.

        That is one outside the choices or bounds, or a text with control characters, which could
        end up in a header, a log or a path.
        """
        for text in value if isinstance(value, (list, tuple)) else [value]:
            if isinstance(text, str) and _CONTROL.search(text):
                raise InvalidRequestError(
                    f"{self.name}: expected text without control characters, in UTF-8, got "
                    f"{reprlib.repr(text)}"
                )
        if self.choices and value not in self.choices:
            raise InvalidRequestError(
                f"{self.name}: expected one of {', '.join(self.choices)}, got {value!r}"
            )
        if self.bounds and not self.bounds[0] <= value <= self.bounds[1]:
            low, high = self.bounds
            raise InvalidRequestError(f"{self.name}: expected {low:g} to {high:g}, got {value!r}")

    def meant(self, value: Any) -> Value:
        """Return the plain value that is meant by one that YAML has read as another type.

        0 is a text where a text is expected, 1 a float, and one text is a list of one, or of what
        its commas separate. None is an empty list, as ROS reads ``[]``. Raises InvalidRequestError
        if that is anybody's guess.
        """
        default = self.default
        if isinstance(default, list):
            if isinstance(value, str):
                whole = value.strip()
                begins = whole.startswith("[")
                if whole.count("[") != whole.count("]") or (begins and not whole.endswith("]")):
                    raise self._unexpected("a list such as [a,b]", value)
                parts = (whole[1:-1] if begins else whole).split(",")
                return [text for part in parts if (text := part.strip(" '\""))]
            several = value if isinstance(value, (list, tuple, array)) else [value]
            return [] if value is None else [self._text(item) for item in several]
        if isinstance(default, str):
            return self._text(value)
        if isinstance(default, bool):
            return self._boolean(value)
        return self._number(value)

    def written(self, text: str) -> Any:
        """Return the plain value that is meant by the text of a launch argument, as in meant().

        Only lists are read as YAML, and what is in them stays text: 010 is no 8, and "no" no false.
        """
        if isinstance(self.default, str):
            return text
        if not isinstance(self.default, list):
            return self.meant(text.strip())
        try:
            read = yaml.load(text, Loader=_LOADER)  # noqa: S506 (all is text, list or mapping)
        except (yaml.YAMLError, UnicodeError, RecursionError):  # the other error names the option
            read = None
        return self.meant(text if read is None else read)

    def _text(self, value: Any) -> str:
        if isinstance(value, bool):
            if self.language and not value:
                return "no"
            words = BOOLEANS[value][:-1]
            listed = f"{', '.join(words[:-1])} and {words[-1]}"
            raise InvalidRequestError(
                f"{self.name}: expected a text, got {words[0]}: YAML reads {listed} so. Quote the "
                f"word if it is meant: -p \"{self.name}:='{words[1]}'\""
            )
        if isinstance(value, (str, int, float)):
            return str(value)
        raise self._unexpected("a text", value)

    def _boolean(self, value: Any) -> bool:
        for boolean, words in BOOLEANS.items():
            if value == boolean or (isinstance(value, str) and value.lower() in words):
                return boolean
        raise self._unexpected("true or false", value)

    def _number(self, value: Any) -> int | float:
        whole = isinstance(self.default, int)
        try:
            number = float(value) if isinstance(value, (int, float, str)) else math.nan
        except (ValueError, OverflowError):
            number = math.nan
        if isinstance(value, bool) or not math.isfinite(number) or (whole and number % 1):
            raise self._unexpected("a whole number" if whole else "a number", value)
        if whole:
            return value if isinstance(value, int) else int(number)
        return number

    def _unexpected(self, expected: str, value: Any) -> InvalidRequestError:
        got = "[]" if value is None else reprlib.repr(value)
        return InvalidRequestError(f"{self.name}: expected {expected}, got {got}")

    def field_value(self, value: Any) -> Any:
        """Return the field's own value of a plain one; raises InvalidRequestError."""
        self.check(value)
        if self.read is not None:
            return self.read(value)
        return tuple(filter(None, value)) if isinstance(self.default, list) else value


def option(  # noqa: PLR0913 (all of it belongs to an option)
    default: Any,
    text: str,
    *,
    name: str = "",
    bounds: tuple[float, float] | None = None,
    choices: Sequence[str] = (),
    changes: Changes = "configure",
    read: Callable[[Any], Any] | None = None,
    language: bool = False,
) -> Any:
    """Return a field of a dataclass that is an option; see Option.

    default  the field's default; the plain value of a collection is a list of its elements' texts
    name     the public name; empty: the field's
    """
    plain = default if isinstance(default, (bool, int, float, str)) else list(map(str, default))
    own = Option(name, plain, text, bounds, tuple(choices), changes, read, language)
    written = {"option": own}
    if isinstance(default, Hashable):
        return dataclasses.field(default=default, metadata=written)
    return dataclasses.field(default_factory=lambda: default, metadata=written)


def options_of(settings: type[Any], prefix: str = "") -> tuple[Option, ...]:
    """Return the options of a dataclass and of the dataclasses in its fields, in their order.

    ``prefix`` stands before every name.
    """
    found: list[Option] = []
    for field in dataclasses.fields(settings):
        if own := _option_of(field, prefix):
            found.append(own)
        elif inner := _inner(field):
            found += options_of(inner, prefix)
    return tuple(found)


def from_values(
    settings: type[Settings], values: Mapping[str, Any], prefix: str = "", **others: Any
) -> Settings:
    """Return the dataclass with these plain values by public name; what is missing has its default.

    ``others`` are fields that are given as they are. Raises InvalidRequestError, naming the option.
    """
    fields: dict[str, Any] = dict(others)
    for field in dataclasses.fields(settings):  # type: ignore[arg-type, unused-ignore]
        own, inner = _option_of(field, prefix), _inner(field)
        if field.name in others:
            continue
        if inner:
            fields[field.name] = from_values(inner, values, prefix)
        elif own and own.name in values:
            fields[field.name] = own.field_value(values[own.name])
    return settings(**fields)


def check_options(settings: Any) -> None:
    """Check the numbers and choices of a dataclass; for its ``__post_init__``.

    Raises InvalidRequestError for the first value that is not allowed, naming the option.
    """
    for name, own in _own_options(settings.__class__):
        own.check(getattr(settings, name))


@functools.cache  # every request makes options anew
def _own_options(settings: type[Any]) -> tuple[tuple[str, Option], ...]:
    found = ((field.name, _option_of(field, "")) for field in dataclasses.fields(settings))
    return tuple((name, own) for name, own in found if own)


class Checked:
    """Base of a dataclass that raises InvalidRequestError if an option is not allowed."""

    __slots__ = ()

    def __post_init__(self) -> None:
        check_options(self)


def _option_of(field: dataclasses.Field[Any], prefix: str) -> Option | None:
    own: Option | None = field.metadata.get("option")
    return own and dataclasses.replace(own, name=prefix + (own.name or field.name))


def _inner(field: dataclasses.Field[Any]) -> type[Any] | None:
    """Return the dataclass that a field holds by default, if it is one."""
    make = field.default_factory
    return make if dataclasses.is_dataclass(make) else None  # type: ignore[return-value, unused-ignore]
