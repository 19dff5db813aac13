"""Serves HTTP on the asyncio loop that the other listeners live on."""

import asyncio
import contextlib
import ipaddress
import logging
import socket
from collections.abc import Collection
from typing import TYPE_CHECKING

import uvicorn
import websockets  # noqa: F401 (uvicorn would do without, and serve no cameras)
from fastapi import Depends, FastAPI
from fastapi.security import HTTPBearer
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Route
from starlette.types import ASGIApp

from i2t_ros.bridges.accepting import Acceptor, bind
from i2t_ros.bridges.http.connections import TimedProtocol, in_time
from i2t_ros.bridges.http.metrics import Counting
from i2t_ros.bridges.http.middleware.access import Guard
from i2t_ros.bridges.http.middleware.proxies import Proxied
from i2t_ros.bridges.http.problems import HANDLERS
from i2t_ros.bridges.http.routes import (
    ask,
    describe,
    history,
    live,
    pages,
    state,
    upload,
    websocket,
)
from i2t_ros.bridges.http.routes import pictures as mjpeg
from i2t_ros.bridges.http.services import Services
from i2t_ros.bridges.http.settings import DEFAULT_PORT
from i2t_ros.bridges.http.turns import Turns
from i2t_ros.bridges.http.uvicorn_log import UvicornLog
from i2t_ros.bridges.http.waiting import Waiting
from i2t_ros.installation import how_to_install
from i2t_ros.optional import needed_for

if TYPE_CHECKING:
    from i2t_ros.bridges.http.mcp.endpoint import McpEndpoint

log = logging.getLogger("i2t_ros.http")

NOT_SENT = 1 << 17
"""Bytes that the kernel may hold back for a viewer. More would only be older pictures."""
ABOUT = """\
What a robot's cameras see, and any picture that is sent here, in a sentence.

Every error's body is `{"error": {"code": ..., "message": ...}}`; the codes are stable.
"""


