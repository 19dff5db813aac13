"""/v1/describe: what a picture, or a camera's newest frame, shows."""

from __future__ import annotations

import time
from dataclasses import replace
from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from i2t_ros.bridges.http import schemas
from i2t_ros.bridges.http.history.pictures import KEY, media_type
from i2t_ros.bridges.http.problems import HttpProblem
from i2t_ros.bridges.http.routes.request_reading import (
    check_picture,
    prefers_picture,
    read_camera,
    read_options,
    read_sent,
)
from i2t_ros.bridges.http.services import Described, Services
from i2t_ros.errors import I2tError
from i2t_ros.pipeline.description_json import description_to_json
from i2t_ros.types import DescribeRequest, EncodedImage

MEDIA = {"image/*": {"schema": {"type": "string", "format": "binary"}}}
REFUSALS = (400, 401, 403, 404, 408, 413, 415, 422, 429, 500, 502, 503, 504)


def make_router(services: Services) -> APIRouter:
    """Return the routes."""
    router = APIRouter(tags=["describe"])

    @router.post(
        "/v1/describe",
        summary="Describe a picture",
        responses={200: {"model": schemas.Reply, "content": MEDIA}, **schemas.refusals(*REFUSALS)},
        openapi_extra={"parameters": schemas.OPTIONS, "requestBody": schemas.BODY},
    )
    async def describe_picture(request: Request) -> Response:
        """Say what a picture shows.

        The picture is a file of a form, the body itself, or behind a URL (where the server allows
        that). The reply is JSON, or, where Accept prefers `image/*`, the annotated picture with
        the sentence in the header `X-I2T-Sentence` (UTF-8, percent-encoded).
        """
        started = time.perf_counter()
        fetch = services.fetcher.fetch if services.fetcher else None
        sent = await read_sent(request, fetch)
        check_picture(sent.picture, services.settings.limits.max_pixels)
        options = read_options(request.query_params, sent.options)
        question = replace(options, image=sent.picture)
        return await _reply(services, request, question, started, sent=True)

    @router.get(
        "/v1/describe",
        summary="Describe what a camera sees now",
        responses={
            200: {"model": schemas.Reply, "content": MEDIA},
            **schemas.refusals(401, 404, 422, 429, 500, 503, 504),
        },
        openapi_extra={"parameters": [schemas.CAMERA, *schemas.OPTIONS]},
    )
    async def describe_camera(request: Request) -> Response:
        """Say what the newest frame of a camera shows; the reply is as for a picture."""
        started = time.perf_counter()
        query = dict(request.query_params)
        camera = read_camera(query.pop("camera", ""))
        question = services.request_for(camera, read_options(query))
        return await _reply(services, request, question, started, sent=False)

    @router.get(
        "/v1/pictures/{key}",
        summary="An annotated picture",
        response_class=Response,
        responses={200: {"content": MEDIA}, **schemas.refusals(401, 404, 429)},
    )
    async def picture(key: str) -> Response:
        """Return a picture that a reply linked to; they are kept for some minutes."""
        data = services.pictures.get(key) if KEY.fullmatch(key) else None
        if data is None:
            raise HttpProblem(404, "this picture is not kept, or no longer")
        return Response(data, media_type=media_type(key))

    return router


async def _reply(
    services: Services, request: Request, question: DescribeRequest, started: float, *, sent: bool
) -> Response:
    """Ask, and answer in the form that the client prefers; ``sent``: it sent the picture itself."""
    received = time.perf_counter()
    as_picture = prefers_picture(request.headers.get("accept", ""))
    question = replace(question, annotate=question.annotate or as_picture)
    described = await services.describe(question, remember=sent)
    drawn = await _drawn(services, question, described) if question.annotate else None
    if as_picture and drawn is not None:
        return picture_response(drawn, described)
    picture = bytes(question.image)
    return JSONResponse(
        {
            **description_to_json(described.description),
            "hash": (await services.identify(picture)).sha256 if sent else None,
            "cached": described.cached,
            "annotated": services.keep(bytes(drawn.data), drawn.format) if drawn else None,
            "history": described.entry.id if described.entry else None,
            "timings_ms": {
                "receive": _milliseconds(received - started),
                "model": 0.0 if described.cached else _milliseconds(described.description.elapsed),
                "total": _milliseconds(time.perf_counter() - started),
            },
        }
    )


async def _drawn(
    services: Services, question: DescribeRequest, described: Described
) -> EncodedImage:
    """Return the annotated picture: the handler's, or, for a result that was known, drawn here."""
    if described.annotated is not None:
        return described.annotated
    if not question.image:
        raise I2tError("the detector returned no annotated picture")
    description = described.description
    return await services.draw(bytes(question.image), description.scene, description.language)


def picture_response(picture: EncodedImage, described: Described) -> Response:
    """Return a picture as the body, its sentence in a header."""
    headers = {
        "x-i2t-sentence": quote(described.description.sentence),
        "x-i2t-model": quote(described.description.model),
    }
    return Response(bytes(picture.data), media_type=f"image/{picture.format}", headers=headers)


def _milliseconds(seconds: float) -> float:
    return round(1000 * seconds, 2)
