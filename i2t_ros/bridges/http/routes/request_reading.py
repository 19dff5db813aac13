"""What an HTTP request asks for: its picture, wherever it is, and its options."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

try:  # Starlette asks for it when a form comes
    from python_multipart.exceptions import FormParserError
except ImportError:  # up to 0.0.12
    from multipart.exceptions import (  # type: ignore[import-untyped, no-redef, unused-ignore]
        FormParserError,
    )
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from i2t_ros.bridges.camera_hub import NAME as CAMERA_NAME
from i2t_ros.bridges.http.problems import HttpProblem
from i2t_ros.errors import (
    EmptyImageError,
    ImageError,
    InvalidRequestError,
    UnknownTaskError,
    UnsupportedFormatError,
)
from i2t_ros.types import TASKS, DescribeRequest, Task
from i2t_ros.vision.codecs import check_pixels, picture_format, picture_size

OPTIONS = ("language", "style", "tasks", "min_score", "annotate")
MAX_NAME = 64  # characters of a language, style or camera name
MAX_URL = 2048  # characters
URL_ENCODED = "application/x-www-form-urlencoded"
FORMS = ("multipart/form-data", URL_ENCODED)
_TRUE, _FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off")

Fetch = Callable[[str], Awaitable[bytes]]


@dataclass(frozen=True, slots=True)
class Sent:
    """The picture of a request, and the options that came beside it in the body."""

    picture: bytes
    options: Mapping[str, Any]


async def read_sent(request: Request, fetch: Fetch | None) -> Sent:
    """Read the body: a form with a file or a URL, JSON with a URL, or the picture itself.

    Raises HttpProblem for a body that is none of these, and what ``fetch`` raises.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == URL_ENCODED and _is_picture(await request.body()):
        return Sent(await request.body(), {})  # what curl --data-binary calls everything
    if kind in FORMS:
        return await _read_form(request, fetch)
    if kind == "application/json":
        options = _read_json(await request.body())
        return Sent(await _fetched(options.pop("url", None), fetch), options)
    if kind.startswith("image/") or kind in ("application/octet-stream", ""):
        return Sent(await request.body(), {})
    raise HttpProblem(
        415,
        f"content type {kind[:80]!r}: expected image/..., application/octet-stream, "
        "multipart/form-data with a file, or application/json with a url",
    )


def _is_picture(body: bytes) -> bool:
    try:
        picture_format(body)
    except ImageError as error:
        return isinstance(error, UnsupportedFormatError)  # which is to be said of it
    return True


async def _read_form(request: Request, fetch: Fetch | None) -> Sent:
    try:
        async with request.form(max_files=1, max_fields=16) as form:
            return await _from_form(form, fetch)
    except HTTPException as error:  # more files or fields, or not a form
        raise HttpProblem(400, f"form: {error.detail}") from None
    except FormParserError as error:
        raise HttpProblem(400, f"form: {error}") from None


async def _from_form(form: FormData, fetch: Fetch | None) -> Sent:
    options = {name: value for name, value in form.multi_items() if isinstance(value, str)}
    files = [value for _, value in form.multi_items() if isinstance(value, UploadFile)]
    url = options.pop("url", None)
    if files and url is None:
        # Whatever name the file came with is not looked at.
        return Sent(await files[0].read(), options)
    if files:
        raise HttpProblem(400, "form: expected a file or a url, got both")
    if url is None:
        raise HttpProblem(
            400, "form: expected a file or a url; with curl, -F image=@photo.jpg sends a file"
        )
    return Sent(await _fetched(url, fetch), options)


