"""/v1/live: what a camera sees, in words, as it sees it (server-sent events)."""

from __future__ import annotations

import asyncio
import contextlib
import json

from fastapi import APIRouter, Request
from starlette.responses import Response

from i2t_ros import language as words
from i2t_ros.bridges.http import schemas
from i2t_ros.bridges.http.history.handler import said
from i2t_ros.bridges.http.routes.request_reading import read_camera, read_name
from i2t_ros.bridges.http.routes.streaming import EndlessResponse, Write, follow
from i2t_ros.bridges.http.services import Services
from i2t_ros.pipeline.description_json import description_to_json

MIN_INTERVAL = 0.2  # seconds between two events: faster than anybody reads

_EVENTS = {"text/event-stream": {"schema": {"type": "string"}}}


def make_router(services: Services) -> APIRouter:
    """Return the route."""
    router = APIRouter(tags=["cameras"])
    stale_time = services.settings.limits.stale_time

    @router.get(
        "/v1/live",
        summary="Live words of a camera (server-sent events)",
        response_class=Response,
        responses={200: {"content": _EVENTS}, **schemas.refusals(401, 422, 429, 503)},
        openapi_extra={"parameters": [schemas.CAMERA, schemas.LANGUAGE, schemas.STYLE]},
    )
    async def live(request: Request) -> Response:
        """Send an event `words` for the newest description, and `silence` when there is none.

        The data of `words` is a description as /v1/describe returns it, with the camera's name;
        that of `silence` is the camera's name alone.
        """
        camera = read_camera(request.query_params.get("camera", ""))
        language = read_name("language", request.query_params.get("language", ""))
        style = read_name("style", request.query_params.get("style", ""))
        if language:
            words.resolve_language(language)
        if style:
            words.check_style(style)

        async def pump(write: Write) -> None:
            said_by = follow(services.hub, camera, lambda found: found.words, stale_time)
            async with contextlib.aclosing(said_by):
                async for sight in said_by:
                    if sight.shot is None:
                        await write(event("silence", {"camera": sight.camera}))
                        continue
                    description = said(sight.shot.item, language, style)
                    data = {"camera": sight.camera, **description_to_json(description)}
                    await write(event("words", data))
                    await asyncio.sleep(MIN_INTERVAL)

        return EndlessResponse(services, "text/event-stream", pump)

    return router


def event(name: str, data: dict[str, object]) -> bytes:
    """Return one server-sent event."""
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()
