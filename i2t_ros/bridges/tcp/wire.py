"""The ``<SEP>`` protocol: parses bytes into requests and refusals, and encodes replies.

Nothing here touches a socket or a clock. docs/wire_protocol.md specifies every byte, with reasons;
a test runs its examples.
"""

import functools
import re
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from i2t_ros.errors import (
    EmptyImageError,
    I2tError,
    ImageTooLargeError,
    InvalidRequestError,
    TruncatedImageError,
    UnsupportedFormatError,
)
from i2t_ros.pipeline.asking import LONGEST_QUESTION, check_question
from i2t_ros.pipeline.tasks.registry import check_tasks
from i2t_ros.resources import config_path, load_yaml
from i2t_ros.types import DescribeRequest, Picture
from i2t_ros.vision.codecs import canonical_format

Version = Literal[1, 2]

DEFAULT_PORT = 5001
SEPARATOR = b"<SEP>"

MAX_EXTENSION = 32  # bytes before the separator
MAX_DIGITS = 18  # of the size
MAX_OPTIONS = 1024 + 4 * LONGEST_QUESTION  # bytes between the second separator and the newline
MAX_HEADER = MAX_EXTENSION + len(SEPARATOR) + MAX_DIGITS + len(SEPARATOR) + MAX_OPTIONS + 1
MAX_REPLY_HEADER: Mapping[Version, int] = {1: 4096, 2: 65536}
"""Bytes; for version 1, as many as the old clients read with one ``recv``."""

ERROR_PREFIX = "Ocurrió el siguiente error: "


@functools.cache
def spanish_reasons() -> Mapping[str, str]:
    """Return, for each code of an I2tError, the reason that clients of version 1 get."""
    reasons: dict[str, str] = load_yaml(config_path("tcp_errors_es.yaml"))
    return reasons


@functools.cache
def _spanish_details() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Return the messages that have a Spanish text, as patterns, each with that text."""
    details: dict[str, str] = load_yaml(config_path("tcp_details_es.yaml"))
    return tuple(
        (re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>.+?)", re.escape(message)), re.DOTALL), text)
        for message, text in details.items()
    )


def spanish_detail(message: str) -> str:
    """Return an error's message in Spanish, or as it is if it has no Spanish text."""
    for pattern, text in _spanish_details():
        if found := pattern.fullmatch(message):
            return text.format(**found.groupdict())
    return message


@dataclass(frozen=True, slots=True)
class WireRequest:
    """What a client asks, or the error that is its answer.

    keep_open  whether the request has been read to its end, and another one may follow
    """

    version: Version
    content: DescribeRequest | I2tError
    keep_open: bool = False


