"""POST /upload: the keys of the older picture metrics API, for its clients."""

import asyncio
import contextlib
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, JSONResponse, Response

from i2t_ros.bridges.http import schemas
from i2t_ros.bridges.http.history.handler import KeptReply
from i2t_ros.bridges.http.middleware.proxies import prefix_of
from i2t_ros.bridges.http.problems import explain, problem_response
from i2t_ros.bridges.http.routes.describe import drawing_link
from i2t_ros.bridges.http.routes.pages import STATIC
from i2t_ros.bridges.http.routes.request_body import URL_FIELD, read_body
from i2t_ros.bridges.http.services import Services, SharedServices
from i2t_ros.errors import I2tError, UnknownTaskError
from i2t_ros.pipeline.description_json import description_to_json
from i2t_ros.types import DescribeReply, DescribeRequest, Picture, TaskName

NO_FACES = "no_faces"
RESULTS: Mapping[TaskName, str] = {
    "detect": "detections",
    "classify": "classification",
    "faces": "faces",
}
"""The tasks that are asked for, and the key of each one's result."""
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
    A task that failed has its text in `error`, beside what the others found. If the whole request
    failed, the other keys are empty, and the reply has its HTTP status.
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
    """Return a form for a file or a URL, whose answer is that JSON."""
    return FileResponse(STATIC / "upload.html")


@dataclass(frozen=True, eq=False)
class _Answer:
    """What the detector says of one task.

    reply  None if the detector has no model for the task, or the task failed
    found  in the reply, as JSON
    error  why the task failed, or found not everything
    """

    reply: DescribeReply | None = None
    found: Sequence[Mapping[str, Any]] = ()
    error: I2tError | None = None


async def _ask(services: Services, picture: Picture, task: TaskName, key: str) -> _Answer:
    request = DescribeRequest(picture=picture, tasks=(task,), annotate=task != "classify")
    try:
        reply = await services.describe(request)
    except UnknownTaskError:
        return _Answer()
    except I2tError as error:
        return _Answer(error=error)
    found = description_to_json(reply.description)[key] or []
    return _Answer(reply, found, reply.description.scene.failures.get(task))


async def _metrics(services: Services, picture: Picture, base: str) -> dict[str, str]:
    """Ask for each of the three tasks by itself: two of them have their own drawing.

    Raises I2tError if none of them has a reply.
    """
    with contextlib.suppress(I2tError):  # each of the three says so
        await services.check(picture)
    answers = dict(
        zip(
            RESULTS,
            await asyncio.gather(*(_ask(services, picture, *pair) for pair in RESULTS.items())),
            strict=True,
        )
    )
    failures = {task: answer.error for task, answer in answers.items() if answer.error}
    replies = [answer.reply for answer in answers.values() if answer.reply]
    if failures and not replies:
        raise next(iter(failures.values()))
    entry = next((reply.entry for reply in replies if isinstance(reply, KeptReply)), None)
    original = base + services.link(picture, entry.picture if entry else "")

    def drawn(task: TaskName, otherwise: str) -> str:
        reply = answers[task].reply
        return otherwise if reply is None else base + drawing_link(services, reply)

    percent: dict[str, float] = {}  # the best of each class
    for found in answers["detect"].found:
        name = found["class_id"]
        percent[name] = max(percent.get(name, 0.0), 100 * found["score"])
    classes = {
        each["class_id"].replace(" ", "_"): f"{each['score']:.6f}"
        for each in answers["classify"].found
    }
    return {
        "error": "; ".join(f"{task}: {error}" for task, error in failures.items()),
        "hash": await services.reading.run(_md5, picture),
        "original": original,
        "faces_source": drawn("faces", NO_FACES) if answers["faces"].found else NO_FACES,
        "yolov3": json.dumps({name: f"{value:.4f}" for name, value in percent.items()}),
        "yolov3_source": drawn("detect", original),
        "resnet": json.dumps(classes),
    }


def _md5(picture: Picture) -> str:
    return hashlib.md5(picture.data, usedforsecurity=False).hexdigest()
