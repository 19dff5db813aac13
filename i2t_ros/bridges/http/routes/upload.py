"""POST /upload: system C's picture metrics, key by key, for its clients."""

from __future__ import annotations

import json
from dataclasses import replace

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from i2t_ros.bridges.http import schemas
from i2t_ros.bridges.http.problems import HttpProblem, status_of
from i2t_ros.bridges.http.routes.request_reading import check_picture, read_sent
from i2t_ros.bridges.http.services import Described, Services
from i2t_ros.errors import I2tError, UnknownTaskError
from i2t_ros.types import DescribeRequest, Scene, Task
from i2t_ros.vision.codecs import picture_format

NO_FACES = "no_faces"
TASKS: tuple[Task, ...] = ("detect", "classify", "faces")
KEYS = ("hash", "original", "faces_source", "yolov3", "yolov3_source", "resnet")


def make_router(services: Services) -> APIRouter:
    """Return the routes."""
    router = APIRouter(tags=["describe"])

    @router.post(
        "/upload",
        summary="Describe a picture, with the reply keys of the picture metrics API",
        responses={
            200: {"model": schemas.Upload},
            **{
                status: {"model": schemas.Upload, "description": entry["description"]}
                for status, entry in schemas.refusals(
                    400, 403, 408, 413, 415, 422, 500, 502, 503, 504
                ).items()
            },
            **schemas.refusals(401, 429),
        },
        openapi_extra={"requestBody": schemas.UPLOAD_BODY},
    )
    async def upload(request: Request) -> Response:
        """For clients of the older picture metrics API: a form with `file` or `url`.

        The names of two networks in the keys are history; whatever model serves here fills them.
        A failure has its text in `error`, empty text in every other key, and its HTTP status.
        """
        try:
            fetch = services.fetcher.fetch if services.fetcher else None
            sent = await read_sent(request, fetch)
            check_picture(sent.picture, services.settings.limits.max_pixels)
            return JSONResponse(await _metrics(services, sent.picture, str(request.base_url)))
        except I2tError as error:
            return _failure(status_of(error), error)
        except HttpProblem as problem:
            return _failure(problem.status, problem)

    @router.get("/upload", include_in_schema=False)
    async def form() -> Response:
        """Lead to the page, whose form is better than system C's."""
        return RedirectResponse("/", 303)

    return router


async def _metrics(services: Services, picture: bytes, base_url: str) -> dict[str, str]:
    described = await _describe(services, picture)
    description = described.description
    scene, base = description.scene, base_url.rstrip("/")

    async def drawn(part: Scene) -> str:
        done = await services.draw(picture, part, description.language)
        return base + services.keep(bytes(done.data), done.format)

    only = Scene(scene.width, scene.height)
    faces = scene.faces is not None and len(scene.faces) > 0
    return {
        "error": "",
        "hash": (await services.identify(picture)).md5,
        "original": base + services.keep(picture, picture_format(picture)),
        "faces_source": await drawn(replace(only, faces=scene.faces)) if faces else NO_FACES,
        "yolov3": _percentages(scene),
        "yolov3_source": await drawn(replace(only, detections=scene.detections)),
        "resnet": _classes(scene),
    }


async def _describe(services: Services, picture: bytes) -> Described:
    """Have everything found that system C found, or as much of it as this detector can."""
    request = DescribeRequest(image=picture, tasks=TASKS)
    try:
        return await services.describe(request, remember=True)
    except UnknownTaskError:
        return await services.describe(replace(request, tasks=()), remember=True)


def _percentages(scene: Scene) -> str:
    """Return the best score of each class in per cent, as text in JSON in text."""
    best: dict[str, float] = {}
    if scene.detections is not None:
        for i, score in enumerate(scene.detections.scores.tolist()):
            name = scene.detections.label(i)
            best[name] = max(best.get(name, 0.0), 100 * score)
    return json.dumps({name: f"{percent:.4f}" for name, percent in best.items()})


def _classes(scene: Scene) -> str:
    classes = scene.classification
    if classes is None:
        return "{}"
    pairs = zip(classes.labels, classes.scores, strict=True)
    return json.dumps({label.replace(" ", "_"): f"{score:.6f}" for label, score in pairs})


def _failure(status: int, error: Exception) -> JSONResponse:
    headers = {"retry-after": "1"} if status == 503 else None
    return JSONResponse({"error": str(error), **dict.fromkeys(KEYS, "")}, status, headers)
