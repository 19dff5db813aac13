"""Options of a dataclass as query parameters, form fields and keys of a JSON body."""

import inspect
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any, TypeVar

from fastapi import Query, Request
from pydantic import BaseModel, ValidationError, create_model

from i2t_ros.bridges.http.problems import validation_message
from i2t_ros.errors import InvalidRequestError
from i2t_ros.options import Option, from_values, options_of
from i2t_ros.pipeline.asking import LONGEST_QUESTION
from i2t_ros.types import CAMERA_NAME, DescribeRequest

Settings = TypeVar("Settings")

MAX_NAME = 64  # characters of a language, style or camera
NAME_PATTERN = r"^[\w-]*$"
CAMERA_PATTERN = f"^({CAMERA_NAME.pattern})?$"  # whether it is there or not


def query_of(
    settings: type[Settings], *, without: Iterable[str] = (), ignored: Iterable[str] = ()
) -> Callable[..., Awaitable[Settings]]:
    """Return a FastAPI dependency that makes the dataclass of a request's query.

    Its parameters in the OpenAPI document are made from the options, all but those named in
    ``without``. A parameter that is not known is refused, unless it is one of ``ignored``.
    """
    known = {item.name: item for item in options_of(settings) if item.name not in without}

    async def read(request: Request, **values: Any) -> Settings:
        _refuse_unknown(set(request.query_params).difference(ignored), known)
        return from_values(settings, _plain(values, known))

    keyword = inspect.Parameter.KEYWORD_ONLY
    read.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter("request", keyword, annotation=Request)]
        + [
            inspect.Parameter(name, keyword, default=_field(item), annotation=_type(item))
            for name, item in known.items()
        ]
    )
    return read


def read_body_options(
    request: DescribeRequest, values: Mapping[str, Any], without: tuple[str, ...]
) -> DescribeRequest:
    """Return the request with what a form or a JSON object says, all options but ``without``.

    Raises InvalidRequestError for an unknown name and for a value that is not allowed.
    """
    model, known = _body(without)
    _refuse_unknown(values, known)
    try:
        checked = model(**values)
    except ValidationError as error:
        raise InvalidRequestError(validation_message(error.errors())) from None
    plain = _plain({name: getattr(checked, name) for name in values}, known)
    made = from_values(DescribeRequest, plain)
    return replace(request, **{name: getattr(made, name) for name in values})


def body_schema(without: tuple[str, ...]) -> dict[str, Any]:
    """Return the JSON schema of each option of a body, for the OpenAPI document."""
    model, _ = _body(without)
    make = getattr(model, "model_json_schema", None) or model.schema  # pydantic 2, 1
    return make()["properties"]  # type: ignore[no-any-return]


@cache
def _body(without: tuple[str, ...]) -> tuple[type[BaseModel], dict[str, Option]]:
    known = {item.name: item for item in options_of(DescribeRequest) if item.name not in without}
    fields: dict[str, Any] = {
        # A list of JSON is a list already; a form has names with commas between them.
        name: (str | list[str] if isinstance(item.default, list) else _type(item), _field(item))
        for name, item in known.items()
    }
    return create_model("Options", **fields), known


def _refuse_unknown(given: Iterable[str], known: Iterable[str]) -> None:
    for name in given:
        if name not in known:
            raise InvalidRequestError(
                f"unknown option {name[:40]!r}; options are {', '.join(known)}"
            )


def _type(item: Option) -> type[Any]:
    return str if isinstance(item.default, list) else type(item.default)


def _field(item: Option) -> Any:
    """Return the option as FastAPI and pydantic, of any of their versions, understand it."""
    limits: dict[str, Any] = {}
    if item.bounds:
        limits = {"ge": item.bounds[0], "le": item.bounds[1]}
    elif item.name == "question":
        limits = {"max_length": LONGEST_QUESTION}
    elif isinstance(item.default, str):
        pattern = CAMERA_PATTERN if item.name == "camera" else NAME_PATTERN
        limits = {"max_length": MAX_NAME, "pattern": pattern}
    default = ",".join(item.default) if isinstance(item.default, list) else item.default
    return Query(default, description=item.text, **limits)


def _plain(values: Mapping[str, Any], known: Mapping[str, Option]) -> dict[str, Any]:
    """Return the values as the options have them.

    Names with commas between them become lists, each name once; a question becomes one line.
    """
    plain = dict(values)
    for name, value in values.items():
        if isinstance(known[name].default, list):
            names = value.split(",") if isinstance(value, str) else value
            plain[name] = list(dict.fromkeys(each.strip() for each in names))
        elif name == "question":  # the lines of a text are no more than words to a model
            plain[name] = re.sub(r"\s", " ", value)
    return plain
