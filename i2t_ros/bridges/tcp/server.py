"""The TCP listener: the ``<SEP>`` protocol on an asyncio loop, in front of a Handler."""

import asyncio
import ipaddress
import logging
import time
from collections import Counter

from i2t_ros.bridges.accepting import Acceptor, bind
from i2t_ros.bridges.counting import counted
from i2t_ros.bridges.handler import Handler, TimeLimited
from i2t_ros.bridges.journal import Journal
from i2t_ros.bridges.memory import RequestMemory
from i2t_ros.bridges.tcp import wire
from i2t_ros.bridges.tcp.connection import CHUNK, Connection, Reader
from i2t_ros.bridges.tcp.limits import TcpLimits
from i2t_ros.language.sentences import plural_start
from i2t_ros.types import DescribeRequest

log = logging.getLogger("i2t_ros.tcp")

YIELD_AFTER = 2.0
"""Seconds after which a client that asks for nothing gives way if there are too many."""


class TcpServer:
    """Serves a Handler to clients of both protocol versions.

    Everything runs on the loop that calls ``start``. A closed server cannot start again: create
    another one.

    port      of the listener, once it has started; the first one if the host has several addresses
    counters  how many connections, turned_away, requests and failures there have been
    open      how many connections are served now
    closing   whether it has stopped reading requests
    memory    that pictures take which are being received or described
    asking    the places of questions that are being answered
    """

    def __init__(
        self,
        handler: Handler,
        host: str = "127.0.0.1",
        port: int = wire.DEFAULT_PORT,
        *,
        limits: TcpLimits | None = None,
        version_1: DescribeRequest | None = None,
    ) -> None:
        """Prepare to listen on ``host`` and ``port`` (0: any free one).

        ``version_1`` has the options that clients of version 1 cannot send, such as the language;
        its picture, camera and annotate are ignored. By default those clients get Spanish lists.
        """
        self.limits = limits or TcpLimits()
        self.handler = TimeLimited(handler, self.limits.request_time, self.limits.answer_time)
        self.version_1 = version_1 or DescribeRequest(language="es", style="list")
        plural_start("", self.version_1.language)  # reads the language now, not for a client
        self.counters: Counter[str] = Counter()
        self.open = 0
        self.closing = False
        self.journal = Journal(log)
        self.asking = asyncio.Semaphore(self.limits.max_questions)
        self.memory = RequestMemory(self.limits.max_memory_bytes)
        self.port = port
        self._host = host
        self._acceptor: Acceptor | None = None
        self._connections: dict[asyncio.Task[None], Connection] = {}

    async def start(self) -> None:
        """Start listening; raises OSError, which names the address, if that fails."""
        listening = await asyncio.to_thread(bind, self._host, self.port)
        self.port = listening[0].getsockname()[1]
        # As many again are told that there are too many.
        wanted = 2 * self.limits.max_connections
        self._acceptor = Acceptor(listening, self._protocol, lambda _: True, wanted)
        for each in listening:
            host, port = each.getsockname()[:2]
            if ipaddress.ip_address(host).is_loopback:
                log.info("listening on %s port %d, for this machine only", host, port)
            else:
                risk = "OPEN TO OTHER MACHINES, without a password or encryption"
                log.warning("listening on %s port %d: %s", host, port, risk)

    async def close(self) -> None:
        """Stop serving. May be called more than once; every call returns when all is closed.

        In this order: refuse new connections; disconnect clients without a request in progress;
        wait at most ``drain_time`` for the requests in progress; disconnect the rest.
        """
        if self._acceptor is None:
            return
        self.closing = True
        await self._acceptor.close()
        for task, connection in self._connections.items():
            if connection.idle:
                task.cancel()
        if self._connections:
            await asyncio.wait(list(self._connections), timeout=self.limits.drain_time)
        for task, connection in self._connections.items():
            connection.abort()
            task.cancel()
        if self._connections:
            clients = counted(len(self._connections), "client")
            log.warning("%s disconnected: not answered within drain_time", clients)
            await asyncio.wait(list(self._connections))
        self.journal.close()
        log.info("closed")

    def _protocol(self) -> asyncio.Protocol:
        """Return what reads and writes a new connection, as asyncio.start_server does it."""
        loop = asyncio.get_running_loop()
        reader = Reader(limit=CHUNK, loop=loop)
        return asyncio.StreamReaderProtocol(reader, self._accept, loop=loop)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Start the task of a new connection, or refuse it."""
        assert isinstance(reader, Reader)  # noqa: S101 (_protocol has made it)
        assert self._acceptor is not None  # noqa: S101 (it has accepted it)
        is_full = len(self._connections) >= self._acceptor.most
        if self.closing or (is_full and not self._displace(self._silent())):
            self.counters["turned_away"] += 1
            writer.transport.abort()
            return
        connection = Connection(self, reader, writer, self._has_place())
        task = asyncio.ensure_future(connection.run())
        self._connections[task] = connection
        task.add_done_callback(self._forget)

    def make_place(self) -> bool:
        """Return whether one more client is served that asks: one that says nothing gives way."""
        return self._has_place() or self._displace(self._silent(served=True))

    def _has_place(self) -> bool:
        """Return whether one more client is served; one that only holds its place gives way."""
        served = {task: other for task, other in self._connections.items() if other.served}
        if len(served) < self.limits.max_connections:
            return True
        task = min(served, key=lambda task: served[task].silent_since)
        silent = time.monotonic() - served[task].silent_since
        return silent >= YIELD_AFTER and self._displace(task)

    def _silent(self, served: bool = False) -> "asyncio.Task[None] | None":
        """Return the oldest connection of a client that has sent nothing at all."""
        silent = (
            task
            for task, other in self._connections.items()
            if not (other.has_spoken or other.gives_way) and other.served >= served
        )
        return next(silent, None)

    def _displace(self, task: "asyncio.Task[None] | None") -> bool:
        """Cut a connection, if there is one; return whether."""
        if task is None:
            return False
        self._connections[task].give_way()
        task.cancel()
        return True

    def _forget(self, task: asyncio.Task[None]) -> None:
        del self._connections[task]
        if not task.cancelled() and task.exception() is not None:
            log.error("a connection failed unexpectedly", exc_info=task.exception())
