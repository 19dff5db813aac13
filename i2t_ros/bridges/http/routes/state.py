"""What there is and how it fares: cameras, models, health, metrics."""

from __future__ import annotations

import time

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from i2t_ros.bridges.http import schemas
from i2t_ros.bridges.http.metrics import MEDIA_TYPE
from i2t_ros.bridges.http.middleware.access import AUTHORIZED, COOKIE, session_value, shows_token
from i2t_ros.bridges.http.problems import HttpProblem, problem_response
from i2t_ros.bridges.http.services import Services
from i2t_ros.errors import DetectorUnreachableError
from i2t_ros.models.manifest import load_manifest

SESSION_TIME = 30 * 86400  # seconds that a browser keeps its cookie


def make_router(services: Services) -> APIRouter:
    """Return the routes."""
    router = APIRouter(tags=["state"])

    @router.get(
        "/v1/cameras",
        summary="Cameras",
        response_model=schemas.Cameras,
        responses=schemas.refusals(401, 429),
    )
    async def cameras() -> Response:
        """List the cameras that are there; the first is the default of every `camera` option."""
        now = time.time()
        return JSONResponse(
            {
                "cameras": [
                    {
                        "name": camera.name,
                        "transport": camera.transport,
                        "frames": camera.frames,
                        "age": round(now - camera.last_frame, 3) if camera.last_frame else None,
                        "viewers": camera.viewers,
                    }
                    for camera in services.hub.online
                ]
            }
        )

    @router.get(
        "/v1/models",
        summary="Models",
        response_model=schemas.Models,
        responses=schemas.refusals(401, 429),
    )
    async def models() -> Response:
        """List the models that the package knows by name, and what answered last."""
        known = [
            {
                "name": spec.name,
                "task": spec.task,
                "summary": spec.summary,
                "license": spec.license,
                "size": spec.size,
            }
            for spec in load_manifest().values()
        ]
        return JSONResponse({"in_use": services.handler.model, "models": known})

    @router.get("/healthz", summary="Alive", response_model=schemas.Health)
    async def alive() -> Response:
        """Answer while the process lives."""
        return JSONResponse({"status": "ok"})

    @router.get(
        "/readyz",
        summary="Ready",
        response_model=schemas.Health,
        responses=schemas.refusals(503),
    )
    async def ready() -> Response:
        """Answer 200 while pictures can be described, and 503 with the reason otherwise."""
        reason = services.unready()
        if reason:
            return problem_response(503, DetectorUnreachableError.code, reason)
        return JSONResponse({"status": "ok"})

    @router.get(
        "/metrics",
        summary="Counters for Prometheus",
        response_class=Response,
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    )
    async def metrics() -> Response:
        """Return counters in Prometheus' text format."""
        return Response(services.metrics.text(), media_type=MEDIA_TYPE)

    return router


def make_session_router(services: Services) -> APIRouter:
    """Return the routes with which a browser shows its token once."""
    router = APIRouter(tags=["state"])
    token = services.settings.token

    @router.get(
        "/v1/session",
        summary="What a page has to know first",
        response_model=schemas.Session,
        responses=schemas.refusals(429),
    )
    async def session(request: Request) -> Response:
        """Tell a page whether to ask its user for the token, and whether results are kept."""
        return JSONResponse(
            {
                "token_needed": not request.scope.get(AUTHORIZED, True),
                "history": services.history is not None,
            }
        )

    @router.post(
        "/v1/session",
        summary="Show the token, get a cookie",
        status_code=204,
        response_class=Response,
        responses=schemas.refusals(401, 403, 429),
    )
    async def log_in(request: Request) -> Response:
        """Take the token in the Authorization header and answer with a cookie that stands for it.

        For browsers, which cannot send the header with pictures and streams.
        """
        if token and not shows_token(request.headers.get("authorization", ""), token):
            raise HttpProblem(401, "wrong token", headers={"www-authenticate": "Bearer"})
        response = Response(status_code=204)
        if token:
            response.set_cookie(
                COOKIE,
                session_value(token),
                max_age=SESSION_TIME,
                httponly=True,
                samesite="strict",
                secure=request.url.scheme == "https",
            )
        return response

    return router
