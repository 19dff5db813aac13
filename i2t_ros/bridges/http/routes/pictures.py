"""/stream and /snapshot: cameras as JPEG pictures, for browsers and anything that reads MJPEG."""

import asyncio
import contextlib
import functools
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Annotated
from weakref import WeakValueDictionary

import cv2
import numpy as np
from cachetools import LRUCache
from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from i2t_ros.bridges.camera_hub import Camera, Feed, Latest, Watch
from i2t_ros.bridges.http import schemas
from i2t_ros.bridges.http.routes.pages import page_words
from i2t_ros.bridges.http.routes.parameters import MAX_NAME, NAME_PATTERN, query_of
from i2t_ros.bridges.http.routes.streaming import TICK, EndlessResponse, follow
from i2t_ros.bridges.http.services import Services, SharedServices
from i2t_ros.errors import ImageError, NoFrameError
from i2t_ros.options import option
from i2t_ros.types import Image, Picture
from i2t_ros.vision.codecs import decode_image, encode_image, read_header
from i2t_ros.vision.drawing import Pen, plate_size, write
from i2t_ros.vision.fonts import can_draw

BOUNDARY = "i2tframe"
REPEAT_TIME = 0.2
"""Seconds after which a picture is sent again if none has followed it.

Chromium shows a part of a stream when it has seen the head of the next one: without that, a slow
camera's picture would be shown when its successor comes, and a placeholder never.
"""
SNAPSHOT_TIME = 3.0  # seconds that a snapshot waits for a first picture
HEAVY = 3840 * 2160
"""Pixels above which a picture is made smaller in a lane of its own: more than those of 4K video.
A progressive JPEG takes as long as a larger one, and is there too."""
DEFAULT_QUALITY = 80  # of pictures that are made smaller and were not asked for in another
SIZE = (640, 480)  # of a placeholder: width, height, in pixels
GROUND = (41, 33, 28)
LINES = (150, 132, 118)


@dataclass(frozen=True)
class Look:
    """Which pictures are asked for."""

    camera: str = option("", "its name; none: the first that has pictures")
    annotated: bool = option(True, "with what was found drawn on them; 0: as they came")
    quality: int = option(0, "of the JPEG; 0: as it is", bounds=(0, 100))
    width: int = option(0, "in pixels, never enlarged; 0: as it is", bounds=(0, 7680))

    def feed_of(self, camera: Camera) -> Feed[bytes]:
        """Return the feed to look at."""
        return camera.annotated if self.annotated else camera.raw


# Pages add t so that a browser asks anew.
LookQuery = Annotated[Look, Depends(query_of(Look, ignored=["t", "language"]))]
Language = Annotated[
    str, Query(max_length=MAX_NAME, pattern=NAME_PATTERN, description="of the placeholder")
]

router = APIRouter(tags=["cameras"])


@router.get(
    "/stream",
    summary="Live pictures of a camera (MJPEG)",
    response_class=Response,
    responses={
        **schemas.content("multipart/x-mixed-replace"),
        **schemas.refusals(401, 422, 429, 503),
    },
)
async def stream(look: LookQuery, services: SharedServices, language: Language = "") -> Response:
    """Send the newest picture whenever the viewer can take one, without an end.

    While the camera shows nothing, or is not there, a placeholder stands for it. "Execute" would
    wait for the end: open the request's URL in a tab.
    """
    media_type = f"multipart/x-mixed-replace;boundary={BOUNDARY}"
    return EndlessResponse(services, _parts(services, look, language), media_type)


@router.get(
    "/snapshot",
    summary="One picture of a camera",
    response_class=Response,
    responses={**schemas.content("image/jpeg"), **schemas.refusals(401, 404, 422, 429, 503)},
)
async def snapshot(look: LookQuery, services: SharedServices) -> Response:
    """Return the newest picture, or the first to come within a few seconds."""
    _, latest, shown = await newest_picture(services, look)
    headers = {"x-timestamp": f"{latest.stamp:.6f}"}
    return Response(shown, media_type="image/jpeg", headers=headers)


async def newest_picture(services: Services, look: Look) -> tuple[str, Latest[bytes], bytes]:
    """Return a camera's name, what it showed last, and that as it was asked for.

    Waits SNAPSHOT_TIME for a first picture. Raises UnknownCameraError, BusyError and NoFrameError.
    """
    hub, stale_time = services.hub, services.settings.limits.stale_time
    name = hub.find(look.camera).name
    end = time.monotonic() + SNAPSHOT_TIME
    latest = None
    with services.watching():
        with Watch(hub, look.camera, look.feed_of, stale_time) as watch:
            while latest is None and (left := end - time.monotonic()) > 0:
                camera, latest = await watch.next(min(left, TICK))
                name = camera.name if camera is not None else name
        if latest is None:
            what = "annotated picture" if look.annotated else "picture"
            raise NoFrameError(f"camera {name}: no {what} came within {SNAPSHOT_TIME:g} s")
        try:
            return name, latest, await resized(services, name, latest, look)
        except ImageError as error:
            raise NoFrameError(f"camera {name}: its newest frame is damaged: {error}") from error