def _read_json(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise HttpProblem(400, f"JSON: {error}") from None
    if not isinstance(value, dict):
        raise HttpProblem(400, f"JSON: expected an object with a url, got {type(value).__name__}")
    return value


async def _fetched(url: Any, fetch: Fetch | None) -> bytes:
    if not isinstance(url, str) or not 0 < len(url) <= MAX_URL:
        raise HttpProblem(422, f"url: expected text of 1 to {MAX_URL} characters")
    if fetch is None:
        raise HttpProblem(
            403,
            "pictures are not fetched from URLs here; the parameter http_fetch allows it",
            code="fetch_off",
        )
    return await fetch(url)


def read_options(*sources: Mapping[str, Any]) -> DescribeRequest:
    """Return the options of a request, later sources over earlier ones.

    Raises InvalidRequestError for an unknown option or a value outside its range, and
    UnknownTaskError.
    """
    given = {name: value for source in sources for name, value in source.items()}
    unknown = [name for name in given if name not in OPTIONS]
    if unknown:
        raise InvalidRequestError(
            f"unknown option {unknown[0][:40]!r}; options are {', '.join(OPTIONS)}"
        )
    return DescribeRequest(
        language=read_name("language", given.get("language", "")),
        style=read_name("style", given.get("style", "")),
        tasks=_tasks(given.get("tasks", "")),
        min_score=_number("min_score", given.get("min_score", 0.0), 0, 1),
        annotate=read_switch("annotate", given.get("annotate", False)),
    )


def read_name(option: str, value: Any) -> str:
    """Return a name, such as that of a language; raises InvalidRequestError."""
    if isinstance(value, str) and re.fullmatch(rf"[\w-]{{0,{MAX_NAME}}}", value):
        return value
    raise InvalidRequestError(
        f"{option}: expected up to {MAX_NAME} letters, digits, '-' and '_', got {_shown(value)}"
    )


def read_camera(value: str) -> str:
    """Return the name of a camera, or "" for the first; raises InvalidRequestError."""
    if value and not CAMERA_NAME.fullmatch(value):
        raise InvalidRequestError(
            "camera: expected up to 64 letters, digits and underscores, no digit first, "
            f"got {_shown(value)}"
        )
    return value


def read_switch(option: str, value: Any) -> bool:
    """Return True or False; raises InvalidRequestError."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in _TRUE + _FALSE:
        return value.lower() in _TRUE
    raise InvalidRequestError(f"{option}: expected 1 or 0, got {_shown(value)}")


def read_integer(option: str, value: str, low: int, high: int) -> int:
    """Return an integer between ``low`` and ``high``; raises InvalidRequestError."""
    if re.fullmatch(r"[0-9]{1,9}", value) and low <= int(value) <= high:
        return int(value)
    raise InvalidRequestError(f"{option}: expected {low} to {high}, got {_shown(value)}")


def _number(option: str, value: Any, low: float, high: float) -> float:
    try:
        if isinstance(value, bool):
            raise ValueError
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not low <= number <= high:
        raise InvalidRequestError(f"{option}: expected {low:g} to {high:g}, got {_shown(value)}")
    return number


def _tasks(value: Any) -> tuple[Task, ...]:
    names = value.split(",") if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise InvalidRequestError(f"tasks: expected names, got {_shown(value)}")
    names = [name.strip() for name in names if name.strip()]
    for name in names:
        if name not in TASKS:
            raise UnknownTaskError(f"unknown task {name[:40]!r}; tasks are {', '.join(TASKS)}")
    return tuple(cast(Task, name) for name in dict.fromkeys(names))


def _shown(value: Any) -> str:
    return repr(value)[:80]


def check_picture(picture: bytes, max_pixels: int) -> None:
    """Refuse from its first bytes what would be refused anyway; raises ImageError."""
    if not picture:
        raise EmptyImageError("the picture has 0 bytes")
    check_pixels(*picture_size(picture, picture_format(picture)), max_pixels)


def prefers_picture(accept: str) -> bool:
    """Return whether an Accept header would rather have a picture than JSON."""
    picture, data = 0.0, 0.0
    for entry in accept.split(","):
        kind, *parameters = (part.strip().lower() for part in entry.split(";"))
        weights = [part[2:] for part in parameters if part.startswith("q=")]
        try:
            weight = float(weights[0]) if weights else 1.0
        except ValueError:
            continue
        if kind.startswith("image/"):
            picture = max(picture, weight)
        elif kind in ("application/json", "application/*", "*/*"):
            data = max(data, weight)
    return picture > data
