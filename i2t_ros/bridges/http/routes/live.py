"""/v1/live: what a camera sees, in words, as it sees it (server-sent events)."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from i2t_ros import language as words
from i2t_ros.bridges.http import schemas
from i2t_ros.bridges.http.routes.parameters import camera_option, query_of
from i2t_ros.bridges.http.routes.streaming import EndlessResponse, Write, follow
from i2t_ros.bridges.http.services import Services
from i2t_ros.errors import I2tError, RequestError
from i2t_ros.options import option
from i2t_ros.pipeline.description_json import description_to_json
from i2t_ros.types import DescribeRequest, Description

log = logging.getLogger("i2t_ros.http")

MIN_INTERVAL = 0.2  # seconds between two events: faster than anybody reads
ASK_INTERVAL = 1.0  # the same if each of them is asked for

_EVENTS = {"text/event-stream": {"schema": {"type": "string"}}}


@dataclass(frozen=True)
class Live:
    """Whose words are followed, and how they are put."""

    camera: str = camera_option()
    language: str = option("", "of the sentence; none: the detector's own")
    style: str = option("", "of the sentence; none: the detector's own")


LiveQuery = Annotated[Live, Depends(query_of(Live))]


def make_router(services: Services) -> APIRouter:
    """Return the route."""
    router = APIRouter(tags=["cameras"])
    stale_time = services.settings.limits.stale_time

    @router.get(
        "/v1/live",
        summary="Live words of a camera (server-sent events)",
        response_class=Response,
        responses={200: {"content": _EVENTS}, **schemas.refusals(401, 422, 429, 503)},
    )
    async def live(query: LiveQuery) -> Response:
        """Send an event `words` for the newest description, and `silence` when there is none.

        The data of `words` is a description as /v1/describe returns it, with the camera's name;
        that of `silence` is the camera's name alone. In another language or style than the
        detector's own, the camera is described once more for each viewer, once a second at most.
        """
        await _check(services, query)

        async def pump(write: Write) -> None:
            sights = follow(services.hub, query.camera, lambda found: found.words, stale_time)
            async with contextlib.aclosing(sights):
                async for sight in sights:
                    if sight.latest is None:
                        await write(event("silence", {"camera": sight.camera}))
                        continue
                    description: Description | None = sight.latest.item
                    pause = MIN_INTERVAL
                    if not _is_as_asked(sight.latest.item, query):
                        description = await _ask(services, sight.camera, query)
                        pause = ASK_INTERVAL
                    if description is not None:
                        data = {"camera": sight.camera, **description_to_json(description)}
                        await write(event("words", data))
                    await asyncio.sleep(pause)

        return EndlessResponse(services, "text/event-stream", pump)

    return router


async def _check(services: Services, query: Live) -> None:
    """Raise RequestError for a language or style that neither we nor the detector know."""
    try:
        if query.language:
            words.resolve_language(query.language)
        if query.style:
            words.check_style(query.style)
    except RequestError as error:
        if await _ask(services, query.camera, query) is None:  # it may have languages of its own
            raise error from None


async def _ask(services: Services, camera: str, query: Live) -> Description | None:
    """Have a camera's newest frame described in the viewer's language and style."""
    request = DescribeRequest(language=query.language, style=query.style)
    try:
        reply = await services.handler.describe(services.request_for(camera, request))
    except I2tError as error:
        log.debug("live words of camera %s: %s", camera, error)
        return None
    return reply.description


def _is_as_asked(description: Description, query: Live) -> bool:
    return query.language in ("", description.language) and query.style in ("", description.style)


def event(name: str, data: dict[str, object]) -> bytes:
    """Return one server-sent event."""
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()
