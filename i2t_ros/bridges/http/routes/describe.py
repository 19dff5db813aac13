"""/v1/describe: what a picture, or a camera's newest frame, shows."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request
from starlette.responses import JSONResponse, Response

from i2t_ros.bridges.http import schemas
from i2t_ros.bridges.http.history.handler import KeptReply, hash_picture
from i2t_ros.bridges.http.problems import HttpProblem
from i2t_ros.bridges.http.routes.parameters import body_schema, query_of, read_body_options
from i2t_ros.bridges.http.routes.request_body import prefers_picture, read_body
from i2t_ros.bridges.http.services import Services
from i2t_ros.errors import I2tError
from i2t_ros.pipeline.description_json import reply_to_json
from i2t_ros.types import DescribeReply, DescribeRequest, Picture
from i2t_ros.vision.codecs import check_picture, read_header

NOT_OF_PICTURES = ("camera",)
"""What makes no sense beside a picture that is sent."""

PictureOptions = Annotated[DescribeRequest, Depends(query_of(DescribeRequest, without=["camera"]))]
CameraOptions = Annotated[DescribeRequest, Depends(query_of(DescribeRequest))]


def make_router(services: Services) -> APIRouter:
    """Return the routes."""
    common = schemas.refusals(401, 404, 422, 429, 500, 503, 504)
    router = APIRouter(tags=["describe"], responses=common)

    @router.post(
        "/v1/describe",
        summary="Describe a picture",
        response_model=schemas.Reply,
        responses={
            **schemas.content("image/*"),
            **schemas.refusals(400, 403, 408, 413, 415, 502),
        },
        openapi_extra={"requestBody": _body()},
    )
    async def describe_picture(request: Request, options: PictureOptions) -> Response:
        """Say what a picture shows.

        The picture is a file of a form, the body itself, or behind a URL (if the server allows
        that). The reply is JSON, or, if Accept prefers `image/*`, the annotated picture with the
        sentence in the header `X-I2T-Sentence` (UTF-8, percent-encoded).
        """
        started = time.perf_counter()
        fetch = services.fetcher.fetch if services.fetcher else None
        picture, values = await read_body(request, fetch)
        check_picture(picture, services.settings.limits.max_pixels)
        changes = read_body_options(DescribeRequest, values, without=NOT_OF_PICTURES)
        question = replace(options, picture=picture, **changes)
        return await _reply(services, request, question, started, picture)

    @router.get(
        "/v1/describe",
        summary="Describe what a camera sees now",
        response_model=schemas.Reply,
        responses=schemas.content("image/*"),
    )
    async def describe_camera(request: Request, options: CameraOptions) -> Response:
        """Say what the newest frame of a camera shows; the reply is as for a picture."""
        started = time.perf_counter()
        question = services.request_for(options.camera, options)
        return await _reply(services, request, question, started, None)

    @router.get(
        "/v1/pictures/{key}",
        summary="An annotated picture",
        response_class=Response,
        responses=schemas.content("image/*"),
    )
    async def linked_picture(key: str) -> Response:
        """Return a picture that a reply linked to; they are kept for some minutes."""
        picture = services.kept(key)
        if picture is None:
            raise HttpProblem(404, "this picture is not kept, or no longer")
        return picture_response(picture)

    return router


async def _reply(
    services: Services,
    request: Request,
    question: DescribeRequest,
    started: float,
    sent: Picture | None,
) -> Response:
    """Ask, and answer in the form that the client prefers; ``sent``: the picture that it sent."""
    received = time.perf_counter()
    as_picture = prefers_picture(request.headers.get("accept", ""))
    question = replace(question, annotate=question.annotate or as_picture)
    reply = await services.handler.describe(question)
    if as_picture:
        return picture_response(drawing_of(reply), reply)
    if sent is not None:
        await hash_picture(sent)
    return JSONResponse(
        {
            **reply_to_json(reply, sent),
            "annotated": services.keep(drawing_of(reply)) if question.annotate else None,
            "history": reply.number if isinstance(reply, KeptReply) else None,
            "timings_ms": {
                "receive": _milliseconds(received - started),
                "total": _milliseconds(time.perf_counter() - started),
            },
        }
    )


def drawing_of(reply: DescribeReply) -> Picture:
    """Return the annotated picture of a reply that was asked for one; raises I2tError."""
    if reply.annotated is None:
        raise I2tError("the detector returned no annotated picture")
    return reply.annotated


def picture_response(picture: Picture, reply: DescribeReply | None = None) -> Response:
    """Return a picture as the body; the sentence of its reply is a header."""
    headers = {}
    if reply is not None:
        headers["x-i2t-sentence"] = quote(reply.description.sentence)
        headers["x-i2t-model"] = quote(reply.description.model)
    return Response(
        bytes(picture), media_type=f"image/{read_header(picture).format}", headers=headers
    )


def _milliseconds(seconds: float) -> float:
    return round(1000 * seconds, 2)


def _body() -> dict[str, object]:
    """Return the documentation of a body, which may be of several types: FastAPI knows one."""
    options = body_schema(DescribeRequest, without=NOT_OF_PICTURES)
    file = {"type": "string", "format": "binary", "description": "the picture"}
    url = {"type": "string", "description": "of the picture, in place of the picture itself"}
    raw = {"schema": {"type": "string", "format": "binary"}}
    form = {"type": "object", "properties": {"image": file, "url": url, **options}}
    json = {"type": "object", "required": ["url"], "properties": {"url": url, **options}}
    return {
        "required": True,
        "content": {
            "multipart/form-data": {"schema": form},
            "image/jpeg": raw,
            "image/png": raw,
            "application/json": {
                "schema": json,
                "example": {"url": "https://example.com/photo.jpg", "language": "es"},
            },
        },
    }
