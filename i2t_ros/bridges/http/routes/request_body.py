"""The picture of an HTTP request, wherever it is, and the options that come beside it."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

try:  # Starlette asks for it when a form comes
    from python_multipart.exceptions import FormParserError
except ImportError:  # up to 0.0.12
    from multipart.exceptions import (  # type: ignore[import-untyped, no-redef, unused-ignore]
        FormParserError,
    )
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from i2t_ros.bridges.http.problems import HttpProblem
from i2t_ros.errors import ImageError, UnsupportedFormatError
from i2t_ros.types import Picture
from i2t_ros.vision.codecs import picture_format

MAX_URL = 2048  # characters
URL_ENCODED = "application/x-www-form-urlencoded"
FORMS = ("multipart/form-data", URL_ENCODED)

Fetch = Callable[[str], Awaitable[bytes]]
Sent = tuple[Picture, dict[str, Any]]
"""The picture of a request, and the options of its body, unchecked."""


async def read_body(request: Request, fetch: Fetch | None) -> Sent:
    """Read the body: a form with a file or a URL, JSON with a URL, or the picture itself.

    Raises HttpProblem for a body that is none of these, and what ``fetch`` raises.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == URL_ENCODED and _is_picture(await request.body()):
        return Picture(await request.body()), {}  # what curl --data-binary calls everything
    if kind in FORMS:
        return await _read_form(request, fetch)
    if kind == "application/json":
        options = _read_json(await request.body())
        return await _fetched(options.pop("url", None), fetch), options
    if kind.startswith("image/") or kind in ("application/octet-stream", ""):
        return Picture(await request.body()), {}
    raise HttpProblem(
        415,
        f"content type {kind[:80]!r}: expected image/..., application/octet-stream, "
        "multipart/form-data with a file, or application/json with a url",
    )


def _is_picture(body: bytes) -> bool:
    try:
        picture_format(body)
    except ImageError as error:
        return isinstance(error, UnsupportedFormatError)  # the reply says so
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
        return Picture(await files[0].read()), options  # the file's name is never used
    if files:
        raise HttpProblem(400, "form: expected a file or a url, got both")
    if url is None:
        raise HttpProblem(
            400, "form: expected a file or a url; with curl, -F image=@photo.jpg sends a file"
        )
    return await _fetched(url, fetch), options


def _read_json(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise HttpProblem(400, f"JSON: {error}") from None
    if not isinstance(value, dict):
        raise HttpProblem(400, f"JSON: expected an object with a url, got {type(value).__name__}")
    return value


async def _fetched(url: Any, fetch: Fetch | None) -> Picture:
    if not isinstance(url, str) or not 0 < len(url) <= MAX_URL:
        raise HttpProblem(422, f"url: expected text of 1 to {MAX_URL} characters")
    if fetch is None:
        raise HttpProblem(
            403,
            "pictures are not fetched from URLs here; the parameter http_fetch allows it",
            code="fetch_off",
        )
    return Picture(await fetch(url))


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
