"""The ``<SEP>`` protocol: parses bytes into requests and refusals, and encodes replies.

Nothing here touches a socket or a clock. docs/wire_protocol.md specifies every byte, with reasons;
a test runs its examples.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from i2t_ros.bridges.tcp.spanish_reasons import SPANISH_REASONS
from i2t_ros.errors import (
    EmptyImageError,
    I2tError,
    ImageTooLargeError,
    InvalidRequestError,
    TruncatedImageError,
    UnsupportedFormatError,
)
from i2t_ros.pipeline.tasks.registry import check_tasks
from i2t_ros.types import DescribeRequest, Picture, Task
from i2t_ros.vision.codecs import canonical_format

Version = Literal[1, 2]

DEFAULT_PORT = 5001
SEPARATOR = b"<SEP>"

MAX_EXTENSION = 32  # bytes before the separator
MAX_DIGITS = 18  # of the size
MAX_OPTIONS = 1024  # bytes between the second separator and the newline
MAX_HEADER = MAX_EXTENSION + len(SEPARATOR) + MAX_DIGITS + len(SEPARATOR) + MAX_OPTIONS + 1
MAX_REPLY_HEADER: Mapping[Version, int] = {1: 4096, 2: 65536}
"""Bytes; for version 1, as many as the old clients read with one ``recv``."""

ERROR_PREFIX = "Ocurrió el siguiente error: "


@dataclass(frozen=True, slots=True)
class WireRequest:
    """A complete, valid request."""

    version: Version
    describe: DescribeRequest


@dataclass(frozen=True, slots=True)
class Refusal:
    """A request that gets an error as its answer.

    keep_open  whether the request has been read to its end, so that another one may follow
    """

    version: Version
    error: I2tError
    keep_open: bool = False


class RequestParser:
    """Parses the incoming bytes of one connection.

    Call ``feed`` with new bytes, then ``next_request`` until it returns None. Then the parser never
    holds more than MAX_HEADER + ``max_image_bytes`` + the last chunk.
    """

    def __init__(self, max_image_bytes: int) -> None:
        """Refuse pictures of more than ``max_image_bytes``."""
        self._max_image_bytes = max_image_bytes
        self._buffer = bytearray()
        self._header: _Header | None = None
        self._options: dict[str, Any] = {}
        self._refused: I2tError | None = None
        self._unskipped = 0
        self._finished = False
        self._over = False

    def feed(self, data: bytes | bytearray | memoryview) -> None:
        """Add the next bytes of the stream, cut anywhere; bytes after ``finish`` are ignored."""
        if not (self._over or self._finished):
            self._buffer += data

    def finish(self) -> None:
        """Declare the end of the stream: what is there is a whole request, or is refused."""
        self._finished = True

    def next_request(self) -> WireRequest | Refusal | None:
        """Return the next request or refusal, or None if more bytes are needed.

        After a refusal without ``keep_open``, and after a request of version 1, the rest of the
        stream is ignored.
        """
        if self._header is None and (refusal := self._begin()) is not None:
            return refusal
        if self._header is None:
            return None
        if self._refused is not None:
            return self._skip(self._header, self._refused)
        return self._collect(self._header)

    @property
    def begun(self) -> bool:
        """Whether an incomplete request is in the buffer."""
        return self._header is not None or bool(self._buffer)

    @property
    def held(self) -> int:
        """Number of bytes in the buffer."""
        return len(self._buffer)

    @property
    def version(self) -> Version:
        """The client's protocol version, if its bytes so far tell; otherwise 1."""
        header = self._header or _read_header(self._buffer, finished=True)
        return header.version if header else 1

    @property
    def may_be_empty(self) -> bool:
        """Whether the bytes so far would be a complete version 1 request of size 0.

        Nothing in such a request marks its end; only silence tells.
        """
        if self._header is not None:
            return False
        header = _read_header(self._buffer, finished=True)
        return isinstance(header, _Header) and header.version == 1 and header.size == 0

    def _begin(self) -> Refusal | None:
        """Read the header, if it is complete."""
        if not self._buffer:
            return None
        header = _read_header(self._buffer, self._finished)
        if header is None:
            return None
        if isinstance(header, Refusal):
            return self._refuse(header.version, header.error)
        if header.size > self._max_image_bytes:
            error = ImageTooLargeError(
                f"expected a picture of at most {self._max_image_bytes} bytes, "
                f"the header announces {header.size}: send a smaller one"
            )
            return self._refuse(header.version, error)
        try:
            self._options = _read_options(header)
        except I2tError as error:
            if header.version == 1:
                return self._refuse(1, error)
            self._refused = error
        self._header = header
        self._unskipped = header.size
        del self._buffer[: header.length]
        return None

    def _skip(self, header: _Header, error: I2tError) -> Refusal | None:
        """Skip the picture of a refused version 2 request, up to the next request."""
        skipped = min(len(self._buffer), self._unskipped)
        del self._buffer[:skipped]
        self._unskipped -= skipped
        if self._unskipped:
            return self._refuse(header.version, error) if self._finished else None
        self._header = self._refused = None
        return Refusal(header.version, error, keep_open=True)

    def _collect(self, header: _Header) -> WireRequest | Refusal | None:
        """Return the request if its picture is complete."""
        if len(self._buffer) < header.size:
            if not self._finished:
                return None
            error = TruncatedImageError(
                f"expected {header.size} bytes of picture, got {len(self._buffer)} "
                "before the client stopped sending"
            )
            return self._refuse(header.version, error)
        # Without copying the picture: it keeps this buffer, and what follows it gets a new one.
        image, self._buffer = self._buffer, self._buffer[header.size :]
        del image[header.size :]
        self._header = None
        if header.version == 1:
            self._end()
        return WireRequest(
            header.version,
            DescribeRequest(picture=Picture(image) if image else None, **self._options),
        )

    def _refuse(self, version: Version, error: I2tError) -> Refusal:
        self._end()
        return Refusal(version, error)

    def _end(self) -> None:
        self._over = True
        self._header = self._refused = None
        self._buffer.clear()


