"""The open connections of a listener: how many, and how long each may take for its part.

uvicorn leaves this to a reverse proxy, which a robot does not have: a client that sends nothing, or
a byte of a header now and then, may stay forever. So uvicorn's protocol gets a timer, and an ASGI
application around ours tells it while a request is being answered.
"""

import asyncio
import json
import re
from email.utils import formatdate
from http import HTTPStatus
from typing import Any, cast

import h11
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol
from websockets.exceptions import InvalidState

from i2t_ros.bridges.counting import counted
from i2t_ros.bridges.http.lingering import LingeringTransport
from i2t_ros.bridges.http.middleware.access import refuse
from i2t_ros.bridges.http.problems import REFUSALS
from i2t_ros.bridges.http.replies import CONNECTION
from i2t_ros.bridges.http.settings import HttpLimits
from i2t_ros.bridges.http.turns import MAX_LINE, SLICE, Frames, Parser, Turns
from i2t_ros.bridges.http.waiting import Waiting
from i2t_ros.errors import BusyError
from i2t_ros.pipeline.description_json import error_to_json

TOO_MANY = b"\x88\x02\x03\xf0"
"""A WebSocket's close frame with the code 1008, policy violation (RFC 6455, section 7.4.1)."""


class TimedProtocol(H11Protocol):
    """A connection that is cut if its client is too slow, and whose refusals arrive.

    It parses what comes in turns with the others, also for the WebSocket that it becomes.

    websocket  uvicorn's protocol of that, or None
    """

    transport: "LingeringTransport"  # type: ignore[assignment]
    conn: Parser

    def __init__(
        self,
        limits: HttpLimits,
        waiting: Waiting,
        turns: Turns,
        *,
        app_state: dict[str, Any],
        **others: Any,
    ) -> None:
        super().__init__(app_state={**app_state, CONNECTION: self}, **others)
        self.conn = Parser(self._have_turn)
        self.limits = limits
        self.websocket: Any = None
        self.ends_with_client = False
        """Whether a client that sends no more has left: it looks at an endless reply."""
        self._waiting = waiting
        self._answering = 0  # requests: the last one may be tidied up when the next has begun
        self._is_idle = False
        self._is_half_closed = False
        self._is_accepted = False
        self._timer: asyncio.TimerHandle | None = None
        self._turns = turns
        self._has_turn = False
        self._unparsed = memoryview(b"")
        self._body_left = 0  # bytes of a body that need no parsing
        self._frames = Frames()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Expect a request."""
        lingering = cast(asyncio.Transport, LingeringTransport(transport, self))
        super().connection_made(lingering)
        if len(self.connections) > self.limits.max_connections:
            self._waiting.make_room()
        self._wait_for_headers()

    def data_received(self, data: bytes) -> None:
        """Pass data on, which may begin a request."""
        if self.transport.swallows(len(data)):
            return
        if self._is_idle:  # what was waited for has begun, and has its own time to end
            self._is_idle = False
            self._stop_waiting()
        if not self._answering:
            self._wait_for_headers()
        self._unparsed = memoryview(bytes(self._unparsed) + data)
        if not self._has_turn:
            self._parse()

    def _have_turn(self) -> None:
        """Go on in another round of the loop, and read nothing before."""
        self.transport.hold_reading()
        if not self._has_turn:
            self._has_turn = True
            self._turns.add(self._parse)

    def go_on(self) -> bool:
        """Parse soon what has been read, if there is anything; return whether there is."""
        if has_more := bool(self._unparsed) or self.conn.has_more:
            self._have_turn()
        return has_more

    def _parse(self) -> None:
        """Parse as much as one turn allows."""
        self._has_turn = False
        if self.transport.is_closing():
            self._unparsed = memoryview(b"")
            return
        if self.transport.is_paused:  # resume_reading goes on
            return
        if self.websocket is not None and not self._is_accepted:
            self.transport.hold_reading()
            return
        if self.websocket is None:
            self._parse_http()
        else:
            self._parse_websocket()
        if not self.transport.is_paused and not self.go_on():
            self.transport.resume_reading()

    def _parse_http(self) -> None:
        had_more = self.conn.has_more
        self.conn.begin_turn()
        if had_more:
            self.handle_events()
        while (
            self._unparsed
            and self.websocket is None
            and not (self.conn.turn_ended or self.transport.is_paused)
            and not self.transport.is_closing()
        ):
            in_body = self.conn.their_state is h11.SEND_BODY
            size = max(SLICE, self._body_left) if in_body else SLICE
            size = min(size, len(self._unparsed))
            super().data_received(self._take(size))
            if self.conn.refusal:
                return
            if in_body:
                self._body_left = max(0, self._body_left - size)
            elif self.conn.their_state is h11.SEND_BODY:  # some of it has been in this slice
                self._body_left = max(0, _length_of(self.headers) - size)
        if self._answering and self.conn.their_state is not h11.SEND_BODY:
            self._waiting.discard(self, "request")

    def _parse_websocket(self) -> None:
        size = self._frames.cut(self._unparsed)
        if size < 0:
            self.transport.write(TOO_MANY)
            self.transport.close()
            return
        try:
            self.websocket.data_received(self._take(size))
        except InvalidState:  # a text that is no UTF-8, and the client's own end, in one turn
            self.transport.write(b"".join(self.websocket.conn.data_to_send()))
            self.transport.close()

    def _take(self, size: int) -> bytes:
        part = bytes(self._unparsed[:size])
        self._unparsed = self._unparsed[size:]
        return part

    def eof_received(self) -> bool | None:  # type: ignore[override]
        """Answer a client that sends no more, if it has asked for something whole that ends."""
        if self.websocket is not None:
            return cast("bool | None", self.websocket.eof_received())
        is_cut = self.conn.their_state is h11.SEND_BODY or self._has_begun()
        if is_cut and self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            self._refuse(400, "the client stopped sending before its request was complete")
            return None
        asked = self.cycle is not None and not self.cycle.response_complete
        may_wait = asked and not self.ends_with_client and self.scheme == "http"
        self._is_half_closed = may_wait
        return may_wait or None

    def connection_lost(self, exc: Exception | None) -> None:
        """Expect nothing more."""
        self._stop_waiting()
        self._waiting.forget(self)
        if self.websocket is None:
            super().connection_lost(exc)
        else:
            self.websocket.connection_lost(exc)
            self._drop_half_frame()

    def pause_writing(self) -> None:
        """Tell whoever writes to wait."""
        if self.websocket is None:
            super().pause_writing()
            if not self.ends_with_client:  # of viewers there are few, and they may be slow
                self._waiting.add(self, "reply")
        else:
            self.websocket.pause_writing()

    def resume_writing(self) -> None:
        """Tell whoever writes to go on."""
        self._waiting.discard(self, "reply")
        if self.websocket is None:
            super().resume_writing()
        else:
            self.websocket.resume_writing()

    def on_response_complete(self) -> None:
        """Expect the next request, if there may be one."""
        super().on_response_complete()
        has_next = bool(self._unparsed) or self.conn.has_more or not self.cycle.response_complete
        if self._is_half_closed and not has_next:
            self.transport.close()

    def answering(self, now: bool) -> None:
        """Take note that one more request is being answered, or one no longer."""
        self._answering += 1 if now else -1
        if self._answering and not now:
            return
        self._stop_waiting()
        if now and self.conn.their_state is h11.SEND_BODY:
            self._waiting.add(self, "request")
        if not now:  # the first bytes of the next request may be here already
            self._is_idle = True
            self._wait_for_headers()

    def accepted(self) -> None:
        """Take note that a WebSocket is accepted, or refused: its frames may be parsed now.

        uvicorn's protocol fails for a frame that comes before.
        """
        if not self._is_accepted:
            self._is_accepted = True
            self.transport.resume_reading()

    def makes_room(self) -> bool:
        """Cut another connection, which only holds its place; return whether there was one."""
        return self._waiting.make_room()

    def has_unread(self) -> bool:
        """Return whether the client may have sent what has not been read."""
        if self.conn.refusal or self._unparsed:
            return True
        return self.conn.their_state not in (h11.IDLE, h11.DONE, h11.CLOSED, h11.MUST_CLOSE)

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP; uvicorn calls this."""
        self._refuse(*(self.conn.refusal or (400, msg)))

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """Pass a handshake on to the WebSocket library, unless that would refuse it in its way."""
        names = {name for name, _ in event.headers}
        if max(len(name) + len(value) for name, value in event.headers) > MAX_LINE:
            self._refuse(431, f"WebSocket: expected at most {MAX_LINE} bytes in each header")
        elif names & {b"content-length", b"transfer-encoding"}:
            self._refuse(400, "WebSocket: expected a handshake without a body")
        elif not _is_handshake(event):
            self._refuse(400, "WebSocket: expected GET, version 13 and one key of 16 bytes")
        else:
            super().handle_websocket_upgrade(event)
            # uvicorn forgets what has come with the handshake.
            self._unparsed = memoryview(self.conn.trailing_data[0] + bytes(self._unparsed))

    @property
    def is_beyond_limit(self) -> bool:
        """Whether there are more connections than allowed, without those that linger."""
        there = len(self.connections) - self._waiting.lingering
        return there > self.limits.max_connections

    def lingers(self) -> None:
        """Cut the client soon: it has had its last reply, or a WebSocket's close frame."""
        self._stop_waiting()
        self._waiting.linger(self)
        loop = asyncio.get_running_loop()
        loop.call_later(self.limits.linger_time, self.transport.abort)
        self._drop_half_frame()

    def _drop_half_frame(self) -> None:
        """Free what a WebSocket client has sent of a frame; Python's collector comes much later."""
        self._unparsed = memoryview(b"")
        if parser := getattr(self.websocket, "conn", None):  # of websockets' Sans-I/O layer
            parser.reader.discard()
            self.websocket.frames = []  # in which uvicorn keeps the first fragments of a message

    def _has_begun(self) -> bool:
        """Return whether some of a request's head has come."""
        return self.conn.their_state is h11.IDLE and bool(self.conn.trailing_data[0])

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
            ("cache-control", "no-store"),
            ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
            ("x-content-type-options", "nosniff"),
            ("date", formatdate(usegmt=True)),
        ]
        reason = HTTPStatus(status).phrase.encode()
        response = h11.Response(status_code=status, headers=headers, reason=reason)
        content = () if self.conn.asks_for_head else (h11.Data(data=body),)
        for each in (response, *content, h11.EndOfMessage()):
            self.transport.write(self.conn.send(each) or b"")
        self.transport.close()

    def _wait_for_headers(self) -> None:
        if self._timer is None and not self.transport.is_closing():
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self.limits.header_time, self.transport.abort)
            self._waiting.add(self, "request")

    def _stop_waiting(self) -> None:
        self._waiting.discard(self, "request")
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _is_handshake(event: h11.Request) -> bool:
    """Return whether a request is a WebSocket's handshake (RFC 6455, section 4.2.1)."""
    asked = [value for name, value in event.headers if name == b"sec-websocket-version"]
    keys = [value for name, value in event.headers if name == b"sec-websocket-key"]
    if event.method != b"GET" or asked != [b"13"] or len(keys) != 1:
        return False
    return re.fullmatch(rb"[A-Za-z0-9+/]{22}==", keys[0]) is not None