class HttpServer:
    """Serves what is in ``services``, which it opens and closes.

    Everything happens on the loop that calls ``start``. A closed server is not started again: make
    another, with other services.

    port        that the listener has (the first, if a host name has several addresses)
    drain_time  seconds that ``close`` leaves to requests that have begun
    """

    def __init__(
        self, services: Services, host: str = "127.0.0.1", port: int = DEFAULT_PORT
    ) -> None:
        self.port = port
        self.drain_time = services.settings.limits.drain_time
        self._services = services
        self._host = host
        self._server: uvicorn.Server | None = None
        self._waiting = Waiting()
        self._turns = Turns()
        self._acceptor: Acceptor | None = None
        self._uvicorn_log: UvicornLog | None = None
        self._mcp: McpEndpoint | None = None
        self._closed: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen.

        Raises OSError, which names the address, if that is not possible, InvalidRequestError
        for a history's URL that can never work, ssl.SSLError for a certificate that is none, and
        BackendMissingError if /mcp lacks its packages. A history that cannot be opened now is
        opened later.
        """
        if self._services.settings.mcp:
            self._mcp = (await asyncio.to_thread(_import_mcp))(self._services)
        config = self._config()
        with contextlib.ExitStack() as undo:
            listening = await asyncio.to_thread(bind, self._host, self.port)
            for opened in listening:
                undo.callback(opened.close)
                with contextlib.suppress(AttributeError, OSError):
                    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, NOT_SENT)
            config.load()
            if self._services.history is not None:
                await self._services.history.open()
            if self._mcp is not None:
                await self._mcp.start()
            undo.pop_all()
        self.port = int(listening[0].getsockname()[1])
        # Without serve(), which would take the node's signals and wake the loop ten times a second
        # to look for its end and to keep a Date header right.
        self._server = uvicorn.Server(config)
        self._server.lifespan = config.lifespan_class(config)
        await self._server.startup(sockets=[])
        self._uvicorn_log = UvicornLog(self._services.journal)
        self._accept(listening, self._server)
        for opened in listening:
            self._announce(*opened.getsockname()[:2])

    def _accept(self, listening: list[socket.socket], server: uvicorn.Server) -> None:
        limits = self._services.settings.limits

        def connection() -> asyncio.Protocol:
            state = server.lifespan.state
            return TimedProtocol(
                limits,
                self._waiting,
                self._turns,
                config=server.config,
                server_state=server.server_state,
                app_state=state,
            )

        def has_room(coming: Collection[asyncio.BaseProtocol]) -> bool:
            there = server.server_state.connections | set(coming)
            return len(there) < acceptor.most or self._waiting.make_room()

        acceptor = self._acceptor = Acceptor(
            listening,
            connection,
            has_room,
            2 * limits.max_connections,
            tls=server.config.ssl,
            handshake_time=limits.header_time,
        )

    async def close(self) -> None:
        """Stop serving. May be called more than once; every call returns when all is over.

        In this order: no new connections; streams and cameras end; requests that have begun get
        ``drain_time`` to be answered; the rest is cut off; the history is closed.
        """
        if self._server is not None:
            if self._closed is None:
                self._closed = asyncio.ensure_future(self._shut_down(self._server))
            await asyncio.shield(self._closed)

    async def _shut_down(self, server: uvicorn.Server) -> None:
        self._services.closing.set()
        if self._acceptor is not None:
            await self._acceptor.close()
        await server.shutdown()
        for connection in list(server.server_state.connections):
            connection.transport.abort()
        if self._mcp is not None:
            await self._mcp.close()
        await self._services.close()
        if self._uvicorn_log is not None:
            self._uvicorn_log.close()
        log.info("closed")

    def _config(self) -> uvicorn.Config:
        settings = self._services.settings
        limits = settings.limits
        return uvicorn.Config(
            in_time(create_app(self._services, self._mcp)),
            http="h11",
            ws="auto",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,  # the middleware Guard adds it
            timeout_keep_alive=max(1, round(limits.header_time)),
            timeout_graceful_shutdown=max(1, round(limits.drain_time)),
            ws_max_size=limits.max_frame_bytes,
            ws_ping_interval=limits.ping_time,
            ws_ping_timeout=limits.ping_time,
            ws_per_message_deflate=False,  # JPEG does not get smaller
            ssl_certfile=settings.certificate or None,
            ssl_keyfile=settings.key or None,
        )

    def _announce(self, host: str, port: int) -> None:
        settings = self._services.settings
        scheme = "https" if settings.certificate else "http"
        url = f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}/"
        if ipaddress.ip_address(host).is_loopback:
            log.info("listening on %s, for this machine only", url)
        elif settings.token:
            log.info("listening on %s, open to other machines that have the token", url)
        else:
            log.warning("listening on %s: OPEN TO OTHER MACHINES, without a token", url)


def _import_mcp() -> "type[McpEndpoint]":
    """Return what serves /mcp; in a thread, as the import takes half a second.

    Raises BackendMissingError.
    """
    with needed_for("http_mcp", how_to_install("mcp")):
        from i2t_ros.bridges.http.mcp.endpoint import McpEndpoint  # noqa: PLC0415

    return McpEndpoint


def create_app(services: Services, mcp: "McpEndpoint | None" = None) -> ASGIApp:
    """Return the application, with /mcp if there is one; HttpServer runs it."""
    app = FastAPI(
        title="i2t_ros",
        description=ABOUT,
        version="1",
        servers=[{"url": "."}],  # relative to the document's own URL, whatever proxy is before us
        docs_url=None,
        redoc_url=None,
        exception_handlers=HANDLERS,
    )
    app.state.services = services
    # The middleware Guard asks for the token; this has Swagger UI ask for it too.
    token = [Depends(HTTPBearer(auto_error=False))] if services.settings.token else []
    for routes in (describe, ask, upload, mjpeg, live, state):
        app.include_router(routes.router, dependencies=token)
    for open_routes in (websocket, pages):
        app.include_router(open_routes.router)
    if services.history is not None:
        app.include_router(history.router, dependencies=token)
    if mcp is not None:
        app.router.routes.append(Route(mcp.path, mcp, methods=["POST"]))
    app.mount("/static", pages.FILES, name="static")

    # Not add_middleware(): Starlette answers unexpected errors outside of what that adds.
    settings = services.settings
    guarded: ASGIApp = Guard(app, settings, services.memory, services.journal)
    if settings.cors_origins:
        guarded = CORSMiddleware(
            guarded,
            allow_origins=list(settings.cors_origins),
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["authorization", "content-type", "x-request-id"],
            expose_headers=["x-i2t-sentence", "x-i2t-answer", "x-i2t-model", "x-timestamp"],
        )
    counted = Counting(pages.streaming_at_root(guarded), services.metrics)
    return Proxied(counted, settings.trusted_proxies)
