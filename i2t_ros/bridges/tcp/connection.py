"""One client's conversation with the TCP listener."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import fcntl
import logging
import socket
import struct
import termios
import time

from i2t_ros.bridges.tcp import wire
from i2t_ros.bridges.tcp.service import TcpService
from i2t_ros.bridges.tcp.wire import Refusal, RequestParser, Version, WireRequest
from i2t_ros.errors import BusyError, I2tError, TimeLimitError
from i2t_ros.types import DescribeReply, DescribeRequest
from i2t_ros.vision.codecs import picture_format

log = logging.getLogger("i2t_ros.tcp")

CHUNK = 1 << 18  # bytes per read, as many as asyncio takes from the kernel at once
MAX_LINGER = 1 << 26  # bytes that a client may still send after a refusal


class Connection:
    """Reads requests and writes replies until one side ends the connection.

    served  whether it counts toward ``max_connections``
    idle    whether it waits for the first byte of a request
    """

    def __init__(
        self, service: TcpService, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Take over the streams; call ``run`` next."""
        self.served = True
        self.idle = False
        self._service = service
        self._limits = service.limits
        self._reader = reader
        self._writer = writer
        self._parser = RequestParser(service.limits.max_image_bytes)
        self._client = _name(writer.get_extra_info("peername"))
        writer.transport.set_write_buffer_limits(
            high=0
        )  # drain() then waits until the kernel has all data

    async def run(self) -> None:
        """Serve the client until one side ends the connection, then close it."""
        try:
            await (self._serve() if self.served else self._turn_away())
        except OSError as error:
            self._failed(f"has left: {error}")
        except TimeLimitError as error:
            self._failed(f"is cut off: {error}")
        finally:
            self.abort()
            with contextlib.suppress(OSError):
                await self._writer.wait_closed()

    def abort(self) -> None:
        """Close the socket at once."""
        self._writer.transport.abort()

    async def _serve(self) -> None:
        self._service.counters.connections += 1
        log.info("%s connected at %s", self._client, time.strftime("%Y-%m-%d %H:%M:%S"))
        keep_open = True
        while keep_open and not self._service.closing:
            incoming = await self._receive()
            if incoming is None:
                log.debug("%s disconnected", self._client)
                return
            keep_open = await self._reply(incoming)
        await self._linger()

    async def _turn_away(self) -> None:
        """Refuse a client beyond the limit, in the protocol version of its first bytes."""
        self._service.counters.turned_away += 1
        error = BusyError(
            f"the limit of {self._limits.max_connections} clients is reached: try again later"
        )
        self._failed(f"is turned away: {error}")
        with contextlib.suppress(asyncio.TimeoutError):
            first = self._reader.read(CHUNK)
            self._parser.feed(await asyncio.wait_for(first, self._limits.linger_time))
        await self._send(wire.encode_error(self._parser.version, error))
        await self._linger()

    async def _receive(self) -> WireRequest | Refusal | None:
        """Return the next request, or None if no more requests come."""
        deadline = float("inf")
        while (incoming := self._parser.next_request()) is None:
            self.idle = not self._parser.begun
            if not self.idle:
                deadline = min(deadline, time.monotonic() + self._limits.receive_time)
            try:
                data = await self._read(deadline)
            except TimeLimitError as error:
                return None if self.idle else Refusal(self._parser.version, error)
            if data:
                self._parser.feed(data)
            elif self.idle:
                return None
            else:
                self._parser.finish()
        self.idle = False
        return incoming

    async def _read(self, deadline: float) -> bytes:
        """Return what the client sends, or b"" if it has stopped sending."""
        may_be_empty = self._parser.may_be_empty
        idle_time = self._limits.empty_time if may_be_empty else self._limits.idle_time
        left = deadline - time.monotonic()
        try:
            return await asyncio.wait_for(self._reader.read(CHUNK), min(idle_time, left))
        except asyncio.TimeoutError:
            if may_be_empty:
                return b""
            if left < idle_time:
                expected = f"a whole request within {self._limits.receive_time:g} s"
            else:
                expected = f"more of the request within {idle_time:g} s"
            raise TimeLimitError(f"expected {expected}") from None

    async def _reply(self, incoming: WireRequest | Refusal) -> bool:
        """Answer a request; return whether another one may follow."""
        self._service.counters.requests += 1
        version = incoming.version
        if isinstance(incoming, Refusal):
            await self._send_error(version, incoming.error)
            return incoming.keep_open
        started = time.monotonic()
        try:
            request, reply = await self._ask(incoming)
            picture = _picture(request, reply)
        except I2tError as error:
            await self._send_error(version, error)
            return version == 2
        header = wire.encode_success(version, reply.description.sentence, len(picture))
        log.info(
            "%s: %d bytes, %d objects, %.1f ms",
            self._client,
            len(request.picture or b""),
            _count(reply),
            (time.monotonic() - started) * 1000,
        )
        await self._send_success(version, header, picture)
        return version == 2

    async def _ask(self, incoming: WireRequest) -> tuple[DescribeRequest, DescribeReply]:
        """Ask the handler; raises only I2tError."""
        request = incoming.describe
        if incoming.version == 1:
            request = dataclasses.replace(
                self._service.version_1, picture=request.picture, camera="", annotate=True
            )
        return request, await self._service.handler.describe(request)

    async def _send_success(self, version: Version, header: bytes, picture: memoryview) -> None:
        if version == 1:
            await self._send(header)
            await self._pause()
        else:
            self._writer.write(header)
        await self._send(picture)

    async def _pause(self) -> None:
        """Give the client time to read the header before the picture arrives.

        The pause starts when the client's machine has acknowledged the header. Otherwise, if the
        header is lost or a wireless client sleeps, header and picture would arrive together.
        """
        pause = self._limits.header_pause
        patience = time.monotonic() + 10 * pause
        while (
            _unacknowledged(self._writer.get_extra_info("socket")) and time.monotonic() < patience
        ):
            await asyncio.sleep(pause / 4)
        await asyncio.sleep(pause)

    async def _send_error(self, version: Version, error: I2tError) -> None:
        self._failed(f"gets an error: {error.code}: {error}")
        await self._send(wire.encode_error(version, error))

    async def _send(self, data: bytes | memoryview) -> None:
        """Hand all data to the kernel, which sends it at once (asyncio sets TCP_NODELAY).

        Raises TimeLimitError if the client does not read, and OSError if it has left.
        """
        limit = self._limits.send_time
        self._writer.write(data)
        try:
            await asyncio.wait_for(self._writer.drain(), limit)
        except asyncio.TimeoutError:
            raise TimeLimitError(f"the client did not read its reply within {limit:g} s") from None

    async def _linger(self) -> None:
        """Stop sending, then read and discard for a while.

        If a socket with unread bytes is closed, the kernel sends a reset, which destroys a reply
        that is still on its way (RFC 1122, section 4.2.2.13).
        """
        self.served = False  # another client may be served now
        deadline = time.monotonic() + self._limits.linger_time
        left = MAX_LINGER
        with contextlib.suppress(asyncio.TimeoutError, OSError):
            self._writer.write_eof()
            while left > 0:
                read = self._reader.read(CHUNK)
                data = await asyncio.wait_for(read, deadline - time.monotonic())
                if not data:
                    return
                left -= len(data)

    def _failed(self, what: str) -> None:
        self._service.counters.failures += 1
        log.warning("%s %s", self._client, what)


def _unacknowledged(sock: socket.socket) -> int:
    """Return how many sent bytes the other machine has not acknowledged (tcp(7): SIOCOUTQ)."""
    if sock.fileno() < 0:
        return 0
    (count,) = struct.unpack("i", fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, bytes(4)))
    return int(count)


def _name(peer: tuple[str, int] | None) -> str:
    if peer is None:  # disconnected before it was accepted
        return "a client"
    host, port = peer[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _picture(request: DescribeRequest, reply: DescribeReply) -> memoryview:
    """Return the annotated picture; empty if it was not requested.

    Raises I2tError if the handler returns another format than the client sent, because a client
    may decode the picture in that format without checking.
    """
    if not request.annotate:
        return memoryview(b"")
    expected = picture_format(request.picture.data) if request.picture else "jpeg"
    annotated = reply.annotated
    if annotated is None or annotated.format != expected:
        got = "none" if annotated is None else annotated.format
        raise I2tError(f"annotated picture: expected {expected}, the handler returned {got}")
    return memoryview(annotated.data).cast("B")


def _count(reply: DescribeReply) -> int:
    """Return how many objects were detected."""
    detections = reply.description.scene.detections
    return 0 if detections is None else len(detections)