def encode_success(version: Version, sentence: str, image_size: int) -> bytes:
    """Return a reply header, after which ``image_size`` bytes of picture follow.

    A sentence that is too long for the header is cut after a whole character and ends in "…".
    """
    return _encode(version, b"True", image_size, _clean(sentence))


def encode_error(version: Version, error: I2tError) -> bytes:
    """Return the complete reply to a request that failed."""
    if version == 1:
        reason = SPANISH_REASONS.get(error.code, error.code)
        text = f"{ERROR_PREFIX}{reason} ({_clean(str(error))})"
    else:
        text = f"{error.code}{SEPARATOR.decode()}{_clean(str(error))}"
    return _encode(version, b"False", 0, text)


@dataclass(frozen=True, slots=True)
class _Header:
    version: Version
    extension: bytes
    size: int
    options: bytes
    length: int  # of the header itself


_NOT_IN_EXTENSION = re.compile(rb"[^!-~]")
_DIGITS = re.compile(rb"[0-9]{0,%d}" % (MAX_DIGITS + 1))


# The three functions below return None if they need more bytes (``finished``: none will come).
# The result depends only on the bytes, never on how the stream was cut.


def _read_header(data: bytearray, finished: bool) -> _Header | Refusal | None:
    """Read the header at the start of ``data``."""
    longest = MAX_EXTENSION + len(SEPARATOR)
    separator = data.find(SEPARATOR, 0, longest)
    stray = _NOT_IN_EXTENSION.search(data, 0, longest if separator < 0 else separator)
    if stray is None and separator >= 0:
        return _read_size(data, bytes(data[:separator]), finished)
    if stray or finished or len(data) >= longest:
        got = data[: stray.end()] if stray else data
        return _bad_header(1, "<ext><SEP><size>, for example .jpg<SEP>10000", got)
    return None


def _read_size(data: bytearray, extension: bytes, finished: bool) -> _Header | Refusal | None:
    """Read on after the first separator; what follows the digits tells the version."""
    start = len(extension) + len(SEPARATOR)
    digits = _DIGITS.match(data, start).group()  # type: ignore[union-attr] # always matches
    end = start + len(digits)
    if len(digits) > MAX_DIGITS:
        error = ImageTooLargeError(f"expected a size of at most {MAX_DIGITS} digits, got more")
        return Refusal(1, error)
    rest = data[end : end + len(SEPARATOR)]
    if SEPARATOR.startswith(rest) and rest != SEPARATOR and not finished:
        return None
    if not digits:
        return _bad_header(1, "the picture's size in decimal digits after <SEP>", rest[:1])
    if rest[:1] == b"\n":
        return _Header(2, extension, int(digits), b"", end + 1)
    if rest == SEPARATOR:
        return _read_line(data, extension, int(digits), end + len(SEPARATOR), finished)
    return _Header(1, extension, int(digits), b"", end)


