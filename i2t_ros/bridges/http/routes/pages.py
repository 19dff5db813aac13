"""The page, its files, and the interactive documentation; nothing comes from another server."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from i2t_ros.bridges.http.middleware.access import content_security_policy

STATIC = Path(__file__).absolute().parents[1] / "static"
SWAGGER = ("swagger-ui-bundle.js", "swagger-ui.css")
# Swagger UI styles its elements by attribute.
DOCS_POLICY = content_security_policy(style_src="'self' 'unsafe-inline'")


class Files(StaticFiles):
    """Files that browsers keep, and ask about each time."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return a file, or that it has not changed."""
        response = await super().get_response(path, scope)
        response.headers.setdefault("cache-control", "no-cache")
        return response


def add_pages(app: FastAPI) -> None:
    """Add the routes to ``app``."""
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    async def page() -> Response:
        return _file("index.html")

    @router.get("/favicon.ico")
    async def icon() -> Response:
        return _file("icon.svg")

    @router.get("/docs")
    async def docs() -> Response:
        name = "docs.html" if swagger_folder() else "docs_missing.html"
        text = (STATIC / name).read_text(encoding="utf-8")
        return HTMLResponse(text, headers={"content-security-policy": DOCS_POLICY})

    app.include_router(router)
    swagger = swagger_folder()
    if swagger is not None:
        for name in SWAGGER:
            app.add_route(f"/static/{name}", _server_of(swagger / name), include_in_schema=False)
    app.mount("/static", Files(directory=STATIC), name="static")


def swagger_folder() -> Path | None:
    """Return where the package fastapi-offline has Swagger UI's files, or None without it."""
    spec = importlib.util.find_spec("fastapi_offline")
    if spec is None or spec.origin is None:
        return None
    beside = [folder / "static" for folder in Path(spec.origin).parents[:2]]  # it has moved once
    return next((folder for folder in beside if (folder / SWAGGER[0]).is_file()), None)


def _file(name: str) -> FileResponse:
    return FileResponse(STATIC / name, headers={"cache-control": "no-cache"})


def _server_of(path: Path) -> Any:
    async def serve(request: Any) -> Response:
        return FileResponse(path, headers={"cache-control": "no-cache"})

    return serve
