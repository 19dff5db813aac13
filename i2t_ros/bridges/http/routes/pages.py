"""The page, its files, and the interactive documentation; nothing comes from another server."""

import functools
import importlib.util
import json
import os
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Literal

from fastapi import APIRouter
from starlette.requests import HTTPConnection
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from i2t_ros.bridges.http.middleware.access import POLICY
from i2t_ros.bridges.http.problems import HttpProblem
from i2t_ros.bridges.http.routes.request_body import accepts_html
from i2t_ros.errors import UnknownLanguageError
from i2t_ros.installation import how_to_install
from i2t_ros.language import load_languages
from i2t_ros.vision.class_colors import named_colors

STATIC = Path(__file__).absolute().parents[1] / "static"
MAX_PATH = 100  # characters


class _Files(StaticFiles):
    """Looks for no path that none of the files has: every part of one is a system call."""

    def lookup_path(self, path: str) -> tuple[str, os.stat_result | None]:
        """Return where a file lies, and None in place of what it is if there is none."""
        return super().lookup_path(path) if len(path) <= MAX_PATH else ("", None)


FILES = _Files(directory=STATIC)
"""What is below /static/, but for Swagger UI's files, which the package fastapi-offline has."""
OFFLINE = importlib.util.find_spec("fastapi_offline")
SWAGGER = Path(OFFLINE.origin).parent / "static" if OFFLINE and OFFLINE.origin else None
# Swagger UI styles its elements by attribute.
DOCS_POLICY = POLICY.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")

router = APIRouter(include_in_schema=False)


@functools.cache
def _words(language: str) -> Mapping[str, str]:
    """Return the words of a file; one that extends another has only what differs from it."""
    own: dict[str, str] = json.loads((STATIC / "strings" / f"{language}.json").read_bytes())
    base = own.pop("extends", None)
    return {**_words(base), **own} if base else own


def page_words(language: str) -> Mapping[str, str]:
    """Return the page's words in a language, such as "pt" or "pt-BR"; English if there are none."""
    try:
        return _words(load_languages().resolve(language))
    except UnknownLanguageError:
        return _words("en")


@router.get("/")
async def page() -> Response:
    """Return the page."""
    return FileResponse(STATIC / "index.html", headers={"vary": "Accept"})


def streaming_at_root(app: ASGIApp) -> ASGIApp:
    """Return an application that has the stream at `/`, except for those who ask for HTML.

    Video players and <img> ask for anything or for pictures, and get what /stream is, with its
    options and its access.
    """

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (scope["method"], scope["path"]) == ("GET", "/"):
            accept = ",".join(HTTPConnection(scope).headers.getlist("accept"))
            if not accepts_html(accept):
                scope["path"], scope["raw_path"] = "/stream", b"/stream"
        await app(scope, receive, send)

    return answer


@router.get("/static/class-colors.json")
async def class_colors() -> Response:
    """Return the colors that drawings have for classes, as CSS has them."""
    colors = {name: f"rgb({r}, {g}, {b})" for name, (b, g, r) in named_colors().items()}
    return JSONResponse(colors)


@router.get("/favicon.ico")
async def icon() -> Response:
    """Return the icon."""
    return FileResponse(STATIC / "icon.svg")


@router.get("/docs")
async def docs() -> Response:
    """Return the documentation, or how to install what shows it."""
    text = (STATIC / ("docs.html" if SWAGGER else "docs_missing.html")).read_text("utf-8")
    text = text.replace("{install}", escape(how_to_install("fastapi-offline"), quote=False))
    return HTMLResponse(text, headers={"content-security-policy": DOCS_POLICY})


@router.get("/static/swagger-ui{rest}")
async def swagger(rest: Literal[".css", "-bundle.js"]) -> Response:
    """Return a file of Swagger UI."""
    if SWAGGER is None:
        raise HttpProblem(404, "the package fastapi-offline is not installed")
    return FileResponse(SWAGGER / f"swagger-ui{rest}")
