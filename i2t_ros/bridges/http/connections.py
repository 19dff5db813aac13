"""The open connections of a listener: how many, and how long each may take for its part.

uvicorn leaves this to a reverse proxy, which a robot does not have: a client that sends nothing, or
a byte of a header now and then, may stay forever. So a protocol stands between the connection and
uvicorn's own, and an ASGI application around ours tells it while a request is being answered.
"""

from __future__ import annotations

import asyncio
from typing import Any, TypeAlias

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from i2t_ros.bridges.http.settings import HttpLimits

Ends: TypeAlias = "tuple[Any, ...]"
"""Addresses and ports of both ends of a connection."""


class Connections:
    """All connections of one listener."""

    def __init__(self, limits: HttpLimits) -> None:
        """Start without any."""
        self._limits = limits
        self._open: dict[Ends, _Connection] = {}

    def protocol(self, **arguments: Any) -> asyncio.Protocol:
        """Return the protocol of a new connection; ``arguments`` are for uvicorn's."""
        return _Connection(H11Protocol(**arguments), self._open, self._limits)

    def around(self, app: ASGIApp) -> ASGIApp:
        """Return an application that answers with ``app``, and tells the connection so."""

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            ends = _ends(scope.get("client"), scope.get("server"))
            connection = self._open.get(ends)
            if connection is None:  # cut meanwhile, or there is none, as in the lifespan
                await app(scope, receive, send)
                return
            is_websocket = scope["type"] == "websocket"
            connection.answering(True)
            try:
                await app(scope, receive, send if is_websocket else connection.in_time(send))
            finally:
                connection.answering(False)
                if is_websocket:  # its end is told to the WebSocket's own protocol
                    self._open.pop(ends, None)

        return answer

    def cut_off(self) -> None:
        """Cut every connection that is still there."""
        for connection in list(self._open.values()):
            connection.cut()


class _Connection(asyncio.Protocol):
    """Passes all that happens on to uvicorn's protocol, and cuts who is too slow."""

    def __init__(
        self, inner: asyncio.Protocol, others: dict[Ends, _Connection], limits: HttpLimits
    ) -> None:
        self._inner = inner
        self._others = others
        self._limits = limits
        self._ends: Ends = ()
        self._is_answering = False
        self._timer: asyncio.TimerHandle | None = None
        self.pause_writing = inner.pause_writing  # type: ignore[method-assign]
        self.resume_writing = inner.resume_writing  # type: ignore[method-assign]
        self.eof_received = inner.eof_received  # type: ignore[method-assign]

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport
        self._ends = _ends(
            transport.get_extra_info("peername"), transport.get_extra_info("sockname")
        )
        self._others[self._ends] = self
        self._inner.connection_made(transport)
        # uvicorn answers 503 to those beyond the limit; twice as many are not worth an answer.
        if len(self._others) > 2 * self._limits.max_connections:
            transport.abort()
        else:
            self._wait_for_headers()

    def data_received(self, data: bytes) -> None:
        if not self._is_answering:
            self._wait_for_headers()
        self._inner.data_received(data)

    def connection_lost(self, error: Exception | None) -> None:
        self._stop_waiting()
        self._others.pop(self._ends, None)
        self._inner.connection_lost(error)

    def answering(self, now: bool) -> None:
        """Take note that a request is being answered, or no longer."""
        self._is_answering = now
        self._stop_waiting()

    def in_time(self, send: Send) -> Send:
        """Return a ``send`` that cuts who does not take what is sent within the limit."""

        async def send_in_time(message: Message) -> None:
            try:
                await asyncio.wait_for(send(message), self._limits.send_time)
            except asyncio.TimeoutError:
                self.cut()

        return send_in_time

    def cut(self) -> None:
        """End the connection at once, with what waits to be sent on it."""
        self._stop_waiting()
        self._others.pop(self._ends, None)
        self._transport.abort()

    def _wait_for_headers(self) -> None:
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._limits.header_time, self.cut)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _ends(client: Any, server: Any) -> Ends:
    """Return both ends as uvicorn has them in the scope: host and port, no more of IPv6."""
    return (*(client or ())[:2], *(server or ())[:2])
