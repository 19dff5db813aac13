"""The TCP listener: the ``<SEP>`` protocol on an asyncio loop, in front of a Handler."""

from __future__ import annotations

import asyncio
import ipaddress

from i2t_ros.bridges.handler import Handler, TimeLimited
from i2t_ros.bridges.tcp import wire
from i2t_ros.bridges.tcp.connection import CHUNK, Connection, log
from i2t_ros.bridges.tcp.service import TcpCounters, TcpLimits, TcpService
from i2t_ros.types import DescribeRequest


class TcpServer:
    """Serves a Handler to clients of both protocol versions.

    An asynchronous context manager; everything runs on the loop that enters it. A closed server
    cannot start again: create another one.
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
        self._service = TcpService(
            TimeLimited(handler, self.limits.request_time),
            self.limits,
            version_1 or DescribeRequest(language="es", style="list"),
        )
        self._host = host
        self._port = port
        self._listener: asyncio.Server | None = None
        self._connections: dict[asyncio.Task[None], Connection] = {}
        self._closed: asyncio.Task[None] | None = None

    async def __aenter__(self) -> TcpServer:
        """Start listening."""
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close."""
        await self.close()

    @property
    def port(self) -> int:
        """The port of the listener; the first one if the host name has several addresses."""
        if self._listener is None or not self._listener.sockets:
            raise RuntimeError("TcpServer.port: expected a started server that is not closed")
        return int(self._listener.sockets[0].getsockname()[1])

    @property
    def counters(self) -> TcpCounters:
        """What the listener has done since its start."""
        return self._service.counters

    @property
    def open_connections(self) -> int:
        """How many clients are connected now."""
        return len(self._connections)

    async def start(self) -> None:
        """Start listening; raises OSError, which names the address, if that fails."""
        self._listener = await asyncio.start_server(
            self._accept, self._host, self._port, limit=CHUNK
        )
        for listening in self._listener.sockets:
            host, port = listening.getsockname()[:2]
            if ipaddress.ip_address(host).is_loopback:
                log.info("listening on %s port %d, for this machine only", host, port)
            else:
                log.warning(
                    "listening on %s port %d: OPEN TO OTHER MACHINES, without a password "
                    "or encryption",
                    host,
                    port,
                )

    async def close(self) -> None:
        """Stop serving. May be called more than once; every call returns when all is closed.

        In this order: refuse new connections; disconnect clients without a request in progress;
        wait at most ``drain_time`` for the requests in progress; disconnect the rest.
        """
        if self._listener is None:
            return
        if self._closed is None:
            self._closed = asyncio.ensure_future(self._shut_down(self._listener))
        await asyncio.shield(self._closed)

    async def _shut_down(self, listener: asyncio.Server) -> None:
        self._service.closing = True
        listener.close()
        for task, connection in self._connections.items():
            if connection.idle:
                task.cancel()
        if self._connections:
            await asyncio.wait(list(self._connections), timeout=self.limits.drain_time)
        for task, connection in self._connections.items():
            connection.abort()
            task.cancel()
        if self._connections:
            log.warning(
                "%d clients disconnected: not answered within drain_time", len(self._connections)
            )
            await asyncio.wait(list(self._connections))
        log.info("closed")

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Start the task of a new connection, or refuse it."""
        limit = self.limits.max_connections
        if self._service.closing or len(self._connections) >= 2 * limit:
            self._service.counters.turned_away += 1
            writer.transport.abort()
            return
        connection = Connection(self._service, reader, writer)
        served = sum(other.served for other in self._connections.values())
        connection.served = served < self.limits.max_connections
        task = asyncio.ensure_future(connection.run())
        self._connections[task] = connection
        task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[None]) -> None:
        del self._connections[task]
        if not task.cancelled() and task.exception() is not None:
            log.error("a connection failed unexpectedly", exc_info=task.exception())
