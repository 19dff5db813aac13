"""Serves the application on the asyncio loop that the other listeners live on."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import socket
from collections.abc import Iterator
from types import TracebackType
from typing import Any

import uvicorn
import websockets  # noqa: F401 (uvicorn would do without, and serve no cameras)
from fastapi import FastAPI
from starlette.types import Scope
from uvicorn.protocols.http.h11_impl import H11Protocol

from i2t_ros.bridges.http.services import Services
from i2t_ros.bridges.http.settings import DEFAULT_PORT, HttpLimits

try:  # several times as fast; h11 does the same in Python alone
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol as FastestProtocol
except ImportError:
    FastestProtocol = H11Protocol  # type: ignore[assignment, misc]

log = logging.getLogger("i2t_ros.http")

BACKLOG = 128
MAX_HEAD = 1 << 16  # bytes of a request before its body
DATE_PERIOD = 1.0  # seconds between two updates of the Date header
NOT_SENT = 1 << 17
"""Bytes that the kernel may hold back for a viewer. More would only be older pictures."""


class HttpServer:
    """Serves an application of ``create_app``.

    An asynchronous context manager; everything happens on the loop that enters it. A closed
    server is not started again: make another, of another application.
    """

    def __init__(self, app: FastAPI, host: str = "127.0.0.1", port: int = DEFAULT_PORT) -> None:
        """Prepare to listen on ``host`` and ``port`` (0: any free one)."""
        self._app = app
        self._services: Services = app.state.services
        self._host = host
        self._port = port
        self._sockets: list[socket.socket] = []
        self._server: _Server | None = None
        self._serving: asyncio.Task[None] | None = None
        self._closed: asyncio.Task[None] | None = None

    async def __aenter__(self) -> HttpServer:
        """Start listening."""
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close."""
        await self.close()

    @property
    def port(self) -> int:
        """The port that the listener has (the first, where a host name has several addresses)."""
        if self._server is None or self._closed is not None:
            raise RuntimeError("HttpServer.port: expected a started server that is not closed")
        return self._port

    @property
    def drain_time(self) -> float:
        """Seconds that ``close`` leaves to requests that have begun."""
        return self._services.settings.limits.drain_time

    def forget_model(self) -> None:
        """Take note that another model may answer from now on."""
        if self._services.memory is not None:
            self._services.memory.forget_model()

    async def start(self) -> None:
        """Listen.

        Raises OSError, which names the address, where that is not possible, ServiceError where
        the history cannot be opened, and ssl.SSLError for a certificate that is none.
        """
        loop = asyncio.get_running_loop()
        config = self._config()
        self._sockets = await loop.run_in_executor(None, _bind, self._host, self._port)
        try:
            config.load()
            await self._services.open()
        except BaseException:
            for listening in self._sockets:
                listening.close()
            raise
        self._port = int(self._sockets[0].getsockname()[1])
        self._server = _Server(config)
        self._services.disconnect = self._server.disconnect
        self._serving = loop.create_task(self._server.serve(sockets=self._sockets))
        await self._server.ready.wait()
        self._announce()

    async def close(self) -> None:
        """Stop serving. May be called more than once; every call returns when all is over.

        In this order: no new connections; streams and cameras end; requests that have begun get
        ``drain_time`` to be answered; the rest is cut off; the history is closed.
        """
        if self._serving is None:
            return
        if self._closed is None:
            self._closed = asyncio.ensure_future(self._shut_down())
        await asyncio.shield(self._closed)

    async def _shut_down(self) -> None:
        if self._server is None or self._serving is None:
            return
        self._services.closing.set()
        self._server.stop()
        await asyncio.wait([self._serving])
        self._server.cut_off()
        await self._services.close()
        log.info("closed")
        if not self._serving.cancelled():
            self._serving.result()

    def _config(self) -> uvicorn.Config:
        settings = self._services.settings
        limits = settings.limits
        return uvicorn.Config(
            self._app,
            http=_patient(FastestProtocol, limits),
            ws="auto",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            backlog=BACKLOG,
            timeout_keep_alive=max(1, round(limits.header_time)),
            timeout_graceful_shutdown=max(1, round(limits.drain_time)),
            limit_concurrency=limits.max_connections,
            ws_max_size=limits.max_frame_bytes,
            ws_ping_interval=limits.ping_time,
            ws_ping_timeout=limits.ping_time,
            ws_per_message_deflate=False,  # JPEG does not get smaller
            ssl_certfile=settings.certificate or None,
            ssl_keyfile=settings.key or None,
        )

    def _announce(self) -> None:
        settings = self._services.settings
        scheme = "https" if settings.certificate else "http"
        for listening in self._sockets:
            host, port = listening.getsockname()[:2]
            url = f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}/"
            if ipaddress.ip_address(host).is_loopback:
                log.info("listening on %s, for this machine only", url)
            elif settings.token:
                log.info("listening on %s, open to other machines that have the token", url)
            else:
                log.warning("listening on %s: OPEN TO OTHER MACHINES, without a token", url)


