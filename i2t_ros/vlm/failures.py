"""What went wrong at a language model's server, as errors of this package."""

import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from types import ModuleType

from i2t_ros.errors import (
    I2tError,
    LanguageModelBusyError,
    LanguageModelCutError,
    LanguageModelError,
    LanguageModelFormatError,
    LanguageModelKeyError,
    LanguageModelProtocolError,
    LanguageModelRefusedError,
    LanguageModelServerError,
    LanguageModelTimeError,
    LanguageModelUnreachableError,
)
from i2t_ros.language.grammar import clean
from i2t_ros.vlm.settings import KEY

LONGEST = 300
"""Characters of a server's own words in a message."""
PAUSE = 5.0
"""Seconds for which a server that is busy is not asked again, if it does not say for how long."""
LONGEST_PAUSE = 300.0


def explained(error: Exception, name: str, openai: ModuleType, key: str) -> I2tError:
    """Return the error of this package for one of the openai package; ``name`` is the model's.

    No message has the ``key``, even if the server repeats it.
    """
    for cause in _causes(error):
        if isinstance(cause, I2tError):
            text = _shown(str(cause), key)
            return type(cause)(text if text.startswith(name) else f"{name}: {text}")
    kind, what = _kind(error, openai)
    said = _shown(_words(error), key)
    said = said if len(said) <= LONGEST else f"{said[: LONGEST - 1]}…"
    return kind(f"{name}: {what}" + (f": {said}" if said else ""))


def retry_after(error: Exception) -> float:
    """Return for how many seconds a busy server wants not to be asked (RFC 9110, 10.2.3)."""
    response = getattr(error, "response", None)
    wanted = response.headers.get("retry-after", "") if response is not None else ""
    try:
        seconds = float(wanted)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(wanted).timestamp() - time.time()
        except (ValueError, TypeError, OverflowError):
            seconds = PAUSE
    return min(max(seconds, 1.0), LONGEST_PAUSE) if seconds == seconds else PAUSE  # noqa: PLR0124


def _kind(  # noqa: PLR0911 (one for each kind of status)
    error: Exception, openai: ModuleType
) -> tuple[type[LanguageModelError], str]:
    match error:
        case openai.AuthenticationError() | openai.PermissionDeniedError():
            return LanguageModelKeyError, f"HTTP {error.status_code}, set {KEY} in the environment"
        case openai.RateLimitError():
            return LanguageModelBusyError, "HTTP 429, it takes no more requests for now"
        case openai.APIStatusError():
            status = error.status_code
            if status >= 500:
                return LanguageModelServerError, f"HTTP {status}, the server failed"
            if status < 400:
                return LanguageModelProtocolError, f"HTTP {status}, a redirect"
            return LanguageModelRefusedError, f"HTTP {status}"
    # Of a stream, some versions of the package raise the errors of the network as they are.
    names = {type(cause).__name__ for cause in _causes(error)}
    for kind, what, ours in _BY_NAME:
        if names & ours:
            return kind, what
    return LanguageModelFormatError, "the answer is not that of a chat-completions API"


_BY_NAME: tuple[tuple[type[LanguageModelError], str, set[str]], ...] = (
    (
        LanguageModelCutError,
        "the connection ended before the answer",
        {"RemoteProtocolError", "ReadError", "WriteError", "CloseError"},
    ),
    (LanguageModelTimeError, "no answer in time", {"APITimeoutError", "TimeoutException"}),
    (
        LanguageModelUnreachableError,
        "no answer; does it run, is caption_url right?",
        {"APIConnectionError", "ConnectError"},
    ),
    (LanguageModelFormatError, "a part of the answer is no JSON", {"JSONDecodeError"}),
    (LanguageModelServerError, "the server reported an error in its answer", {"APIError"}),
)
"""Error, what it says, and names of classes of openai, httpx and httpx2; the first that fits."""


def _shown(text: str, key: str) -> str:
    """Return a text that a server may have written, without the key and control characters."""
    text = clean(text)
    for form in filter(None, (key, repr(key)[1:-1])):  # in quotation marks it may be escaped
        text = text.replace(form, "***")
    return text


def _words(error: Exception) -> str:
    """Return what the server, or the network, says itself."""
    body = getattr(error, "body", None)
    if isinstance(body, dict):
        return str(body.get("message") or body.get("error") or body)
    if error.__cause__ is not None:
        return str(error.__cause__) or type(error.__cause__).__name__
    return str(body or error)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
