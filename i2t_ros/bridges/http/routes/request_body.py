"""The picture of an HTTP request, wherever it is, and the options that come beside it."""

import contextlib
import json
from collections.abc import Iterator
from typing import Any

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from i2t_ros.bridges.http.problems import HttpProblem
from i2t_ros.bridges.http.services import Services
from i2t_ros.errors import ImageError, UnsupportedFormatError
from i2t_ros.types import Picture
from i2t_ros.vision.codecs import picture_format

MAX_URL = 2048  # characters
MAX_KINDS = 64  # media types of an Accept header that are looked at; browsers send ten
URL_ENCODED = "application/x-www-form-urlencoded"
FORMS = ("multipart/form-data", URL_ENCODED)
URL_FIELD = {
    "type": "string",
    "default": "",  # or Swagger UI fills in "string"
    "maxLength": MAX_URL,
    "description": "of the picture, in place of the picture itself",
}
"""The documentation of a body's ``url``."""


async def read_body(request: Request, services: Services) -> tuple[Picture, dict[str, Any]]:
    """Read the body: a form with a file or a URL, JSON with a URL, or the picture itself.

    Returns the picture and the options, neither of them checked. Raises HttpProblem for a body that
    is none of these, and for a URL that cannot be fetched.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    # curl --data-binary calls everything a URL-encoded form.
    is_form = kind in FORMS and not (kind == URL_ENCODED and _is_picture(await request.body()))
    if is_form:
        options, files = await _read_form(request)
    elif kind == "application/json":
        options, files = _read_json(await request.body()), []
    elif kind.startswith("image/") or kind in (URL_ENCODED, "application/octet-stream", ""):
        return Picture(await request.body()), {}
    else:
        raise HttpProblem(
            415,
            f"content type {kind[:80]!r}: expected image/..., application/octet-stream, "
            "multipart/form-data with a file, or application/json with a url",
        )
    url = options.pop("url", None)
    if files and url is None:
        return Picture(files[0]), options
    if files:
        raise HttpProblem(400, "form: expected a file or a url, got both")
    if is_form and url is None:
        raise HttpProblem(
            400, "form: expected a file or a url; with curl, -F image=@photo.jpg sends a file"
        )
    return await _fetched(url, services), options


def _is_picture(body: bytes) -> bool:
    try:
        picture_format(body)
    except ImageError as error:
        return isinstance(error, UnsupportedFormatError)  # the reply says so
    return True


async def _read_form(request: Request) -> tuple[dict[str, Any], list[bytes]]:
    """Return the fields and the files of a form that are filled in.

    Browsers send the others too: empty, and a file that was not chosen without a name. What a file
    is called is of no interest otherwise.
    """
    try:
        async with request.form(max_files=1, max_fields=16) as form:
            sent = form.multi_items()
            fields = {name: value for name, value in sent if isinstance(value, str)}
            chosen = [v for _, v in sent if isinstance(v, UploadFile) and (v.filename or v.size)]
            files = [await value.read() for value in chosen]
            return {name: value for name, value in fields.items() if value.strip()}, files
    except (ValueError, HTTPException) as error:  # python-multipart's, and Starlette's
        raise HttpProblem(400, f"form: {getattr(error, 'detail', error)}") from None


def _read_json(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise HttpProblem(400, f"JSON: {error}") from None
    if not isinstance(value, dict):
        raise HttpProblem(400, f"JSON: expected an object with a url, got {type(value).__name__}")
    return value


async def _fetched(url: Any, services: Services) -> Picture:
    if not isinstance(url, str) or not 0 < len(url) <= MAX_URL:
        raise HttpProblem(422, f"url: expected text of 1 to {MAX_URL} characters")
    return await services.fetch(url)


def prefers_picture(accept: str) -> bool:
    """Return whether an Accept header would rather have a picture than JSON."""
    picture, data = 0.0, 0.0
    for kind, weight in _accepted(accept):
        if kind.startswith("image/"):
            picture = max(picture, weight)
        elif kind in ("application/json", "application/*", "*/*"):
            data = max(data, weight)
    return picture > data


def accepts_html(accept: str) -> bool:
    """Return whether an Accept header names HTML, as those of browsers that open a page do."""
    kinds = ("text/html", "application/xhtml+xml", "text/*")
    return any(kind in kinds and weight > 0 for kind, weight in _accepted(accept))


def _accepted(accept: str) -> Iterator[tuple[str, float]]:
    """Yield each media type of an Accept header, and its weight."""
    for entry in accept.split(",", MAX_KINDS)[:MAX_KINDS]:
        kind, *parameters = entry.lower().replace(" ", "").split(";")
        weights = [part[2:] for part in parameters if part.startswith("q=")]
        with contextlib.suppress(ValueError):
            yield kind, float(weights[0]) if weights else 1.0
