"""Puts the HTTP listener together."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from i2t_ros.bridges.camera_hub import CameraHub, FrameSink
from i2t_ros.bridges.handler import Handler
from i2t_ros.bridges.http.metrics import Counting
from i2t_ros.bridges.http.middleware.access import Guard
from i2t_ros.bridges.http.middleware.head_requests import Heads
from i2t_ros.bridges.http.middleware.limits import Limits
from i2t_ros.bridges.http.problems import add_error_handlers
from i2t_ros.bridges.http.routes import describe, live, state, upload, websocket
from i2t_ros.bridges.http.routes import history as kept
from i2t_ros.bridges.http.routes import pictures as mjpeg
from i2t_ros.bridges.http.routes.pages import add_pages
from i2t_ros.bridges.http.services import Services
from i2t_ros.bridges.http.settings import HttpSettings

ABOUT = """\
What a robot's cameras see, and any picture that is sent here, in a sentence.

Every error's body is `{"error": {"code": ..., "message": ...}}`; the codes are stable.
"""


def create_app(  # noqa: PLR0913 (one listener, and all that it is connected with)
    handler: Handler,
    cameras: CameraHub,
    settings: HttpSettings | None = None,
    *,
    sink: FrameSink | None = None,
    unready: Callable[[], str] | None = None,
    configuration: Callable[[], str] | None = None,
) -> FastAPI:
    """Return the application that serves ``handler`` and ``cameras``; HttpServer runs it.

    sink           where frames of WebSocket cameras go besides ``cameras``
    unready        returns why pictures cannot be described at present, or ""
    configuration  returns who would describe them, and how; see HistoryHandler

    What the routes share is ``app.state.services``, which has to be opened and closed.
    Raises BackendMissingError if the settings ask for what is not installed.
    """
    settings = settings or HttpSettings()
    services = Services(
        handler, cameras, settings, sink=sink, unready=unready, configuration=configuration
    )
    app = FastAPI(title="i2t_ros", description=ABOUT, version="1", docs_url=None, redoc_url=None)
    app.state.services = services
    for router in (
        describe.make_router(services),
        upload.make_router(services),
        mjpeg.make_router(services),
        live.make_router(services),
        websocket.make_router(services),
        state.make_router(services),
    ):
        app.include_router(router)
    if services.history is not None:
        app.include_router(kept.make_router(services, services.history))
    add_pages(app)
    add_error_handlers(app)

    # The last to be added is the outermost.
    app.add_middleware(Heads)
    app.add_middleware(Limits, limits=settings.limits)
    app.add_middleware(Guard, settings=settings)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(settings.cors_origins),
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["authorization", "content-type"],
            expose_headers=["x-i2t-sentence", "x-i2t-model", "x-timestamp"],
        )
    app.add_middleware(Counting, metrics=services.metrics)
    return app
