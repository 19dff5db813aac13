"""/v1/describe: what a picture, or a camera's newest frame, shows."""

import time
from dataclasses import replace
from itertools import accumulate
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request
from starlette.responses import JSONResponse, Response

from i2t_ros.bridges.http import schemas
from i2t_ros.bridges.http.history.handler import KeptReply
from i2t_ros.bridges.http.middleware.proxies import prefix_of
from i2t_ros.bridges.http.problems import HttpProblem
from i2t_ros.bridges.http.routes.leaving import while_here
from i2t_ros.bridges.http.routes.parameters import body_schema, query_of, read_body_options
from i2t_ros.bridges.http.routes.request_body import URL_FIELD, prefers_picture, read_body
from i2t_ros.bridges.http.services import Services, SharedServices
from i2t_ros.errors import I2tError
from i2t_ros.pipeline.description_json import reply_to_json
from i2t_ros.types import DescribeReply, DescribeRequest, Picture
from i2t_ros.vision.codecs import picture_format

MAX_HEADER = 2048
"""Characters of a header's value. nginx passes on a reply only if all headers have 4 KB at most."""
ELLIPSIS = quote("…")

NOT_OF_A_PICTURE = ("camera",)

PictureOptions = Annotated[
    DescribeRequest, Depends(query_of(DescribeRequest, without=NOT_OF_A_PICTURE))
]
CameraOptions = Annotated[DescribeRequest, Depends(query_of(DescribeRequest))]

router = APIRouter(
    tags=["describe"], responses=schemas.refusals(401, 404, 422, 429, 500, 501, 502, 503, 504)
)


def _body() -> dict[str, Any]:
    """Return the documentation of a body, which may be of several types: FastAPI knows one.

    A form may have the options too, but Swagger UI would send the defaults of all of them, and a
    body wins over the query.
    """
    file = {"type": "string", "format": "binary", "description": "the picture"}
    raw = {"schema": {"type": "string", "format": "binary"}}
    return {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {"type": "object", "properties": {"image": file, "url": URL_FIELD}}
            },
            "image/jpeg": raw,
            "image/png": raw,
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["url"],
                    "properties": {"url": URL_FIELD, **body_schema(NOT_OF_A_PICTURE)},
                },
                "example": {"url": "https://example.com/photo.jpg", "language": "es"},
            },
        },
    }


@router.post(
    "/v1/describe",
    summary="Describe a picture",
    response_model=schemas.Reply,
    responses={**schemas.content("image/*"), **schemas.refusals(400, 403, 408, 413, 415)},
    openapi_extra={"requestBody": _body()},
)
async def describe_picture(
    request: Request, options: PictureOptions, services: SharedServices
) -> Response:
    """Say what a picture shows.

    The picture is a file of a form, the body itself, or behind a URL (if the server allows
    that). The options may be fields of the form or keys of the JSON too. The reply is JSON, or,
    if Accept prefers `image/*`, the annotated picture with the sentence in the header
    `X-I2T-Sentence` (UTF-8, percent-encoded, cut at 2 KB). The answer to a question is in
    `answer` of the JSON, or in the header `X-I2T-Answer` in place of the sentence.
    """
    started = time.perf_counter()
    picture, values = await read_body(request, services)
    question = read_body_options(replace(options, picture=picture), values, NOT_OF_A_PICTURE)
    return await _reply(services, request, question, started)


@router.get(
    "/v1/describe",
    summary="Describe what a camera sees now",
    response_model=schemas.Reply,
    responses=schemas.content("image/*"),
)
async def describe_camera(
    request: Request, options: CameraOptions, services: SharedServices
) -> Response:
    """Say what the newest frame of a camera shows; the reply is as for a picture."""
    return await _reply(services, request, options, time.perf_counter())


@router.get(
    "/v1/pictures/{key}",
    summary="An annotated picture",
    response_class=Response,
    responses=schemas.content("image/*"),
)
async def linked_picture(key: str, services: SharedServices) -> Response:
    """Return a picture that a reply linked to.

    Those of the history are kept as long as their results, the others for some minutes.
    """
    picture = await services.linked(key)
    if picture is None:
        raise HttpProblem(404, "this picture is not kept, or no longer")
    return picture_response(picture)


async def _reply(
    services: Services, request: Request, question: DescribeRequest, started: float
) -> Response:
    """Ask, and answer in the form that the client prefers."""
    received = time.perf_counter()
    as_picture = prefers_picture(request.headers.get("accept", ""))
    if as_picture:
        question = replace(question, annotate=True)
    elif question.picture is not None:
        await services.check(question.picture, hashed=True)
    coming = services.describe(question, request.headers.get("x-request-id", ""))
    # A language model goes on for long, and would do so for nobody.
    if question.question:
        coming = while_here(request.scope, request.receive, coming)
    reply = await coming
    if as_picture:
        said = reply.description.sentence if reply.answer is None else reply.answer.text
        headers = {
            f"x-i2t-{'sentence' if reply.answer is None else 'answer'}": in_header(said),
            "x-i2t-model": in_header(reply.description.model),
        }
        return picture_response(drawing_of(reply), headers)
    values = await reply_values(services, request, question, reply)
    return JSONResponse({**values, "timings_ms": timings(started, received)})


async def reply_values(
    services: Services, request: Request, asked: DescribeRequest, reply: DescribeReply
) -> dict[str, Any]:
    """Return a reply as JSON has it, with links, but without the times."""
    entry = reply.entry if isinstance(reply, KeptReply) else None
    return {
        **await services.told(reply.description, reply_to_json, reply, asked.picture),
        "annotated": prefix_of(request) + drawing_link(services, reply) if asked.annotate else None,
        "history": entry.id if entry else None,
    }


def timings(started: float, received: float) -> dict[str, float]:
    """Return the milliseconds from the start of a request until it was received, and until now."""
    ended = time.perf_counter()
    seconds = {"receive": received - started, "total": ended - started}
    return {name: round(1000 * each, 2) for name, each in seconds.items()}


def in_header(text: str) -> str:
    """Return a text as a header's value: UTF-8, percent-encoded; a long one ends with "…"."""
    coded = quote(text)
    if len(coded) <= MAX_HEADER:
        return coded
    sizes = accumulate((len(quote(character)) for character in text), initial=len(ELLIPSIS))
    fitting = sum(1 for size in sizes if size <= MAX_HEADER) - 1
    return quote(text[:fitting]) + ELLIPSIS


def drawing_of(reply: DescribeReply) -> Picture:
    """Return the annotated picture of a reply that was asked for one; raises I2tError."""
    if reply.annotated is None:
        raise I2tError("the detector returned no annotated picture")
    return reply.annotated


def drawing_link(services: Services, reply: DescribeReply) -> str:
    """Return the path of a reply's annotated picture; raises I2tError as drawing_of does."""
    kept_as = reply.entry.drawing if isinstance(reply, KeptReply) else ""
    return services.link(drawing_of(reply), kept_as)


def picture_response(picture: Picture, headers: dict[str, str] | None = None) -> Response:
    """Return a picture as the body."""
    media_type = f"image/{picture_format(picture.data)}"
    return Response(bytes(picture), media_type=media_type, headers=headers)
