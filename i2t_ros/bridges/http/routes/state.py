"""What there is and how it fares: cameras, models, health, metrics."""

import math

from fastapi import APIRouter, Request
from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.responses import PlainTextResponse, Response

from i2t_ros.bridges.http import schemas
from i2t_ros.bridges.http.history.handler import UNUSABLE
from i2t_ros.bridges.http.middleware import access
from i2t_ros.bridges.http.middleware.proxies import prefix_of
from i2t_ros.bridges.http.services import SharedServices
from i2t_ros.errors import DetectorUnreachableError
from i2t_ros.models.manifest import load_manifest
from i2t_ros.pipeline.tasks.registry import TASKS

PHOTO_SIDE = 2048
"""Pixels of the longer side of a photo that pages send: more than the models' inputs have (640 to
1280), and enough to read the text in it. A phone's 12 megapixels become 0.7 MB instead of 5."""
SESSION_TIME = 30 * 86400  # seconds that a browser keeps its cookie

router = APIRouter(tags=["state"])


@router.get("/v1/cameras", summary="Cameras", responses=schemas.refusals(401, 429))
async def cameras(services: SharedServices) -> schemas.Cameras:
    """List the cameras; the first that has frames is the default of every `camera` option."""
    online = [
        schemas.CameraState(
            name=camera.name,
            transport=camera.transport,
            frames=camera.raw.count,
            age=round(newest.age, 3) if (newest := camera.raw.newest) else None,
            viewers=camera.viewers,
        )
        for camera in services.hub.online
    ]
    return schemas.Cameras(cameras=online)


@router.get("/v1/models", summary="Models", responses=schemas.refusals(401, 429))
async def models(services: SharedServices) -> schemas.Models:
    """List the models that the package knows by name, and what answered last."""
    names = schemas.Model.__annotations__
    known = [
        schemas.Model(**{name: getattr(spec, name) for name in names})
        for spec in load_manifest().values()
    ]
    return schemas.Models(in_use=services.model, models=known)


@router.get("/healthz", summary="Alive", response_model_exclude_none=True)
async def alive() -> schemas.Health:
    """Answer while the process lives."""
    return schemas.Health(status="ok")


@router.get(
    "/readyz", summary="Ready", response_model_exclude_none=True, responses=schemas.refusals(503)
)
async def ready(services: SharedServices) -> schemas.Health:
    """Answer 200 while pictures can be described, and 503 with the reason otherwise.

    A history that cannot be used does not keep pictures from being described.
    """
    if reason := services.unready():
        raise DetectorUnreachableError(reason)
    off = services.history is not None and services.history.trouble
    # What the trouble is may name hosts and users, and this path needs no token.
    return schemas.Health(status="ok", history=UNUSABLE if off else None)


@router.get("/metrics", summary="Counters for Prometheus", response_class=PlainTextResponse)
async def metrics(services: SharedServices) -> Response:
    """Return counters in Prometheus' text format."""
    text = generate_latest(services.metrics.registry)
    return Response(text, media_type=CONTENT_TYPE_LATEST)


@router.get("/v1/session", summary="What a page has to know first", responses=schemas.refusals(429))
async def session(request: Request, services: SharedServices) -> schemas.Session:
    """Tell a page whether to ask its user for the token, and whether results are kept."""
    limits = services.settings.limits
    return schemas.Session(
        token_needed=not request.scope[access.AUTHORIZED],
        history=services.history is not None,
        urls=services.fetcher is not None,
        tasks=list(TASKS),
        max_bytes=limits.max_body_bytes,
        max_side=min(PHOTO_SIDE, math.isqrt(limits.max_pixels)),
    )


@router.get("/v1/queue", include_in_schema=False)  # of use only while another request waits
async def queue(request: str, services: SharedServices) -> schemas.Place:
    """Tell how many requests are before the one with this X-Request-Id."""
    for places in (services.queue, services.asking):
        names = list(places.names.values())
        if request and request in names:
            return schemas.Place(ahead=names.index(request))
    return schemas.Place(ahead=None)


@router.post(
    "/v1/session",
    summary="Show the token, get a cookie",
    status_code=204,
    response_class=Response,
    responses=schemas.refusals(401, 403, 429),
)
async def log_in(request: Request, services: SharedServices) -> Response:
    """Take the token in the Authorization header and answer with a cookie that stands for it.

    For browsers, which cannot send the header with pictures and streams.
    """
    token = services.settings.token  # the middleware Guard has compared it
    response = Response(status_code=204)
    if token:
        response.set_cookie(
            access.COOKIE,
            access.session_value(token),
            max_age=SESSION_TIME,
            path=f"{prefix_of(request)}/",  # another robot may be below another path of a proxy
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
    return response
