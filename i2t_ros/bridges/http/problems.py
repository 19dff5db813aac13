"""Errors as HTTP replies: the one place where codes become statuses.

Every error's body is ``{"error": {"code": ..., "message": ...}}``. The codes are those of
``i2t_ros.errors`` and, for what only HTTP knows, those of this module.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, HTTPConnection
from starlette.responses import JSONResponse

from i2t_ros import errors
from i2t_ros.errors import I2tError
from i2t_ros.pipeline.description_json import error_to_json

STATUS: Mapping[type[I2tError], int] = {
    I2tError: 500,
    errors.ImageError: 422,
    errors.UnsupportedFormatError: 415,
    errors.BodyTooLargeError: 413,
    errors.FetchError: 502,
    errors.FetchRefusedError: 403,
    errors.ImageTooLargeError: 413,
    errors.RequestError: 422,
    errors.UnknownCameraError: 404,
    errors.NoFrameError: 503,
    errors.ModelError: 500,
    errors.ModelMissingError: 503,
    errors.ScriptError: 422,
    errors.ModelDownloadError: 503,
    errors.BackendError: 500,
    errors.BackendMissingError: 503,
    errors.BackendUnavailableError: 503,
    errors.SourceError: 503,
    errors.ServiceError: 503,
    # Another server's failure is no 503, after which clients try again; 401 would be about their
    # own token. Without a language model a question is not implemented here.
    errors.LanguageModelError: 502,
    errors.LanguageModelOffError: 501,
    errors.LanguageModelBusyError: 503,
    errors.LanguageModelTimeError: 504,
    errors.TimeLimitError: 504,
}
"""A class without an entry has the status of its base."""

RETRY_AFTER = "1"  # seconds; what 429 and 503 tell clients

REFUSALS: Mapping[int, tuple[str, str]] = {
    400: ("bad_request", "the body is not what its content type says"),
    401: ("unauthorized", "the token is missing or wrong"),
    403: ("forbidden", "not allowed here"),
    404: ("not_found", "there is no such thing"),
    405: ("method_not_allowed", "the path has no such method"),
    408: ("time_limit", "the body came too slowly"),
    409: ("conflict", "the name is taken"),
    413: ("body_too_large", "too many bytes or pixels"),
    415: ("unsupported_media_type", "neither a picture nor one of the other bodies"),
    421: ("unknown_host", "the server does not have the name that it was called by"),
    422: ("invalid_request", "the picture or an option cannot be used"),
    429: ("too_many_requests", "too many requests"),
    500: ("error", "the server failed"),
    501: ("vlm_off", "no language model is set up"),
    502: ("fetch_failed", "the URL's server, or that of the language model, failed"),
    503: ("service_error", "busy, or the detector cannot be reached: try again"),
    504: ("time_limit", "no answer in time"),
}
"""The code of each status if no error of the tree has a better one; its text in the OpenAPI."""


class HttpProblem(HTTPException):
    """A refusal that only HTTP knows; ``code`` by default that of the status."""

    def __init__(
        self, status: int, message: str, code: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(status, message, dict(headers or {}))
        self.code = code or REFUSALS[status][0]


def status_of(error: I2tError) -> int:
    """Return the HTTP status of an error."""
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def explain(error: Exception) -> tuple[int, str, str]:
    """Return the status, code and message of any error, with nothing of the inside of a bug."""
    match error:
        case I2tError():
            return status_of(error), error.code, str(error)
        case HTTPException():
            default = REFUSALS.get(error.status_code, ("error", ""))[0]
            return error.status_code, getattr(error, "code", default), str(error.detail)
        case RequestValidationError():
            return 422, "invalid_request", validation_message(error.errors())
        case ClientDisconnect():
            return 400, "bad_request", "the client has left"
    # Starlette raises the error again, and the server's log has it.
    return 500, I2tError.code, "the server failed; its log says why"


def problem_response(error: Exception, body: Any = None) -> JSONResponse:
    """Return an error's reply, with a body of its own if there is one."""
    status, code, message = explain(error)
    headers = dict(getattr(error, "headers", None) or {})
    if status in (429, 503):
        headers.setdefault("retry-after", RETRY_AFTER)
    return JSONResponse(body or error_to_json(code, message), status, headers)


async def answer_error(connection: HTTPConnection, error: Exception) -> JSONResponse:
    """Answer a request that failed."""
    return problem_response(error)


HANDLERS: dict[Any, Any] = dict.fromkeys(
    (I2tError, HTTPException, RequestValidationError, ClientDisconnect, Exception), answer_error
)
"""FastAPI's: every failure is answered in this form, and none with a stack trace."""


def validation_message(errors: Sequence[Any]) -> str:
    """Return the first of pydantic's errors in a line: what it is about, and what is wrong."""
    where = ".".join(str(part) for part in errors[0]["loc"])
    return f"{where}: {errors[0]['msg']}"