class _Server(uvicorn.Server):
    """uvicorn's server as one task among others: it leaves signals alone and says when it is up."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()
        self._stop = asyncio.Event()

    def install_signal_handlers(self) -> None:
        """Do nothing: they are the node's (uvicorn up to 0.28)."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Do nothing: they are the node's (uvicorn from 0.29)."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so."""
        await super().startup(sockets=sockets)
        self.ready.set()

    async def main_loop(self) -> None:
        """Wait until told to stop; ``on_tick`` keeps the Date header right."""
        while not await self.on_tick(0):
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._stop.wait(), DATE_PERIOD)

    def stop(self) -> None:
        """Have ``serve`` end."""
        self.should_exit = True
        self._stop.set()

    def disconnect(self, scope: Scope) -> None:
        """Cut the connection of a request at once, with what waits to be sent on it."""
        for connection in list(self.server_state.connections):
            client = getattr(connection, "client", None)
            if client is not None and client == scope.get("client"):
                connection.transport.abort()

    def cut_off(self) -> None:
        """Cut every connection that is still there."""
        for connection in list(self.server_state.connections):
            connection.transport.abort()


def _patient(base: Any, limits: HttpLimits) -> Any:
    """Return uvicorn's protocol with limits on connections, and on the time and size of headers.

    uvicorn has a limit on silence between requests alone: a client that sends nothing at first, or
    a byte of a header now and then, may stay for ever. With httptools headers may also be endless;
    h11 has a limit of its own.
    """

    class PatientProtocol(base):  # type: ignore[misc]
        timer: asyncio.TimerHandle | None = None
        in_head = False
        head_bytes = 0

        def connection_made(self, transport: asyncio.Transport) -> None:
            super().connection_made(transport)
            if len(self.connections) > 2 * limits.max_connections:
                transport.abort()
            else:
                self._wait_for_headers()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if self._at_work() or self.transport.get_protocol() is not self:
                self._stop_waiting()
                return
            self._wait_for_headers()
            self.head_bytes = self.head_bytes + len(data) if self.in_head else 0
            if self.head_bytes > MAX_HEAD:
                self.transport.abort()

        def connection_lost(self, error: Exception | None) -> None:
            self._stop_waiting()
            super().connection_lost(error)

        def on_message_begin(self) -> None:
            self.in_head = True
            super().on_message_begin()

        def on_headers_complete(self) -> None:
            self.in_head = False
            super().on_headers_complete()

        def _at_work(self) -> bool:
            return self.cycle is not None and not self.cycle.response_complete

        def _wait_for_headers(self) -> None:
            if self.timer is None:
                loop = asyncio.get_running_loop()
                self.timer = loop.call_later(limits.header_time, self.transport.abort)

        def _stop_waiting(self) -> None:
            if self.timer is not None:
                self.timer.cancel()
                self.timer = None

    return PatientProtocol


def _bind(host: str, port: int) -> list[socket.socket]:
    """Return bound sockets, one for each address of the host; raises OSError naming the address."""
    listening: list[socket.socket] = []
    try:
        for family, kind, protocol, _, address in socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        ):
            opened = socket.socket(family, kind, protocol)
            listening.append(opened)
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            with contextlib.suppress(AttributeError, OSError):
                opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, NOT_SENT)
            opened.bind(address)
            opened.setblocking(False)
    except OSError as error:
        for opened in listening:
            opened.close()
        raise OSError(error.errno, f"cannot listen on {host} port {port}: {error}") from error
    return listening