def _length_of(headers: list[tuple[bytes, bytes]]) -> int:
    """Return the bytes of a body that says how many it has; h11 has checked the headers."""
    known = dict(headers)
    return 0 if b"transfer-encoding" in known else int(known.get(b"content-length", b"0"))


def in_time(app: ASGIApp) -> ASGIApp:
    """Return an application that answers with ``app``.

    It refuses connections beyond the limit, and cuts who does not take the reply.
    """

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        connection: TimedProtocol = scope["state"][CONNECTION]

        async def send_to_websocket(message: Message) -> None:
            await send(message)
            connection.accepted()

        async def send_in_time(message: Message) -> None:
            try:
                await asyncio.wait_for(send(message), connection.limits.send_time)
            except asyncio.TimeoutError:
                connection.transport.abort()

        connection.answering(True)
        try:
            if connection.is_beyond_limit and not connection.makes_room():
                limit = connection.limits.max_connections
                busy = BusyError(f"{counted(limit, 'connection')} already, the limit: try again")
                await refuse(scope, receive, send, busy)
            elif scope["type"] == "websocket":  # the connection has another protocol from now on
                await app(scope, receive, send_to_websocket)
            else:
                await app(scope, receive, send_in_time)
        except asyncio.CancelledError:  # the listener closes; uvicorn would log a traceback
            connection.transport.abort()
            await asyncio.sleep(0)
        finally:
            if scope["type"] == "http":
                connection.answering(False)

    return answer
