"""The open connections of a listener: how many, and how long each may take for its part.

uvicorn leaves this to a reverse proxy, which a robot does not have: a client that sends nothing, or
a byte of a header now and then, may stay forever. So uvicorn's protocol gets a timer, and an ASGI
application around ours tells it while a request is being answered.
"""

import asyncio
import contextlib
import json
from http import HTTPStatus
from typing import Any, cast

import h11
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from i2t_ros.bridges.counting import counted
from i2t_ros.bridges.http.middleware.access import refuse
from i2t_ros.bridges.http.problems import REFUSALS
from i2t_ros.bridges.http.settings import HttpLimits
from i2t_ros.errors import BusyError
from i2t_ros.pipeline.description_json import error_to_json

CONNECTION = "i2t_ros.connection"
"""Key of the ASGI scope's state: the TimedProtocol of the request."""
MAX_HEAD = 1 << 16  # bytes of a request before its body
MAX_HANDSHAKE_LINE = 8000  # bytes of a header of a WebSocket's handshake, which websockets limits
MAX_HANDSHAKE_LINES = 100
MAX_LINGER = 1 << 26  # bytes that a client may still send after a refusal
MAX_PONGS = 1 << 16
"""Bytes that may wait to be sent to a WebSocket client: only pongs, and it has to read them."""
YIELD_AFTER = 2.0
"""Seconds after which a connection that asks for nothing gives way if there are too many."""


class Waiting:
    """The connections of a listener that are neither answered nor accepted as WebSockets yet."""

    def __init__(self) -> None:
        self._since: dict[TimedProtocol, float] = {}  # in the order in which they began

    def add(self, connection: "TimedProtocol") -> None:
        """Count a connection as waiting from now on."""
        self._since[connection] = asyncio.get_running_loop().time()

    def discard(self, connection: "TimedProtocol") -> None:
        """Count a connection no longer."""
        self._since.pop(connection, None)

    def make_room(self) -> bool:
        """Cut the connection that has waited longest, if that is long; return whether it is."""
        oldest = next(iter(self._since), None)
        now = asyncio.get_running_loop().time()
        if oldest is None or now - self._since[oldest] < YIELD_AFTER:
            return False
        self.discard(oldest)
        oldest.transport.abort()
        return True


