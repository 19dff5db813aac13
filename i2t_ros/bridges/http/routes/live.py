"""/v1/live: what a camera sees, in words, as it sees it (server-sent events)."""

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from i2t_ros import language as words
from i2t_ros.bridges.http import schemas
from i2t_ros.bridges.http.routes.parameters import query_of
from i2t_ros.bridges.http.routes.streaming import EndlessResponse, follow
from i2t_ros.bridges.http.services import Services, SharedServices
from i2t_ros.errors import BackendMissingError, I2tError, RequestError
from i2t_ros.pipeline.description_json import description_to_json
from i2t_ros.types import DescribeRequest, Description

log = logging.getLogger("i2t_ros.http")

MIN_INTERVAL = 0.2  # seconds between two events: faster than anybody reads
ASK_INTERVAL = 1.0  # the same if each of them is asked for

UNASKED = ("tasks", "min_score", "annotate", "fresh", "question")

WordsOptions = Annotated[DescribeRequest, Depends(query_of(DescribeRequest, without=UNASKED))]

router = APIRouter(tags=["cameras"])


@router.get(
    "/v1/live",
    summary="Live words of a camera (server-sent events)",
    response_class=Response,
    responses={**schemas.content("text/event-stream"), **schemas.refusals(401, 422, 429, 503)},
)
async def live(query: WordsOptions, services: SharedServices) -> Response:
    """Send an event `words` for the newest description, and `silence` when there is none.

    The data of `words` is a description as /v1/describe returns it, with the camera's name;
    that of `silence` is the camera's name alone. In another language or style than the
    detector's own, or for a voice, the camera is described once more for each viewer, once a
    second at most. "Execute" would wait for the end: open the request's URL in a tab.
    """
    try:
        if query.language:
            words.load_languages().resolve(query.language)
        if query.style:
            words.check_style(query.style)
    except RequestError as error:
        if await _ask(services, query) is None:  # the detector may have languages of its own
            raise error from None
    if query.spoken:
        await _check_spoken(services, query)
    return EndlessResponse(services, _events(services, query), "text/event-stream")


async def _events(services: Services, query: DescribeRequest) -> AsyncGenerator[bytes, None]:
    sights = follow(services, query.camera, lambda found: found.words)
    async with contextlib.aclosing(sights):
        async for camera, latest in sights:
            if latest is None:
                yield event("silence", {"camera": camera})
                continue
            description: Description | None = latest.item
            pause = MIN_INTERVAL
            if not _is_as_asked(latest.item, query):
                description = await _ask(services, replace(query, camera=camera))
                pause = ASK_INTERVAL
            if description is not None:
                yield await services.told(description, _words, camera, description)
            await asyncio.sleep(pause)


async def _ask(services: Services, request: DescribeRequest) -> Description | None:
    """Have a camera's newest frame described in the viewer's language and style."""
    try:
        return (await services.describe(request)).description
    except I2tError as error:
        log.debug("live words of camera %s: %s", request.camera, error)
        return None


async def _check_spoken(services: Services, query: DescribeRequest) -> None:
    """Raise BackendMissingError if the detector has no words for a voice."""
    try:
        await services.describe(query)
    except BackendMissingError:
        raise
    except I2tError as error:  # no picture yet, perhaps: words come when there is one
        log.debug("live words of camera %s: %s", query.camera, error)


def _words(camera: str, description: Description) -> bytes:
    return event("words", {"camera": camera, **description_to_json(description)})


def _is_as_asked(description: Description, query: DescribeRequest) -> bool:
    words = query.language in ("", description.language) and query.style in ("", description.style)
    return words and (description.spoken or not query.spoken)


def event(name: str, data: dict[str, object]) -> bytes:
    """Return one server-sent event."""
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()
