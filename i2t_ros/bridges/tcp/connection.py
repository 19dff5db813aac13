"""One client of the TCP listener, from its first byte to the last of its last reply."""

import asyncio
import contextlib
import dataclasses
import fcntl
import logging
import math
import socket
import sys
import termios
import time
from typing import TYPE_CHECKING

from i2t_ros.bridges.counting import counted
from i2t_ros.bridges.memory import SLICE, Share
from i2t_ros.bridges.tcp import wire
from i2t_ros.bridges.tcp.wire import RequestParser, WireRequest
from i2t_ros.errors import BusyError, I2tError, TimeLimitError
from i2t_ros.language.sentences import plural_start
from i2t_ros.types import DescribeReply, DescribeRequest
from i2t_ros.vision.codecs import picture_format

if TYPE_CHECKING:
    from i2t_ros.bridges.tcp.server import TcpServer

CHUNK = 1 << 18  # bytes per read, as many as asyncio takes from the kernel at once
MAX_SENTENCE = 300  # characters of a sentence that are logged
MAX_LINGER = 1 << 26  # bytes that a client may still send after a refusal


class Reader(asyncio.StreamReader):
    """Reads what a client sends.

    ended  set when the client sends no more, or has left
    """

    def __init__(self, limit: int, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(limit=limit, loop=loop)
        self.ended = asyncio.Event()

    def feed_eof(self) -> None:
        """Take note of the end of the stream."""
        super().feed_eof()
        self.ended.set()

    def set_exception(self, exc: BaseException) -> None:
        """Take note that the connection is lost."""
        super().set_exception(exc)  # type: ignore[arg-type, unused-ignore]
        self.ended.set()


class Connection:
    """One client's conversation with the server, until one side ends it.

    served  whether it counts toward ``max_connections``
    idle    whether it waits for the first byte of a request
    has_spoken  whether anything has come from the client
    gives_way   whether it is being cut for another client
    silent_since  since when it has waited for a whole request; infinity while one is answered
    """

    def __init__(
        self, server: "TcpServer", reader: Reader, writer: asyncio.StreamWriter, served: bool
    ) -> None:
        self.served = served
        self.idle = self.has_spoken = self.gives_way = False
        self.silent_since = time.monotonic()
        self._server = server
        self._limits = server.limits
        self._reader = reader
        self._writer = writer
        self._parser = RequestParser(server.limits.max_image_bytes)
        peer = writer.get_extra_info("peername")
        self._client = _name(peer)
        self._address = peer[0] if peer else ""
        self._requests = 0
        # drain() then waits until the kernel has all data.
        writer.transport.set_write_buffer_limits(high=0)

    async def run(self) -> None:
        """Serve the client, or turn it away, and close the connection."""
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

    def give_way(self) -> None:
        """Free its place for another client."""
        self.served, self.gives_way = False, True
        self._failed("is cut off: it only held its place, and others want it")

    def abort(self) -> None:
        """Close the socket at once."""
        self._writer.transport.abort()

    async def _serve(self) -> None:
        server = self._server
        server.counters["connections"] += 1
        server.open += 1
        number = server.counters["connections"]
        now = time.strftime("%Y-%m-%d %H:%M:%S")
        opened = f"connected at {now}: connection {number}, {server.open} open"
        self._say(logging.INFO, "connected", opened)
        try:
            keep_open = True
            while keep_open and not server.closing:
                with server.memory.share() as share:
                    incoming = await self._receive(share)
                    if incoming is None:
                        return
                    self.silent_since = math.inf
                    await self._reply(incoming, share)
                    self.silent_since = time.monotonic()
                    keep_open = incoming.keep_open
                    del incoming  # its picture
                await asyncio.sleep(0)  # others have their turns, however many requests are here
            await self._linger()
        finally:
            server.open -= 1
            requests = counted(self._requests, "request")
            closed = f"disconnected after {requests}: connection {number}, {server.open} open"
            self._say(logging.INFO, "disconnected", closed)

    async def _turn_away(self) -> None:
        """Refuse a client beyond the limit, in the protocol version of its first bytes.

        Unless there is a place for it when they come.
        """
        with contextlib.suppress(asyncio.TimeoutError):
            first = await asyncio.wait_for(self._reader.read(CHUNK), self._limits.linger_time)
            self._parser.feed(first)
            self.has_spoken = bool(first)
        if self.has_spoken and self._server.make_place():
            self.served = True
            await self._serve()
            return
        self._server.counters["turned_away"] += 1
        limit = counted(self._limits.max_connections, "client")
        error = BusyError(f"the limit of {limit} is reached: try again later")
        self._failed(f"is turned away: {error}")
        await self._send(wire.encode_error(self._parser.version, error))
        await self._linger()

    async def _receive(self, share: Share) -> WireRequest | None:
        """Return the next request, or None if no more requests come."""
        deadline = float("inf")
        while (incoming := self._parser.next_request()) is None:
            self.idle = not self._parser.begun
            if not self.idle:
                deadline = min(deadline, time.monotonic() + self._limits.receive_time)
            try:
                share.resize(self._parser.received)
                data = await self._read(share, deadline)
            except (BusyError, TimeLimitError) as error:
                return None if self.idle else self._parser.refuse(error)
            if data:
                self.has_spoken = True
                self._parser.feed(data)
            elif self.idle:
                return None
            else:
                self._parser.finish()
        self.idle = False
        request = incoming.content
        if isinstance(request, DescribeRequest) and request.picture is not None:
            try:
                share.resize(len(request.picture))
            except BusyError as error:
                return dataclasses.replace(incoming, content=error)
        share.complete()
        return incoming

    async def _read(self, share: Share, deadline: float) -> bytes:
        """Return what the client sends, or b"" if it has stopped sending."""
        may_be_empty = self._parser.may_be_empty
        idle_time = self._limits.empty_time if may_be_empty else self._limits.idle_time
        left = deadline - time.monotonic()
        try:
            return await share.wait(self._reader.read(CHUNK), max(0.0, min(idle_time, left)))
        except asyncio.TimeoutError:
            if may_be_empty:
                return b""
            if left < idle_time:
                expected = f"a whole request within {self._limits.receive_time:g} s"
            else:
                expected = f"more of the request within {idle_time:g} s"
            raise TimeLimitError(f"expected {expected}") from None

    async def _reply(self, incoming: WireRequest, share: Share) -> None:
        self._server.counters["requests"] += 1
        self._requests += 1
        version = incoming.version
        started = time.monotonic()
        try:
            request = incoming.content
            if isinstance(request, I2tError):
                raise request
            if request.picture is not None:
                picture_format(request.picture.data)  # what is none is not the detector's work
            if version == 1:
                request = dataclasses.replace(
                    self._server.version_1, picture=request.picture, camera="", annotate=True
                )
            reply = await self._answer(request)
            picture = _picture(request, reply)
            share.resize(max(share.size, len(picture)))
            share.complete()
        except I2tError as error:
            self._failed(f"gets an error: {error.code}: {error}")
            await self._send(wire.encode_error(version, error))
            return
        elapsed = (time.monotonic() - started) * 1000
        sentence = reply.answer.text if reply.answer else reply.description.sentence
        if version == 1 and self._server.version_1.style == "list":
            sentence = plural_start(sentence, self._server.version_1.language)
        header = wire.encode_success(version, sentence, len(picture))
        if version == 1:
            await self._send(header)
            await self._pause()
        else:
            self._writer.write(header)
        await self._send(picture)
        # After the reply: a line costs 0.3 ms, of which rclpy spends most looking for its caller.
        size = counted(len(request.picture or b""), "byte")
        objects = counted(len(reply.description.scene.detections or ()), "object")
        told = f"{self._client}: {size}, {objects}, {elapsed:.1f} ms: {_shown(sentence)}"
        self._server.journal.say(logging.INFO, self._address, "answered", told)

    async def _answer(self, request: DescribeRequest) -> DescribeReply:
        """Have a request answered; a question only while its client is there.

        A language model would go on for long, and for nobody. Raises I2tError, and OSError if the
        client has left.
        """
        handler, places = self._server.handler, self._server.asking
        if not request.question:
            return await handler.describe(request)
        if places.locked():
            questions = counted(self._limits.max_questions, "question")
            raise BusyError(f"{questions} in progress, the limit: try again")
        async with places:
            answer = asyncio.ensure_future(handler.ask(request, lambda text: None))
            left = asyncio.ensure_future(self._reader.ended.wait())
            try:
                await asyncio.wait((answer, left), return_when=asyncio.FIRST_COMPLETED)
                if answer.done():
                    return answer.result()
                raise ConnectionResetError("it ended its side before the answer to its question")
            finally:
                answer.cancel()
                left.cancel()
                await asyncio.gather(answer, left, return_exceptions=True)

    async def _pause(self) -> None:
        """Give a client of version 1 time to read the header before the picture arrives.

        The pause starts when the client's machine has acknowledged the header. Otherwise, if the
        header is lost or a wireless client sleeps, header and picture would arrive together.
        """
        pause = self._limits.header_pause
        patience = time.monotonic() + 10 * pause
        sock = self._writer.get_extra_info("socket")
        while _unacknowledged(sock) and time.monotonic() < patience:
            await asyncio.sleep(pause / 4)
        await asyncio.sleep(pause)

    async def _send(self, data: bytes | memoryview) -> None:
        """Hand all data to the kernel, which sends it at once (asyncio sets TCP_NODELAY).

        Raises TimeLimitError if the client does not read, and OSError if it has left.
        """
        limit = self._limits.send_time
        for at in range(0, len(data), SLICE):
            self._writer.write(data[at : at + SLICE])
            try:
                await asyncio.wait_for(self._writer.drain(), limit)
            except asyncio.TimeoutError:
                error = f"the client did not read its reply within {limit:g} s"
                raise TimeLimitError(error) from None

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
        self._server.counters["failures"] += 1
        self._say(logging.WARNING, "failed", wire.one_line(what))

    def _say(self, level: int, kind: str, what: str) -> None:
        self._server.journal.say(level, self._address, kind, f"{self._client} {what}")


def _unacknowledged(sock: socket.socket) -> int:
    """Return how many sent bytes the other machine has not acknowledged (tcp(7): SIOCOUTQ)."""
    if sock.fileno() < 0:
        return 0
    count = fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, bytes(4))
    return int.from_bytes(count, sys.byteorder)


def _name(peer: tuple[str, int] | None) -> str:
    if peer is None:  # disconnected before it was accepted
        return "a client"
    host, port = peer[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _shown(sentence: str) -> str:
    """Return a sentence as a part of one line of the log; texts in pictures may be anything."""
    cut = sentence if len(sentence) <= MAX_SENTENCE else sentence[: MAX_SENTENCE - 1] + "…"
    return wire.one_line(cut)


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