class RequestParser:
    """Parses the incoming bytes of one connection.

    Call ``feed`` with new bytes, then ``next_request`` until it returns None. Then the parser never
    holds more than MAX_HEADER + ``max_image_bytes`` + the last chunk.
    """

    def __init__(self, max_image_bytes: int) -> None:
        self._max_image_bytes = max_image_bytes
        self._buffer = bytearray()
        self._header: _Header | None = None  # of the request whose picture is being received
        self._finished = False
        self._found = self._all()

    def feed(self, data: bytes | bytearray | memoryview) -> None:
        """Add the next bytes of the stream, cut anywhere; bytes after ``finish`` are ignored."""
        if not self._finished:
            self._buffer += data

    def finish(self) -> None:
        """Declare the end of the stream: what is there is a whole request, or is refused."""
        self._finished = True

    def refuse(self, error: I2tError) -> WireRequest:
        """Return the refusal of the incomplete request; the rest of the stream is ignored."""
        refusal = WireRequest(self.version, error)
        self._finished = True
        self._header = None
        self._buffer.clear()
        self._found = iter(())
        return refusal

    def next_request(self) -> WireRequest | None:
        """Return the next request or refusal, or None if more bytes are needed.

        After a refusal without ``keep_open``, and after a request of version 1, the rest of the
        stream is ignored.
        """
        return next(self._found, None)

    @property
    def begun(self) -> bool:
        """Whether an incomplete request is in the buffer."""
        return self._header is not None or bool(self._buffer)

    @property
    def received(self) -> int:
        """How many bytes of an incomplete request's picture are in the buffer."""
        return min(self._header.size, len(self._buffer)) if self._header else 0

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
        header = None if self._header else _read_header(self._buffer, finished=True)
        return isinstance(header, _Header) and header.version == 1 and header.size == 0

    def _all(self) -> Iterator[WireRequest | None]:
        """Yield what the stream holds, and None whenever more bytes are needed."""
        keep_open = True
        while keep_open:
            found = yield from self._one()
            self._header = None
            keep_open = found.keep_open
            if not keep_open:
                self._finished = True
                self._buffer.clear()
            yield found

    def _one(self) -> Generator[None, None, WireRequest]:
        while not self._buffer or (header := _read_header(self._buffer, self._finished)) is None:
            yield
        if not isinstance(header, _Header):
            return header
        version, size = header.version, header.size
        if size > self._max_image_bytes:
            expected = f"expected a picture of at most {self._max_image_bytes} bytes"
            announced = f"the header announces {size}: send a smaller one"
            return WireRequest(version, ImageTooLargeError(f"{expected}, {announced}"))
        try:
            options = _read_options(header)
        except I2tError as error:
            if version == 2:
                del self._buffer[: header.length]
                return (yield from self._skip(header, error))
            return WireRequest(1, error)
        self._header = header
        del self._buffer[: header.length]
        while len(self._buffer) < size:
            if self._finished:
                expected = f"expected {size} bytes of picture, got {len(self._buffer)}"
                cut = TruncatedImageError(f"{expected} before the client stopped sending")
                return WireRequest(version, cut)
            yield
        # The smaller part is copied: neither large pictures, nor what follows each of many small
        # ones. The other part keeps this buffer.
        if 2 * size < len(self._buffer):
            image = self._buffer[:size]
            del self._buffer[:size]
        else:
            image, self._buffer = self._buffer, self._buffer[size:]
            del image[size:]
        picture = Picture(image) if image else None
        request = DescribeRequest(picture=picture, **options)
        return WireRequest(version, request, keep_open=version == 2)

    def _skip(self, header: "_Header", error: I2tError) -> Generator[None, None, WireRequest]:
        """Throw away the picture of a refused version 2 request, up to the next request."""
        self._header, left = header, header.size
        while left > len(self._buffer):
            left -= len(self._buffer)
            self._buffer.clear()
            if self._finished:
                return WireRequest(2, error)
            yield
        del self._buffer[:left]
        return WireRequest(2, error, keep_open=True)


def encode_success(version: Version, sentence: str, image_size: int) -> bytes:
    """Return a reply header, after which ``image_size`` bytes of picture follow.

    A sentence that is too long for the header is cut after a whole character and ends in "…".
    """
    return _encode(version, b"True", image_size, _field(sentence))


def encode_error(version: Version, error: I2tError) -> bytes:
    """Return the complete reply to a request that failed."""
    if version == 1:
        reason = spanish_reasons().get(error.code, error.code)
        text = f"{ERROR_PREFIX}{reason} ({_field(spanish_detail(str(error)))})"
    else:
        text = f"{error.code}{SEPARATOR.decode()}{_field(str(error))}"
    return _encode(version, b"False", 0, text)


@dataclass(frozen=True, slots=True)
class _Header:
    version: Version
    extension: bytes
    size: int
    options: bytes
    length: int  # of the header itself


_HEADER = re.compile(
    rb"([!-~]{0,%d}?)<SEP>([0-9]{0,%d})(\n|<SEP>([^\n]{0,%d})\n)?"
    % (MAX_EXTENSION, MAX_DIGITS + 1, MAX_OPTIONS)
)
_NOT_IN_EXTENSION = re.compile(rb"[^!-~]")


