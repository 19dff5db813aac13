"""Puts the HTTP listener together."""

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from i2t_ros.bridges.http.metrics import Counting
from i2t_ros.bridges.http.middleware.access import Guard
from i2t_ros.bridges.http.problems import HANDLERS
from i2t_ros.bridges.http.routes import describe, history, live, pages, state, upload, websocket
from i2t_ros.bridges.http.routes import pictures as mjpeg
from i2t_ros.bridges.http.services import Services

ABOUT = """\
What a robot's cameras see, and any picture that is sent here, in a sentence.

Every error's body is `{"error": {"code": ..., "message": ...}}`; the codes are stable.
"""


def create_app(services: Services) -> FastAPI:
    """Return the application; HttpServer runs it."""
    app = FastAPI(
        title="i2t_ros",
        description=ABOUT,
        version="1",
        docs_url=None,
        redoc_url=None,
        exception_handlers=HANDLERS,
    )
    app.state.services = services
    for routes in (describe, upload, mjpeg, live, websocket, state, pages):
        app.include_router(routes.router)
    if services.history is not None:
        app.include_router(history.router)
    app.mount("/static", pages.FILES, name="static")

    # The last to be added is the outermost.
    settings = services.settings
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
