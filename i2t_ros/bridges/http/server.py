"""Serves the application on the asyncio loop that the other listeners live on."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import socket
from types import TracebackType

import uvicorn
import websockets  # noqa: F401 (uvicorn would do without, and serve no cameras)
from fastapi import FastAPI

from i2t_ros.bridges.http.connections import Connections
from i2t_ros.bridges.http.services import Services
from i2t_ros.bridges.http.settings import DEFAULT_PORT

log = logging.getLogger("i2t_ros.http")

BACKLOG = 128
MAX_HEAD = 1 << 16  # bytes of a request before its body
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
        self._connections = Connections(self._services.settings.limits)
        self._server: uvicorn.Server | None = None
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
        """The port that the listener has (the first, if a host name has several addresses)."""
        if self._server is None or self._closed is not None:
            raise RuntimeError("HttpServer.port: expected a started server that is not closed")
        return self._port

    @property
    def drain_time(self) -> float:
        """Seconds that ``close`` leaves to requests that have begun."""
        return self._services.settings.limits.drain_time

    async def start(self) -> None:
        """Listen.

        Raises OSError, which names the address, if that is not possible, ServiceError if
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
        # Without serve(), which would take the node's signals and wake the loop ten times a second
        # to look for its end and to keep a Date header right.
        self._server = uvicorn.Server(config)
        self._server.lifespan = config.lifespan_class(config)
        await self._server.startup(sockets=self._sockets)
        self._announce()

    async def close(self) -> None:
        """Stop serving. May be called more than once; every call returns when all is over.

        In this order: no new connections; streams and cameras end; requests that have begun get
        ``drain_time`` to be answered; the rest is cut off; the history is closed.
        """
        if self._server is None:
            return
        if self._closed is None:
            self._closed = asyncio.ensure_future(self._shut_down(self._server))
        await asyncio.shield(self._closed)

    async def _shut_down(self, server: uvicorn.Server) -> None:
        self._services.closing.set()
        await server.shutdown(sockets=self._sockets)
        self._connections.cut_off()
        await self._services.close()
        log.info("closed")

    def _config(self) -> uvicorn.Config:
        settings = self._services.settings
        limits = settings.limits
        return uvicorn.Config(
            self._connections.around(self._app),
            http=self._connections.protocol,  # type: ignore[arg-type]  # uvicorn only calls it
            h11_max_incomplete_event_size=MAX_HEAD,
            ws="auto",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,  # the middleware Guard adds it
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