def _read_line(
    data: bytearray, extension: bytes, size: int, start: int, finished: bool
) -> _Header | Refusal | None:
    """Read the options of version 2, from ``start`` to the newline."""
    newline = data.find(b"\n", start, start + MAX_OPTIONS + 1)
    if newline >= 0:
        return _Header(2, extension, size, bytes(data[start:newline]), newline + 1)
    if finished or len(data) > start + MAX_OPTIONS:
        expected = f"a newline after at most {MAX_OPTIONS} bytes of options"
        return _bad_header(2, expected, data[start:])
    return None


def _bad_header(version: Version, expected: str, got: bytes | bytearray) -> Refusal:
    error = InvalidRequestError(f"request header: expected {expected}, got {_shown(got)}")
    return Refusal(version, error)


def _shown(data: bytes | bytearray) -> str:
    """Return the first bytes of ``data`` as printable text."""
    return ascii(bytes(data[:MAX_EXTENSION]).decode("latin-1"))


def _read_options(header: _Header) -> dict[str, Any]:
    """Return the checked fields of the DescribeRequest, without its picture."""
    format = canonical_format(header.extension.decode("ascii"))
    fields: dict[str, Any] = {"annotate": True}
    for name, value in _split_options(header.options):
        field, read = _OPTIONS[name]
        fields[field] = read(value)
    newest_frame = "camera" in fields
    if newest_frame and header.size:
        raise InvalidRequestError(
            f"camera= asks for that camera's newest frame: expected size 0, got {header.size}"
        )
    if newest_frame and format != "jpeg":
        raise UnsupportedFormatError(
            f"a camera's frame is JPEG: expected .jpg, got {_shown(header.extension)}"
        )
    if not (newest_frame or header.size):
        raise EmptyImageError("expected a picture, the header announces 0 bytes")
    return fields


def _split_options(options: bytes) -> list[tuple[str, str]]:
    """Return names and values; raises InvalidRequestError if the options are malformed."""
    try:
        text = options.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidRequestError(f"expected options in UTF-8, got {_shown(options)}") from error
    pairs = [item.partition("=") for item in text.split(";") if item]
    names = [name for name, _, _ in pairs]
    for name, equals, value in pairs:
        if name not in _OPTIONS:
            raise InvalidRequestError(f"unknown option {name!a}: expected {', '.join(_OPTIONS)}")
        if not equals or _CONTROL.search(value):
            raise InvalidRequestError(f"option {name}: expected {name}=value, got {value!a}")
        if names.count(name) > 1:
            raise InvalidRequestError(f"option {name} is given more than once")
    return [(name, value) for name, _, value in pairs]


def _flag(value: str) -> bool:
    if value not in ("0", "1"):
        raise InvalidRequestError(f"option annotate: expected 0 or 1, got {value!a}")
    return value == "1"


def _score(value: str) -> float:
    if not re.fullmatch(r"0(\.[0-9]+)?|1(\.0+)?", value, re.ASCII):
        raise InvalidRequestError(f"option min_score: expected 0.0 to 1.0, got {value!a}")
    return float(value)


def _tasks(value: str) -> tuple[Task, ...]:
    return check_tasks(value.split(",") if value else [])


_OPTIONS: Mapping[str, tuple[str, Callable[[str], Any]]] = {
    "lang": ("language", str),
    "style": ("style", str),
    "annotate": ("annotate", _flag),
    "min_score": ("min_score", _score),
    "camera": ("camera", str),
    "tasks": ("tasks", _tasks),
}
"""Option -> field of DescribeRequest, and the function that reads its value."""


_CONTROL = re.compile("[\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029]")


def _encode(version: Version, word: bytes, size: int, text: str) -> bytes:
    start = b"%s%s%d%s" % (word, SEPARATOR, size, SEPARATOR)
    end = b"" if version == 1 else b"\n"
    room = MAX_REPLY_HEADER[version] - len(start) - len(end)
    return start + _fit(text, room) + end


def _clean(text: str) -> str:
    """Return ``text`` without line ends and separators, which would break a header."""
    return _CONTROL.sub(" ", text).replace(SEPARATOR.decode(), "< SEP >")


def _fit(text: str, room: int) -> bytes:
    """Return ``text`` in UTF-8, cut after a whole character to at most ``room`` bytes."""
    data = text.encode("utf-8", "replace")
    if len(data) <= room:
        return data
    ellipsis = "…".encode()
    return data[: room - len(ellipsis)].decode("utf-8", "ignore").encode() + ellipsis
