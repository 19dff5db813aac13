"""How much of what clients have sent is parsed before the others have their turn.

The libraries parse at once all that one read of a socket has brought, up to 256 KB. That is fast
for whole pictures, but 40,000 chunks, pings or header lines of a few bytes take half a second. So
every parser is given only so much in a turn, and what costs more than anybody needs is refused.
"""

import asyncio
import re
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import h11

from i2t_ros.pipeline.rate_limit import RateLimit

MAX_HEAD = 1 << 16  # bytes of a request before its body
MAX_LINES = 100
"""Headers of a request, and trailers. Apache has the same limit; browsers and proxies send 30."""
MAX_LINE = 8000
"""Bytes of a header, except for cookies: those of other services at this address come here too.
The WebSocket library has this limit, and for cookies as well."""
MAX_TARGET = 8000  # bytes of a request's URL; as RFC 9112, section 3, recommends
MAX_PARAMETERS = 100  # of it
FREE_CHUNKS = 1000
MEAN_CHUNK = 64
"""Bytes of a chunk, on average, once a body has had FREE_CHUNKS. Clients send kilobytes; the lines
of a picture, taken for a text, have 256 bytes."""
EVENTS = 32  # of HTTP in a turn: half a millisecond
SLICE = 2048  # bytes of heads and chunks that h11 is given at a time
FRAMES = 16  # of a WebSocket in a turn, the same time
SMALL_FRAME = 128  # bytes; those of pictures are larger, also if each is sent in many frames
SMALL_RATE = 200.0
"""Small frames (words, pings, ends of pictures) a second of a WebSocket, twice as many at once.
A camera of 60 pictures a second has 60."""

_BLANK_LINE = re.compile(rb"\n\r?\n")  # as h11 has it


class Turns:
    """The connections that have more to parse: one of them does in each round of the loop."""

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], None]] = deque()

    def add(self, turn: Callable[[], None]) -> None:
        """Have a turn called after those of others."""
        self._waiting.append(turn)
        if len(self._waiting) == 1:
            asyncio.get_running_loop().call_soon(self._next)

    def _next(self) -> None:
        try:
            self._waiting[0]()
        finally:
            self._waiting.popleft()
            if self._waiting:
                asyncio.get_running_loop().call_soon(self._next)


class Parser(h11.Connection):
    """h11's parser of what clients send, with limits that it has not.

    refusal   status and message, once a limit is passed
    has_more  whether a turn ended before all was parsed
    """

    def __init__(self, on_more: Callable[[], None]) -> None:
        """Call ``on_more`` when a turn ends before all is parsed."""
        super().__init__(h11.SERVER, MAX_HEAD)
        self.refusal: tuple[int, str] | None = None
        self.has_more = False
        self._on_more = on_more
        self._left = EVENTS
        self._chunks = self._bytes = 0

    def begin_turn(self) -> None:
        """Allow as many events as a turn has."""
        self.has_more, self._left = False, EVENTS

    @property
    def turn_ended(self) -> bool:
        """Whether this turn had all its events."""
        return self._left <= 0

    @property
    def asks_for_head(self) -> bool:
        """Whether the reply to the request has no body, whatever its headers say."""
        return bool(self._request_method == b"HEAD")

    def next_event(self) -> Any:
        """Return the next event; NEED_DATA too if the turn has ended.

        Raises h11.RemoteProtocolError for what is no HTTP, and beyond a limit.
        """
        if self.turn_ended:
            self.has_more = True
            self._on_more()
            return h11.NEED_DATA
        self._left -= 1
        if self.their_state is h11.IDLE:
            self._check_head(self.trailing_data[0])
        event = self._parsed()
        if isinstance(event, h11.Request):
            self._chunks = self._bytes = 0
            if {b"content-length", b"transfer-encoding"} <= {name for name, _ in event.headers}:
                # A proxy may have taken the other one (request smuggling; RFC 9112, section 6.3).
                raise self._beyond(400, "expected Content-Length or Transfer-Encoding, got both")
            for name, value in event.headers:
                if len(name) + len(value) > MAX_LINE and name != b"cookie":
                    raise self._beyond(431, f"expected at most {MAX_LINE} bytes in each header")
        elif isinstance(event, h11.Data):
            self._chunks += event.chunk_start
            self._bytes += len(event.data)
            if self._chunks > FREE_CHUNKS and self._bytes < MEAN_CHUNK * self._chunks:
                raise self._beyond(400, f"expected chunks of {MEAN_CHUNK} bytes or more")
        elif event is h11.NEED_DATA and self.their_state is h11.SEND_BODY:
            self._count(self.trailing_data[0], 0)  # trailers
        return event

    def _parsed(self) -> Any:
        try:
            return super().next_event()
        except h11.RemoteProtocolError as error:
            if error.error_status_hint == 431:
                raise self._beyond(431, f"expected at most {MAX_HEAD} bytes of headers") from error
            # Of the others h11 says what is wrong, but not always what it is about.
            raise self._beyond(error.error_status_hint, f"no valid HTTP: {error}") from error

    def _check_head(self, data: bytes) -> None:
        """Refuse a head that takes long to parse, or would to look at."""
        line = data.find(b"\n")
        if (len(data) if line < 0 else line) > MAX_TARGET + len(b"OPTIONS  HTTP/1.1\r"):
            raise self._beyond(414, f"expected a URL of at most {MAX_TARGET} bytes")
        if data.count(b"&", 0, max(0, line)) > MAX_PARAMETERS:
            raise self._beyond(414, f"expected a URL of at most {MAX_PARAMETERS} parameters")
        self._count(data, line + 1)

    def _count(self, data: bytes, start: int) -> None:
        end = _BLANK_LINE.search(data)
        if data.count(b"\n", start, end.start() + 1 if end else len(data)) > MAX_LINES:
            raise self._beyond(431, f"expected at most {MAX_LINES} headers")

    def _beyond(self, status: int, message: str) -> h11.RemoteProtocolError:
        self.refusal = status, message
        return h11.RemoteProtocolError(message)


class Frames:
    """Where the frames of a WebSocket client lie, by their headers (RFC 6455, section 5.2)."""

    def __init__(self) -> None:
        self._head = b""  # of a frame whose header is not whole
        self._left = 0  # bytes until the next header
        self._small = RateLimit(2 * SMALL_RATE, 2 * SMALL_RATE)

    def cut(self, data: memoryview) -> int:
        """Return how many bytes are those of a turn; -1 if too many frames are small.

        What breaks the rules is passed on: the WebSocket library refuses it.
        """
        at = self._skip(data, 0)
        for _ in range(FRAMES):
            if at == len(data):
                break
            head = self._head + bytes(data[at : at + 14 - len(self._head)])
            code = head[1] & 127 if len(head) > 1 else 0
            size = 6 + {126: 2, 127: 8}.get(code, 0)  # with the mask
            if len(head) < size:
                self._head = head
                return len(data)
            at += size - len(self._head)
            self._head = b""
            length = code if code < 126 else int.from_bytes(head[2 : size - 4], "big")
            if length < SMALL_FRAME and not self._small.allows(time.monotonic(), SMALL_RATE):
                return -1
            self._left = length
            at = self._skip(data, at)
        return at

    def _skip(self, data: memoryview, at: int) -> int:
        skipped = min(self._left, len(data) - at)
        self._left -= skipped
        return at + skipped