async def _parts(services: Services, look: Look, language: str) -> AsyncGenerator[bytes, None]:
    yield f"--{BOUNDARY}\r\n".encode()
    sights = follow(services, look.camera, look.feed_of, REPEAT_TIME)
    async with contextlib.aclosing(sights):
        async for camera, latest in sights:
            if latest is None:
                reason = _reason(services, camera)
                yield part(await services.drawing.run(_placeholder, camera, reason, language))
            else:
                with contextlib.suppress(ImageError):  # a damaged frame: the next one may be whole
                    yield part(await resized(services, camera, latest, look), latest.stamp)
                    services.metrics.streamed.inc()


def part(jpeg: bytes, stamp: float | None = None) -> bytes:
    """Return one picture of the stream, with the boundary that ends it."""
    head = f"Content-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n"
    if stamp is not None:
        head += f"X-Timestamp: {stamp:.6f}\r\n"
    return head.encode() + b"\r\n" + jpeg + f"\r\n--{BOUNDARY}\r\n".encode()


def _reason(services: Services, camera: str) -> str:
    online = any(known.name == camera and known.raw.newest for known in services.hub.online)
    return "errors.no_detection" if online else "errors.no_picture"


def _placeholder(camera: str, reason: str, language: str) -> bytes:
    words = page_words(language)[reason]
    return placeholder(camera, words if can_draw(words) else page_words("en")[reason])


@dataclass(eq=False)
class _Resized:
    """A picture that is being made smaller, or has been, and how many wait for it."""

    latest: Latest[bytes]
    making: asyncio.Task[bytes]
    waiting: int = 0


_resized: LRUCache[tuple[str, Look], _Resized] = LRUCache(32)
"""The newest resized picture of a camera for each look, made once however many ask for it."""

_turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
"""One of a camera's pictures is made smaller at a time, so that all cameras get their turn."""


async def resized(services: Services, camera: str, latest: Latest[bytes], look: Look) -> bytes:
    """Return a camera's picture in the size and quality that were asked for.

    Raises ImageError for one that is damaged.
    """
    if not (look.quality or look.width):
        return latest.item
    made = _resized.get((camera, look))
    if made is None or made.latest is not latest or made.making.cancelled():
        making = asyncio.create_task(_in_turn(services, camera, latest.item, look))
        made = _resized[camera, look] = _Resized(latest, making)
    made.waiting += 1
    try:
        return await asyncio.shield(made.making)
    finally:
        made.waiting -= 1
        if not made.waiting:  # all have left
            made.making.cancel()


async def _in_turn(services: Services, camera: str, jpeg: bytes, look: Look) -> bytes:
    turn = _turns.setdefault(camera, asyncio.Lock())
    async with turn:
        picture = Picture(jpeg)
        takes_long = await services.look_at(picture, _takes_long)
        workers = services.heavy if takes_long else services.drawing
        return await workers.run(_resize, picture, look.quality, look.width)


def _takes_long(picture: Picture) -> bool:
    _, width, height = read_header(picture)
    return width * height > HEAVY or picture.layout.buffered


def _resize(picture: Picture, quality: int, width: int) -> bytes:
    image = decode_image(picture)  # its pixels were counted when it came
    if width and width < image.shape[1]:
        height = max(1, round(image.shape[0] * width / image.shape[1]))
        image = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA).astype("uint8")
    return bytes(encode_image(image, "jpeg", quality or DEFAULT_QUALITY).data)


@functools.lru_cache(maxsize=64)
def placeholder(camera: str, reason: str = "no picture") -> bytes:
    """Return what a stream shows meanwhile: a camera that is off, its name, and why."""
    width, height = SIZE
    image: Image = np.full((height, width, 3), GROUND, np.uint8)
    x, y = width // 2, height // 2 - 40
    cv2.rectangle(image, (x - 80, y - 45), (x + 35, y + 45), LINES, 5, cv2.LINE_AA)
    lens = np.array([[x + 48, y - 8], [x + 82, y - 34], [x + 82, y + 34], [x + 48, y + 8]])
    cv2.polylines(image, [lens.astype(np.int32)], True, LINES, 5, cv2.LINE_AA)
    cv2.line(image, (x - 100, y + 68), (x + 95, y - 68), GROUND, 18, cv2.LINE_AA)
    cv2.line(image, (x - 96, y + 66), (x + 92, y - 66), LINES, 5, cv2.LINE_AA)
    for text, top, letters in ((reason, y + 110, 24), (camera, y + 145, 20)):
        pen = Pen(0, letters)
        left = max(0, (width - plate_size(text[:40], pen)[1]) // 2)
        write(image, (left, top), text[:40], pen, GROUND)
    return bytes(encode_image(image, "jpeg").data)
