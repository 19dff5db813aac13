"""Options of a dataclass as query parameters, form fields and keys of a JSON body."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

from fastapi import Query, Request
from pydantic import BaseModel, ValidationError, create_model

from i2t_ros.bridges.http.problems import validation_message
from i2t_ros.errors import InvalidRequestError
from i2t_ros.options import Option, from_values, option, options_of
from i2t_ros.types import CAMERA_NAME

Settings = TypeVar("Settings")

MAX_NAME = 64  # characters of a language, style or camera
NAME_PATTERN = r"^[\w-]*$"


def camera_option() -> Any:
    """Return a field of a dataclass that names a camera, whether it is there or not."""
    return option("", "its name; none: the first", read=_read_camera)


def _read_camera(name: str) -> str:
    if name and not CAMERA_NAME.fullmatch(name):
        raise InvalidRequestError(
            "camera: expected up to 64 letters, digits and underscores, no digit first, "
            f"got {name!r}"
        )
    return name


def query_of(
    settings: type[Settings], *, without: Sequence[str] = (), ignored: Sequence[str] = ()
) -> Callable[..., Settings]:
    """Return a FastAPI dependency that makes the dataclass of a request's query.

    Its parameters in the OpenAPI document are made from the options, all but those named in
    ``without``. A parameter that is not known is refused, unless it is one of ``ignored``.
    """
    known = _options(settings, without)
    names = [item.name for item in known]

    def read(request: Request, **values: Any) -> Settings:
        refuse_unknown([name for name in request.query_params if name not in ignored], names)
        return _make(settings, known, values)

    keyword = inspect.Parameter.KEYWORD_ONLY
    read.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            inspect.Parameter("request", keyword, annotation=Request),
            *(
                inspect.Parameter(item.name, keyword, default=_field(item), annotation=_type(item))
                for item in known
            ),
        ]
    )
    return read


def read_body_options(
    settings: type[Settings], values: Mapping[str, Any], *, without: Sequence[str] = ()
) -> dict[str, Any]:
    """Return the fields that a form or a JSON object names, as values of the dataclass.

    Raises InvalidRequestError for an unknown name and for a value that is not allowed.
    """
    known = _options(settings, without)
    refuse_unknown(values, [item.name for item in known])
    try:
        checked = _body_model(settings)(**values)  # type: ignore[arg-type, unused-ignore]
    except ValidationError as error:
        raise InvalidRequestError(validation_message(error.errors())) from None
    made = _make(settings, known, {name: getattr(checked, name) for name in values})
    return {name: getattr(made, name) for name in values}


@cache
def _body_model(settings: type[Any]) -> type[BaseModel]:
    fields: dict[str, Any] = {}
    for item in _options(settings):
        # A list of JSON is a list already; a form has names with commas between them.
        kind = str | list[str] if isinstance(item.default, list) else _type(item)
        fields[item.name] = (kind, _field(item))
    return create_model(settings.__name__, **fields)


def body_schema(settings: type[Any], *, without: Sequence[str] = ()) -> dict[str, Any]:
    """Return the JSON schema of each option, for the OpenAPI document of a body."""
    names = {str: "string", bool: "boolean", int: "integer", float: "number"}
    schema: dict[str, Any] = {}
    for item in _options(settings, without):
        schema[item.name] = {"type": names[_type(item)], "description": item.text}
        if item.bounds:
            low, high = item.bounds
            schema[item.name] |= {"minimum": low, "maximum": high}
    return schema


def refuse_unknown(given: Sequence[str] | Mapping[str, Any], known: Sequence[str]) -> None:
    """Raise InvalidRequestError for a name that is not known, naming it."""
    unknown = next((name for name in given if name not in known), None)
    if unknown is not None:
        raise InvalidRequestError(
            f"unknown option {unknown[:40]!r}; options are {', '.join(known)}"
        )


def _options(settings: type[Any], without: Sequence[str] = ()) -> list[Option]:
    known = options_of(settings)  # type: ignore[arg-type, unused-ignore]
    return [item for item in known if item.name not in without]


def _type(item: Option) -> type[Any]:
    return str if isinstance(item.default, list) else type(item.default)


def _field(item: Option) -> Any:
    """Return the option as FastAPI and pydantic, of any of their versions, understand it."""
    limits: dict[str, Any] = {}
    if item.bounds:
        limits = {"ge": item.bounds[0], "le": item.bounds[1]}
    elif isinstance(item.default, str):
        limits = {"max_length": MAX_NAME, "pattern": NAME_PATTERN}
    default = ",".join(item.default) if isinstance(item.default, list) else item.default
    return Query(default, description=item.text, **limits)


def _make(settings: type[Settings], known: Sequence[Option], values: Mapping[str, Any]) -> Settings:
    plain = dict(values)
    for item in known:
        if isinstance(item.default, list) and item.name in plain:
            value = plain[item.name]
            names = value.split(",") if isinstance(value, str) else value
            plain[item.name] = list(dict.fromkeys(name.strip() for name in names))
    return from_values(settings, plain)
