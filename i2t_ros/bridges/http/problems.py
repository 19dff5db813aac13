"""Errors as HTTP replies: the one place where codes become statuses.

Every error's body is ``{"error": {"code": ..., "message": ...}}``. The codes are those of
``i2t_ros.errors`` and, for what only HTTP knows, those of this module.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response

from i2t_ros import errors
from i2t_ros.errors import I2tError

log = logging.getLogger("i2t_ros.http")

STATUS: Mapping[type[I2tError], int] = {
    I2tError: 500,
    errors.ImageError: 422,
    errors.UnsupportedFormatError: 415,
    errors.ImageTooLargeError: 413,
    errors.RequestError: 422,
    errors.UnknownCameraError: 404,
    errors.NoFrameError: 503,
    errors.ModelError: 500,
    errors.ModelMissingError: 503,
    errors.ModelDownloadError: 503,
    errors.BackendError: 500,
    errors.BackendMissingError: 503,
    errors.BackendUnavailableError: 503,
    errors.SourceError: 503,
    errors.ServiceError: 503,
    errors.TimeLimitError: 504,
}
"""A class without an entry has the status of its base."""

RETRY_AFTER = 1  # seconds; what 429 and 503 tell clients

CODES: Mapping[int, str] = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    408: "time_limit",
    409: "conflict",
    413: "body_too_large",
    415: "unsupported_media_type",
    421: "unknown_host",
    422: "invalid_request",
    429: "too_many_requests",
}
"""Codes for what fails before anybody thinks of pictures."""


class HttpProblem(Exception):  # noqa: N818 (it is a reply before it is an error)
    """A refusal that only HTTP knows; ``code`` by default that of the status."""

    def __init__(
        self, status: int, message: str, code: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        """Refuse with ``status``."""
        super().__init__(message)
        self.status = status
        self.code = code or CODES[status]
        self.headers = dict(headers or {})

    def response(self) -> JSONResponse:
        """Return the reply."""
        return problem_response(self.status, self.code, str(self), self.headers)


def status_of(error: I2tError) -> int:
    """Return the HTTP status of an error."""
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def problem_response(
    status: int, code: str, message: str, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """Return an error's reply."""
    extra = dict(headers or {})
    if status in (429, 503):
        extra.setdefault("retry-after", str(RETRY_AFTER))
    return JSONResponse({"error": {"code": code, "message": message}}, status, extra)


def error_response(error: I2tError) -> JSONResponse:
    """Return the reply for an error of the tree."""
    return problem_response(status_of(error), error.code, str(error))


def validation_message(errors: Sequence[Any]) -> str:
    """Return the first of pydantic's errors in a line: what it is about, and what is wrong."""
    where = ".".join(str(part) for part in errors[0]["loc"])
    return f"{where}: {errors[0]['msg']}"


def add_error_handlers(app: FastAPI) -> None:
    """Have every failure of ``app`` answered in this form, and none with a stack trace."""

    def of_tree(request: Request, error: Any) -> JSONResponse:
        return error_response(error)

    def of_http(request: Request, error: Any) -> JSONResponse:
        return error.response()  # type: ignore[no-any-return]

    def of_framework(request: Request, error: Any) -> JSONResponse:
        code = CODES.get(error.status_code, "error")
        return problem_response(error.status_code, code, str(error.detail), error.headers)

    def of_parameters(request: Request, error: Any) -> JSONResponse:
        return problem_response(422, "invalid_request", validation_message(error.errors()))

    app.add_exception_handler(I2tError, of_tree)
    app.add_exception_handler(HttpProblem, of_http)
    app.add_exception_handler(HTTPException, of_framework)

    def of_one_who_left(request: Request, error: Any) -> Response:
        return Response(status_code=400)  # nobody reads it

    def of_bug(request: Request, error: Any) -> JSONResponse:
        # Starlette raises the error again, and the server's log has it.
        return problem_response(500, I2tError.code, "the server failed; its log says why")

    app.add_exception_handler(RequestValidationError, of_parameters)
    app.add_exception_handler(ClientDisconnect, of_one_who_left)
    app.add_exception_handler(Exception, of_bug)
