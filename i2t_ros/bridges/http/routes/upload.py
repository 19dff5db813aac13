"""POST /upload: system C's picture metrics, key by key, for its clients."""

from __future__ import annotations

import asyncio
import hashlib
import json
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from i2t_ros.bridges.http import schemas
from i2t_ros.bridges.http.problems import HttpProblem, status_of
from i2t_ros.bridges.http.routes.describe import drawing_of
from i2t_ros.bridges.http.routes.request_body import read_body
from i2t_ros.bridges.http.services import Services
from i2t_ros.errors import I2tError, UnknownTaskError
from i2t_ros.pipeline.description_json import description_to_json
from i2t_ros.types import DescribeReply, DescribeRequest, Picture, Task
from i2t_ros.vision.codecs import check_picture

NO_FACES = "no_faces"
KEYS = ("hash", "original", "faces_source", "yolov3", "yolov3_source", "resnet")

_FORM = {
    "type": "object",
    "properties": {"file": {"type": "string", "format": "binary"}, "url": {"type": "string"}},
}


def make_router(services: Services) -> APIRouter:
    """Return the routes."""
    router = APIRouter(tags=["describe"])
    failures = (400, 403, 408, 413, 415, 422, 500, 502, 503, 504)

    @router.post(
        "/upload",
        summary="Describe a picture, with the reply keys of the picture metrics API",
        response_model=schemas.Upload,
        responses={
            **schemas.refusals(*failures, model=schemas.Upload),
            **schemas.refusals(401, 429),
        },
        openapi_extra={
            "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": _FORM}}}
        },
    )
    async def upload(request: Request) -> Response:
        """For clients of the older picture metrics API: a form with `file` or `url`.

        The names of two networks in the keys are history; whatever model serves here fills them.
        A failure has its text in `error`, empty text in every other key, and its HTTP status.
        """
        try:
            fetch = services.fetcher.fetch if services.fetcher else None
            picture, _ = await read_body(request, fetch)
            check_picture(picture, services.settings.limits.max_pixels)
            return JSONResponse(await _metrics(services, picture, str(request.base_url)))
        except I2tError as error:
            return _failure(status_of(error), error)
        except HttpProblem as problem:
            return _failure(problem.status, problem)

    @router.get("/upload", include_in_schema=False)
    async def form() -> Response:
        """Lead to the page, whose form is better than system C's."""
        return RedirectResponse("/", 303)

    return router


async def _metrics(services: Services, picture: Picture, base_url: str) -> dict[str, str]:
    """Ask for each of the three tasks by itself: two of them have their own drawing."""

    async def ask(task: Task, *, annotate: bool) -> DescribeReply | None:
        request = DescribeRequest(picture=picture, tasks=(task,), annotate=annotate)
        try:
            return await services.handler.describe(request)
        except UnknownTaskError:  # this detector has no model for it
            return None

    asked = (
        ask("detect", annotate=True),
        ask("classify", annotate=False),
        ask("faces", annotate=True),
    )
    detected, classified, faces = await asyncio.gather(*asked)
    base = base_url.rstrip("/")
    original = base + services.keep(picture)
    md5 = hashlib.md5(picture.data, usedforsecurity=False).hexdigest()
    return {
        "error": "",
        "hash": md5,
        "original": original,
        "faces_source": base + services.keep(drawing_of(faces))
        if faces is not None and _found(faces, "faces")
        else NO_FACES,
        "yolov3": _percentages(_found(detected, "detections")),
        "yolov3_source": base + services.keep(drawing_of(detected)) if detected else original,
        "resnet": _classes(_found(classified, "classification")),
    }


def _found(reply: DescribeReply | None, key: str) -> list[dict[str, Any]]:
    return [] if reply is None else description_to_json(reply.description)[key] or []


def _percentages(detections: list[dict[str, Any]]) -> str:
    """Return the best score of each class in percent, as text in JSON in text."""
    best: dict[str, float] = {}
    for found in detections:
        name = found["class_id"]
        best[name] = max(best.get(name, 0.0), 100 * found["score"])
    return json.dumps({name: f"{percent:.4f}" for name, percent in best.items()})


def _classes(classes: list[dict[str, Any]]) -> str:
    named = {found["class_id"].replace(" ", "_"): f"{found['score']:.6f}" for found in classes}
    return json.dumps(named)


def _failure(status: int, error: Exception) -> JSONResponse:
    headers = {"retry-after": "1"} if status == 503 else None
    return JSONResponse({"error": str(error), **dict.fromkeys(KEYS, "")}, status, headers)
