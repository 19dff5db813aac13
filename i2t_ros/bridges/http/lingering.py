"""How a connection ends so that its last reply arrives."""

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from i2t_ros.bridges.http.connections import TimedProtocol

MAX_LINGER = 1 << 26  # bytes that a client may still send after a refusal
MAX_PONGS = 1 << 16
"""Bytes that may wait to be sent to a WebSocket client: only pongs, and it has to read them."""


class LingeringTransport:
    """A transport that closes so that the last reply arrives, and does not fill the memory.

    If a socket with unread bytes is closed, the kernel sends a reset, which destroys a reply that
    is still on its way (RFC 1122, section 4.2.2.13). So this sends no more, and reads and discards
    for a while. Everything else is the transport's own.
    """

    def __init__(self, transport: asyncio.Transport, connection: "TimedProtocol") -> None:
        self._transport = transport
        self._connection = connection
        self._left = -1  # bytes that may still come; below 0: it does not linger
        self.is_paused = False
        """Whether the protocol wants nothing at present."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send data; a WebSocket client that does not read its pongs is cut off."""
        if self._left >= 0:  # the WebSocket library may answer once more
            return
        self._transport.write(data)
        is_websocket = self._connection.websocket is not None
        if is_websocket and self._transport.get_write_buffer_size() > MAX_PONGS:
            self._transport.abort()

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Have a WebSocket's protocol take over; the connection passes everything on to it."""
        # Half a frame stays in memory until the client has answered that it is closed, or not.
        protocol.close_timeout = self._connection.limits.linger_time  # type: ignore[attr-defined]
        self._connection.websocket = protocol

    def hold_reading(self) -> None:
        """Read nothing until what has been read is parsed."""
        self._transport.pause_reading()

    def pause_reading(self) -> None:
        """Read nothing, and parse nothing, until the protocol wants more."""
        self.is_paused = True
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Go on with what has been read, and then read."""
        self.is_paused = False
        if not self._connection.go_on():
            self._transport.resume_reading()

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
        self._connection.lingers()
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
