"""What a response may look like and hold, checked before a byte of it is parsed.

The openai package is built on httpx, from version 3 on on httpx2, which has the same classes.
"""

from collections.abc import AsyncIterator
from importlib import import_module
from types import ModuleType
from typing import Any

from i2t_ros.errors import LanguageModelProtocolError, LanguageModelSizeError

BYTES = 256 << 10
BYTES_OF_TOKEN = 8 << 10
"""A server sends some 250 bytes for each token, and a kilobyte with their probabilities."""
ERROR_BYTES = 64 << 10
"""Of a response that says why there is no answer."""
LONGEST_VALUE = 80
"""Characters of a header's value that messages have."""


def http_client(openai: ModuleType, max_bytes: int, kind: str) -> Any:
    """Return openai's HTTP client, which follows no redirects.

    Of an answer of the media type ``kind`` it reads ``max_bytes`` at most, and no other answer.
    """
    http = import_module(openai.DefaultAsyncHttpxClient.__mro__[1].__module__.partition(".")[0])

    async def check(response: Any) -> None:
        encoding = response.headers.get("content-encoding", "identity")
        if encoding != "identity":  # a few bytes may become many
            raise LanguageModelProtocolError(
                "expected an answer that is not compressed, got Content-Encoding: "
                f"{_if_short(encoding)}"
            )
        got = response.headers.get("content-type", "").partition(";")[0].strip()
        good = response.is_success
        if good and got.lower() != kind:
            raise LanguageModelProtocolError(
                f"expected {kind}, got {_if_short(got) or 'no Content-Type'}: is this the URL of a "
                "chat-completions API?"
            )
        most = max_bytes if good else ERROR_BYTES
        response.stream = _limited(http, response.stream, most)

    # A key is for the host that it was meant for.
    return openai.DefaultAsyncHttpxClient(
        follow_redirects=False,
        event_hooks={"response": [check]},
        headers={"accept-encoding": "identity"},
    )


def _if_short(value: str) -> str:
    """Return a header's value whole: a part of a key that it repeats could not be told as such."""
    return value if len(value) <= LONGEST_VALUE else f"{len(value)} characters"


def _limited(http: ModuleType, stream: Any, most: int) -> Any:
    """Return a stream of bytes that raises LanguageModelSizeError beyond ``most``."""

    class Limited(http.AsyncByteStream):  # type: ignore[misc, name-defined]
        async def __aiter__(self) -> AsyncIterator[bytes]:
            left = most
            async for part in stream:
                left -= len(part)
                if left < 0:
                    raise LanguageModelSizeError(f"the answer has more than {most} bytes")
                yield part

        async def aclose(self) -> None:
            await stream.aclose()

    return Limited()
