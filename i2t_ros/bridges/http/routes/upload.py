"""POST /upload: system C's picture metrics, key by key, for its clients."""

import asyncio
import hashlib
import json
from typing import Any

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, RedirectResponse, Response

from i2t_ros.bridges.http import schemas
from i2t_ros.bridges.http.middleware.proxies import prefix_of
from i2t_ros.bridges.http.problems import explain, problem_response
from i2t_ros.bridges.http.routes.describe import drawing_of
from i2t_ros.bridges.http.routes.request_body import URL_FIELD, read_body
from i2t_ros.bridges.http.services import Services, SharedServices
from i2t_ros.errors import I2tError, UnknownTaskError
from i2t_ros.pipeline.description_json import description_to_json
from i2t_ros.types import DescribeReply, DescribeRequest, Picture, TaskName

NO_FACES = "no_faces"
KEYS = ("hash", "original", "faces_source", "yolov3", "yolov3_source", "resnet")

_FORM = {
    "type": "object",
    "properties": {"file": {"type": "string", "format": "binary"}, "url": URL_FIELD},
}
_FAILURES = (400, 403, 408, 413, 415, 422, 500, 502, 503, 504)

router = APIRouter(tags=["describe"])


@router.post(
    "/upload",
    summary="Describe a picture, with the reply keys of the picture metrics API",
    response_model=schemas.Upload,
    responses={**schemas.refusals(*_FAILURES, model=schemas.Upload), **schemas.refusals(401, 429)},
    openapi_extra={
        "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": _FORM}}}
    },
)
async def upload(request: Request, services: SharedServices) -> Response:
    """For clients of the older picture metrics API: a form with `file` or `url`.

    The names of two networks in the keys are history; whatever model serves here fills them.
    A failure has its text in `error`, empty text in every other key, and its HTTP status.
    """
    try:
        picture, _ = await read_body(request, services)
        base = str(request.base_url).rstrip("/") + prefix_of(request)
        return JSONResponse(await _metrics(services, picture, base))
    except (I2tError, HTTPException) as error:
        *_, message = explain(error)
        return problem_response(error, {"error": message, **dict.fromkeys(KEYS, "")})


@router.get("/upload", include_in_schema=False)
async def form() -> Response:
    """Lead to the page, whose form is better than system C's."""
    return RedirectResponse("/", 303)


async def _metrics(services: Services, picture: Picture, base: str) -> dict[str, str]:
    """Ask for each of the three tasks by itself: two of them have their own drawing."""

    async def ask(task: TaskName, key: str) -> tuple[DescribeReply | None, list[dict[str, Any]]]:
        """Return the reply and what was found; nothing if the detector has no model for it."""
        request = DescribeRequest(picture=picture, tasks=(task,), annotate=task != "classify")
        try:
            reply = await services.describe(request)
        except UnknownTaskError:
            return None, []
        return reply, description_to_json(reply.description)[key] or []

    (detected, objects), (_, classes), (faces, found_faces) = await asyncio.gather(
        ask("detect", "detections"), ask("classify", "classification"), ask("faces", "faces")
    )
    original = base + services.keep(picture)
    percent: dict[str, float] = {}  # the best of each class
    for found in objects:
        name = found["class_id"]
        percent[name] = max(percent.get(name, 0.0), 100 * found["score"])
    return {
        "error": "",
        "hash": hashlib.md5(picture.data, usedforsecurity=False).hexdigest(),
        "original": original,
        "faces_source": base + services.keep(drawing_of(faces))
        if faces and found_faces
        else NO_FACES,
        "yolov3": json.dumps({name: f"{value:.4f}" for name, value in percent.items()}),
        "yolov3_source": base + services.keep(drawing_of(detected)) if detected else original,
        "resnet": json.dumps(
            {each["class_id"].replace(" ", "_"): f"{each['score']:.6f}" for each in classes}
        ),
    }
