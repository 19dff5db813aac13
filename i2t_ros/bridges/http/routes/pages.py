"""The page, its files, and the interactive documentation; nothing comes from another server."""

import importlib.util
from pathlib import Path

from fastapi import APIRouter
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.staticfiles import StaticFiles

from i2t_ros.bridges.http.middleware.access import POLICY

STATIC = Path(__file__).absolute().parents[1] / "static"
HAS_SWAGGER = importlib.util.find_spec("fastapi_offline") is not None
FILES = StaticFiles(
    directory=STATIC, packages=[("fastapi_offline", "static")] if HAS_SWAGGER else None
)
"""What is below /static/: our files, and Swagger UI's from the package fastapi-offline."""
# Swagger UI styles its elements by attribute.
DOCS_POLICY = POLICY.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")

router = APIRouter(include_in_schema=False)


@router.get("/")
async def page() -> Response:
    """Return the page."""
    return FileResponse(STATIC / "index.html")


@router.get("/favicon.ico")
async def icon() -> Response:
    """Return the icon."""
    return FileResponse(STATIC / "icon.svg")


@router.get("/docs")
async def docs() -> Response:
    """Return the documentation, or how to install what shows it."""
    text = (STATIC / ("docs.html" if HAS_SWAGGER else "docs_missing.html")).read_text("utf-8")
    return HTMLResponse(text, headers={"content-security-policy": DOCS_POLICY})
