"""The open connections of a listener: how many, and how long each may take for its part.

uvicorn leaves this to a reverse proxy, which a robot does not have: a client that sends nothing, or
a byte of a header now and then, may stay forever. So uvicorn's protocol gets a timer, and an ASGI
application around ours tells it while a request is being answered.
"""

import asyncio
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from i2t_ros.bridges.http.settings import HttpLimits

CONNECTION = "i2t_ros.connection"
"""Key of the ASGI scope's state: the TimedProtocol of the request."""


class TimedProtocol(H11Protocol):
    """A connection that is cut if its client is too slow."""

    def __init__(self, limits: HttpLimits, *, app_state: dict[str, Any], **others: Any) -> None:
        super().__init__(app_state={**app_state, CONNECTION: self}, **others)
        self.limits = limits
        self._is_answering = False
        self._is_idle = False
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Expect a request."""
        super().connection_made(transport)
        # uvicorn answers 503 to those beyond the limit; twice as many are not worth an answer.
        if len(self.connections) > 2 * self.limits.max_connections:
            transport.abort()
        else:
            self._wait_for_headers()

    def data_received(self, data: bytes) -> None:
        """Pass data on, which may begin a request."""
        if self._is_idle:  # what was waited for has begun, and has its own time to end
            self._is_idle = False
            self._stop_waiting()
        if not self._is_answering:
            self._wait_for_headers()
        super().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Expect nothing more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def answering(self, now: bool) -> None:
        """Take note that a request is being answered, or no longer."""
        self._is_answering = now
        self._stop_waiting()
        if not now:  # the first bytes of the next request may be here already
            self._is_idle = True
            self._wait_for_headers()

    def _wait_for_headers(self) -> None:
        if self._timer is None and not self.transport.is_closing():
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self.limits.header_time, self.transport.abort)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def in_time(app: ASGIApp) -> ASGIApp:
    """Return an application that answers with ``app``, and cuts who does not take the reply."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        connection: TimedProtocol = scope["state"][CONNECTION]

        async def send_in_time(message: Message) -> None:
            try:
                await asyncio.wait_for(send(message), connection.limits.send_time)
            except asyncio.TimeoutError:
                connection.transport.abort()

        connection.answering(True)
        if scope["type"] == "websocket":  # the connection has another protocol from now on
            await app(scope, receive, send)
            return
        try:
            await app(scope, receive, send_in_time)
        finally:
            connection.answering(False)

    return answer