def _read_header(  # noqa: PLR0911 (one for each kind of header)
    data: bytearray, finished: bool
) -> _Header | WireRequest | None:
    """Read the header at the start of ``data``.

    Returns None if more bytes are needed (``finished``: none will come). The result depends only on
    the bytes, never on how the stream was cut.
    """
    found = _HEADER.match(data)
    if found is None:
        first = data[: MAX_EXTENSION + len(SEPARATOR)]
        stray = _NOT_IN_EXTENSION.search(first)
        if not (stray or finished or len(first) == MAX_EXTENSION + len(SEPARATOR)):
            return None
        got = first[: stray.end()] if stray else first
        return _bad_header(1, "<ext><SEP><size>, for example .jpg<SEP>10000", got)
    extension, digits, is_version_2, options = found.groups()
    if len(digits) > MAX_DIGITS:
        error = ImageTooLargeError(f"expected a size of at most {MAX_DIGITS} digits, got more")
        return WireRequest(1, error)
    end = found.end(2)
    rest = data[end : end + len(SEPARATOR)]  # tells the version
    if SEPARATOR.startswith(rest) and rest != SEPARATOR and not finished:
        return None
    if not digits:
        return _bad_header(1, "the picture's size in decimal digits after <SEP>", rest[:1])
    if is_version_2:
        return _Header(2, extension, int(digits), options or b"", found.end())
    if rest != SEPARATOR:
        return _Header(1, extension, int(digits), b"", end)
    start = end + len(SEPARATOR)
    if not finished and len(data) <= start + MAX_OPTIONS:
        return None
    expected = f"a newline after at most {MAX_OPTIONS} bytes of options"
    return _bad_header(2, expected, data[start:])


def _bad_header(version: Version, expected: str, got: bytes | bytearray) -> WireRequest:
    error = InvalidRequestError(f"request header: expected {expected}, got {_shown(got)}")
    return WireRequest(version, error)


def _shown(data: bytes | bytearray) -> str:
    """Return the first bytes of ``data`` as printable text."""
    return ascii(bytes(data[:MAX_EXTENSION]).decode("latin-1"))


def _question(value: str) -> str:
    check_question(value)
    return value


_OPTIONS: Mapping[str, tuple[str, str, str, Callable[[str], Any]]] = {
    "lang": ("language", "text", ".*", str),
    "style": ("style", "text", ".*", str),
    "spoken": ("spoken", "0 or 1", "[01]", lambda value: value == "1"),
    "annotate": ("annotate", "0 or 1", "[01]", lambda value: value == "1"),
    "min_score": ("min_score", "0.0 to 1.0", r"0(\.[0-9]+)?|1(\.0+)?", float),
    "camera": ("camera", "text", ".*", str),
    "tasks": ("tasks", "tasks", ".*", lambda value: check_tasks(filter(None, value.split(",")))),
    "question": ("question", "text", ".*", _question),
}
"""Option -> field of DescribeRequest, what is expected, its pattern, and what reads its value."""

_ITEM = re.compile("(question=.*)|([^;]*);?", re.DOTALL)
"""One option; a question is the last one, because it may have any character but a newline."""

_CONTROL = re.compile("[\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029]")


def _read_options(header: _Header) -> dict[str, Any]:
    """Return the checked fields of the DescribeRequest, without its picture."""
    format = canonical_format(header.extension.decode("ascii"))
    fields: dict[str, Any] = {"annotate": True}
    try:
        items = [found[1] or found[2] for found in _ITEM.finditer(header.options.decode("utf-8"))]
    except UnicodeDecodeError:
        got = _shown(header.options)
        raise InvalidRequestError(f"expected options in UTF-8, got {got}") from None
    given = set()
    for name, equals, value in (item.partition("=") for item in items if item):
        if name not in _OPTIONS:
            raise InvalidRequestError(f"unknown option {name!a}: expected {', '.join(_OPTIONS)}")
        field, expected, pattern, read = _OPTIONS[name]
        if not equals or _CONTROL.search(value) or not re.fullmatch(pattern, value):
            raise InvalidRequestError(f"option {name}: expected {name}={expected}, got {value!a}")
        if name in given:
            raise InvalidRequestError(f"option {name} is given more than once")
        given.add(name)
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


def _encode(version: Version, word: bytes, size: int, text: str) -> bytes:
    """Return a header, with ``text`` cut after a whole character if it does not fit."""
    start = b"%s%s%d%s" % (word, SEPARATOR, size, SEPARATOR)
    end = b"" if version == 1 else b"\n"
    room = MAX_REPLY_HEADER[version] - len(start) - len(end)
    data = text.encode("utf-8", "replace")
    if len(data) > room:
        ellipsis = "…".encode()
        data = data[: room - len(ellipsis)].decode("utf-8", "ignore").encode() + ellipsis
    return start + data + end


def _field(text: str) -> str:
    """Return ``text`` as a part of a header, which has separators and line ends of its own."""
    return one_line(text).replace(SEPARATOR.decode(), "< SEP >")


def one_line(text: str) -> str:
    """Return ``text`` without line ends and other control characters."""
    return _CONTROL.sub(" ", text)
