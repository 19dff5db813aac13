"""/ws: cameras that send JPEG frames as binary WebSocket messages, as ESP32-CAM sketches do."""

import asyncio
import contextlib
import logging
import time
from functools import partial

from fastapi import APIRouter, WebSocket
from starlette.websockets import WebSocketDisconnect, WebSocketState

from i2t_ros.bridges.counting import counted
from i2t_ros.bridges.http.middleware.access import refuse
from i2t_ros.bridges.http.middleware.limits import full_limit
from i2t_ros.bridges.http.problems import HttpProblem, explain
from i2t_ros.bridges.http.replies import CONNECTION
from i2t_ros.bridges.http.services import Services, SharedServices
from i2t_ros.errors import BusyError, I2tError
from i2t_ros.pipeline.rate_limit import RateLimit
from i2t_ros.types import Picture
from i2t_ros.vision.codecs import MAX_PIXELS, check_picture, picture_format
from i2t_ros.vision.headers import check_complete

log = logging.getLogger("i2t_ros.ws")

MAX_TEXT = 200  # characters of a text message that are logged
TEXTS_PER_SECOND = 5.0
CLOSE_TOO_LARGE = 1009  # RFC 6455, section 7.4.1
CLOSE_REPLACED = 4000
CLOSE_IDLE = 4001

router = APIRouter()


@router.websocket("/ws")
@router.websocket("/ws/{name}")
async def camera(socket: WebSocket, services: SharedServices) -> None:
    """Take a camera's frames until one side ends it; uvicorn ends it when the listener closes."""
    address = socket.client.host if socket.client else "unknown"
    name = socket.path_params.get("name") or _name_for(address, services)
    try:
        _admit(services, name)
    except (HttpProblem, I2tError) as problem:
        services.journal.say(
            logging.WARNING,
            address,
            "refused",
            f"a camera from {address} is refused: {explain(problem)[2]}",
        )
        try:
            await refuse(socket.scope, socket.receive, socket.send, problem)
        except RuntimeError:  # Starlette before 0.37 lets no other reply pass than 403
            await socket.close(1008)
        return
    replaced = services.sockets.get(name)
    services.sockets[name] = socket
    try:
        await socket.accept()
        say = partial(services.journal.say, logging.INFO, address)
        say("connected", f"camera {name} connected from {address}")
        if replaced is not None:
            say("replaced", f"camera {name}: a newer connection takes the place of an older one")
            await _close(replaced, CLOSE_REPLACED, "a newer connection has this name")
        await _receive(services, socket, name)
    except WebSocketDisconnect:  # before it was accepted
        pass
    finally:
        if services.sockets.get(name) is socket:  # or else it is replaced, and still there
            del services.sockets[name]
            services.hub.remove(name)
            services.journal.say(logging.INFO, address, "gone", f"camera {name} has gone")


def _admit(services: Services, name: str) -> None:
    """Make the camera known; raises HttpProblem and I2tError if it may not be."""
    hub, connected = services.hub, len(services.sockets)
    if any(known.name == name and known.transport == "topic" for known in hub.online):
        raise HttpProblem(409, f"camera {name} is a ROS topic: take another name", "name_taken")
    if name in services.sockets and not services.replacements.allow(name):
        raise BusyError(f"camera {name} connects again and again: try later")
    with hub.waiting_for(name):
        if name not in services.sockets and connected >= services.settings.limits.max_cameras:
            raise BusyError(f"{counted(connected, 'camera')} already, the limit: try again")
        if services.sink is not None:
            services.sink.check(name)
        hub.add(name, "websocket")


def _name_for(address: str, services: Services) -> str:
    """Return a name for one that has none: of its address, so that it is the same again."""
    base = "camera_" + "".join(c if c.isalnum() else "_" for c in address)
    last = services.settings.limits.max_cameras + 1
    names = [base, *(f"{base}_{number}" for number in range(2, last + 1))]
    return next(name for name in names if name not in services.sockets)[:64]


async def _receive(services: Services, socket: WebSocket, name: str) -> None:
    limits = services.settings.limits
    # Each frame is due at its time, but a few may be late and come together.
    frames = full_limit(max(2.0, limits.max_frame_rate / 4))
    texts = full_limit(2 * TEXTS_PER_SECOND)
    last_frame, result = time.monotonic(), ""
    while True:
        patience = last_frame + limits.camera_idle_time - time.monotonic()
        try:
            message = await asyncio.wait_for(socket.receive(), max(0.0, patience))
        except asyncio.TimeoutError:
            ignored = f"; the last one was ignored: {result}" if result not in ("", "taken") else ""
            log.warning(
                "camera %s: no usable frame within %g s%s", name, limits.camera_idle_time, ignored
            )
            await _close(socket, CLOSE_IDLE, "no frame came")
            return
        if message["type"] == "websocket.disconnect":
            if message.get("code") == CLOSE_TOO_LARGE:  # uvicorn has closed it
                services.metrics.frames.labels("too_large").inc()
                log.warning(
                    "camera %s is disconnected: it sent a frame of more than %d bytes, the limit "
                    "(http_max_frame_bytes); let it send smaller pictures, or raise the limit",
                    name,
                    limits.max_frame_bytes,
                )
            return
        jpeg = message.get("bytes")
        if jpeg is None:
            if texts.allows(time.monotonic(), TEXTS_PER_SECOND):
                log.info("camera %s says %r", name, (message.get("text") or "")[:MAX_TEXT])
            continue
        result = await _judge(services, jpeg, frames)
        if services.sockets.get(name) is not socket:  # replaced meanwhile
            return
        services.metrics.frames.labels(result).inc()
        if result != "taken":
            log.debug("camera %s: a frame is ignored: %s", name, result)
            continue
        services.hub.publish(name, raw=jpeg)
        if services.sink is not None:
            services.sink.publish(name, jpeg)
        last_frame = time.monotonic()


async def _judge(services: Services, jpeg: bytes, frames: RateLimit) -> str:
    """Return "taken", or why a frame is ignored, in a word."""
    limits = services.settings.limits
    if len(jpeg) < limits.min_frame_bytes:
        return "too_small"
    if not frames.allows(time.monotonic(), limits.max_frame_rate):
        return "too_fast"
    try:
        if picture_format(jpeg) != "jpeg":
            return "not_jpeg"
        # Each viewer's stream may have to be decoded: no video has more pixels.
        most = min(limits.max_pixels, MAX_PIXELS)
        await services.look_at(Picture(jpeg), _check, most)
    except I2tError as error:
        return error.code
    return "taken"


def _check(picture: Picture, max_pixels: int) -> None:
    check_picture(picture, max_pixels)
    check_complete(picture.data, "jpeg")


async def _close(socket: WebSocket, code: int, reason: str) -> None:
    """Close a socket that may be closed already."""
    if socket.client_state == socket.application_state == WebSocketState.CONNECTED:
        with contextlib.suppress(RuntimeError, OSError, WebSocketDisconnect):
            await socket.close(code, reason)
        connection = socket.scope["state"][CONNECTION]
        if not connection.transport.is_closing():  # a client may leave a close frame unanswered
            connection.lingers()