class TimedProtocol(H11Protocol):
    """A connection that is cut if its client is too slow, and whose refusals arrive."""

    def __init__(
        self, limits: HttpLimits, waiting: Waiting, *, app_state: dict[str, Any], **others: Any
    ) -> None:
        super().__init__(app_state={**app_state, CONNECTION: self}, **others)
        self.limits = limits
        self.ends_with_client = False
        """Whether a client that sends no more has left: it looks at an endless reply."""
        self._waiting = waiting
        self._is_answering = False
        self._is_idle = False
        self._is_half_closed = False
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Expect a request."""
        super().connection_made(cast(asyncio.Transport, _LingeringTransport(transport, self)))
        if len(self.connections) > self.limits.max_connections:
            self._waiting.make_room()
        self._wait_for_headers()

    def data_received(self, data: bytes) -> None:
        """Pass data on, which may begin a request."""
        if cast(_LingeringTransport, self.transport).swallows(len(data)):
            return
        if self._is_idle:  # what was waited for has begun, and has its own time to end
            self._is_idle = False
            self._stop_waiting()
        if not self._is_answering:
            self._wait_for_headers()
        super().data_received(data)

    def eof_received(self) -> bool | None:  # type: ignore[override]
        """Answer a client that sends no more, if it has asked for something whole that ends."""
        asked = self.cycle is not None and not (
            self.cycle.more_body or self.cycle.response_complete
        )
        may_wait = asked and not self.ends_with_client and self.scheme == "http"
        self._is_half_closed = may_wait
        return may_wait or None

    def connection_lost(self, exc: Exception | None) -> None:
        """Expect nothing more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """Expect the next request, if there may be one."""
        super().on_response_complete()
        if self._is_half_closed:
            self.transport.close()

    def answering(self, now: bool) -> None:
        """Take note that a request is being answered, or no longer."""
        self._is_answering = now
        self._stop_waiting()
        if not now:  # the first bytes of the next request may be here already
            self._is_idle = True
            self._wait_for_headers()

    def has_unread(self) -> bool:
        """Return whether the client may have sent what has not been read."""
        return self.conn.their_state not in (h11.IDLE, h11.DONE, h11.CLOSED, h11.MUST_CLOSE)

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP; uvicorn calls this."""
        if len(self.conn.trailing_data[0]) > MAX_HEAD:
            self._refuse(431, f"expected at most {MAX_HEAD} bytes of headers")
        else:
            self._refuse(400, msg)

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """Pass a handshake on to the WebSocket library, unless that would refuse it in its way."""
        names = {name for name, _ in event.headers}
        longest = max(len(name) + len(value) for name, value in event.headers)
        if longest > MAX_HANDSHAKE_LINE or len(event.headers) > MAX_HANDSHAKE_LINES:
            self._refuse(
                431,
                f"WebSocket: expected at most {MAX_HANDSHAKE_LINES} headers of at most "
                f"{MAX_HANDSHAKE_LINE} bytes",
            )
        elif names & {b"content-length", b"transfer-encoding"}:
            self._refuse(400, "WebSocket: expected a handshake without a body")
        else:
            super().handle_websocket_upgrade(event)

    def _refuse(self, status: int, message: str) -> None:
        """Answer in place of the application, in the form of its errors, and close."""
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):  # it is answering already
            self.transport.abort()
            return
        if self.cycle is not None:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        code = REFUSALS[400][0]
        body = json.dumps(error_to_json(code, message)).encode()
        headers = [
            ("content-type", "application/json"),
            ("content-length", str(len(body))),
            ("connection", "close"),
        ]
        reason = HTTPStatus(status).phrase.encode()
        response = h11.Response(status_code=status, headers=headers, reason=reason)
        for each in (response, h11.Data(data=body), h11.EndOfMessage()):
            self.transport.write(self.conn.send(each) or b"")
        self.transport.close()

    def _wait_for_headers(self) -> None:
        if self._timer is None and not self.transport.is_closing():
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self.limits.header_time, self.transport.abort)
            self._waiting.add(self)

    def _stop_waiting(self) -> None:
        self._waiting.discard(self)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class _LingeringTransport:
    """A transport that closes so that the last reply arrives, and does not fill the memory.

    If a socket with unread bytes is closed, the kernel sends a reset, which destroys a reply that
    is still on its way (RFC 1122, section 4.2.2.13). So this sends no more, and reads and discards
    for a while. Everything else is the transport's own.
    """

    def __init__(self, transport: asyncio.Transport, connection: TimedProtocol) -> None:
        self._transport = transport
        self._connection = connection
        self._left = -1  # bytes that may still come; below 0: it does not linger

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send data; a WebSocket client that does not read its pongs is cut off."""
        self._transport.write(data)
        is_upgraded = self._transport.get_protocol() is not self._connection
        if is_upgraded and self._transport.get_write_buffer_size() > MAX_PONGS:
            self._transport.abort()

    def is_closing(self) -> bool:
        """Return whether nothing more will be sent."""
        return self._left >= 0 or self._transport.is_closing()

    def close(self) -> None:
        """Close once everything has been sent, and what comes has been read for a while."""
        if self.is_closing():
            return
        if not self._connection.has_unread():
            self._transport.close()
            return
        self._left = MAX_LINGER
        loop = asyncio.get_running_loop()
        loop.call_later(self._connection.limits.linger_time, self._transport.abort)
        self._transport.resume_reading()
        if self._transport.can_write_eof():
            with contextlib.suppress(OSError):  # it has left
                self._transport.write_eof()

    def swallows(self, size: int) -> bool:
        """Return whether bytes that have come are discarded."""
        if self._left < 0:
            return False
        self._left -= size
        if self._left < 0:
            self._left = 0
            self._transport.abort()
        return True


def in_time(app: ASGIApp) -> ASGIApp:
    """Return an application that answers with ``app``.

    It refuses connections beyond the limit, and cuts who does not take the reply.
    """

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        connection: TimedProtocol = scope["state"][CONNECTION]
        limit = connection.limits.max_connections

        async def send_in_time(message: Message) -> None:
            try:
                await asyncio.wait_for(send(message), connection.limits.send_time)
            except asyncio.TimeoutError:
                connection.transport.abort()

        connection.answering(True)
        try:
            if len(connection.connections) > limit:
                busy = BusyError(f"{counted(limit, 'connection')} already, the limit: try again")
                await refuse(scope, receive, send, busy)
            elif scope["type"] == "websocket":  # the connection has another protocol from now on
                await app(scope, receive, send)
            else:
                await app(scope, receive, send_in_time)
        finally:
            if scope["type"] == "http":
                connection.answering(False)

    return answer
