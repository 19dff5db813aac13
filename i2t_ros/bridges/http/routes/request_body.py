"""The picture of an HTTP request, wherever it is, and the options that come beside it."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from starlette.requests import Request

from i2t_ros.bridges.http.forms import (
    MAX_TEXT,
    Fields,
    read_json,
    read_multipart,
    read_url_encoded,
    too_much_text,
)
from i2t_ros.bridges.http.problems import HttpProblem
from i2t_ros.bridges.http.services import Services
from i2t_ros.errors import ImageError, UnsupportedFormatError
from i2t_ros.types import ByteBuffer, Picture
from i2t_ros.vision.codecs import picture_format

MAX_URL = 2048  # characters
MAX_KINDS = 64  # media types of an Accept header that are looked at; browsers send ten
MAX_READ_HERE = 4096  # bytes of a form or JSON; larger ones are read in a thread
JSON = "application/json"
URL_ENCODED = "application/x-www-form-urlencoded"
READERS: Mapping[str, Callable[[bytearray, str], tuple[Fields, list[ByteBuffer]]]] = {
    "multipart/form-data": read_multipart,
    URL_ENCODED: lambda body, _: read_url_encoded(body),
    JSON: lambda body, _: read_json(body),
}
"""What reads the bodies that bring options."""
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
    is none of these, and for a URL that cannot be fetched; BusyError if too many are being read.
    """
    picture, options = await read_any_body(request, services)
    if picture is not None:
        return picture, options
    kind = _kind_of(request)
    if kind == JSON:
        raise HttpProblem(422, f"url: expected text of 1 to {MAX_URL} characters")
    if kind in READERS:
        raise HttpProblem(
            400, "form: expected a file or a url; with curl, -F image=@photo.jpg sends a file"
        )
    return Picture(), options


async def read_any_body(
    request: Request, services: Services
) -> tuple[Picture | None, dict[str, Any]]:
    """Read a body as read_body() does, or one without a picture: None stands for that.

    That is a form or JSON with neither a file nor a URL, or nothing at all that is of no type.
    """
    content_type = request.headers.get("content-type", "")
    kind = _kind_of(request)
    if not (kind in (*READERS, "application/octet-stream", "") or kind.startswith("image/")):
        raise HttpProblem(
            415,
            f"content type {kind[:80]!r}: expected image/..., application/octet-stream, "
            "multipart/form-data with a file, or application/json with a url",
        )
    body = await _received(request, kind)
    # curl --data-binary calls everything a URL-encoded form.
    if kind not in READERS or (kind == URL_ENCODED and _is_picture(body)):
        return (Picture(body) if body or kind else None), {}
    read = READERS[kind]
    if len(body) + len(content_type) > MAX_READ_HERE:
        options, files = await services.reading.run(read, body, content_type)
    else:
        options, files = read(body, content_type)
    url = options.pop("url", None)
    if files and url is None:
        return Picture(files[0]), options
    if files:
        raise HttpProblem(400, "form: expected a file or a url, got both")
    return (None if url is None else await _fetched(url, services)), options


def _kind_of(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def _received(request: Request, kind: str) -> bytearray:
    """Return the body; raises HttpProblem for one that is too large for what it is."""
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_TEXT and (
                kind == JSON or (kind == URL_ENCODED and not _is_picture(body))
            ):
                raise too_much_text(kind)
    except BaseException:
        body.clear()  # which the traceback may hold until the client has the reply
        raise
    return body


def _is_picture(body: bytearray) -> bool:
    try:
        picture_format(body)
    except ImageError as error:
        return isinstance(error, UnsupportedFormatError)  # the reply says so
    return True


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


def prefers_events(accept: str) -> bool:
    """Return whether an Accept header would rather have events than JSON."""
    weights = dict(_accepted(accept))
    return weights.get("text/event-stream", 0.0) > weights.get("application/json", 0.0)


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
