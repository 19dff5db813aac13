"""/ws: cameras that send JPEG frames as binary WebSocket messages, as ESP32-CAM sketches do."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from dataclasses import dataclass

from fastapi import APIRouter, WebSocket
from starlette.websockets import WebSocketDisconnect, WebSocketState

from i2t_ros.bridges.camera_hub import Camera
from i2t_ros.bridges.http.middleware.access import refuse
from i2t_ros.bridges.http.middleware.limits import RateLimit
from i2t_ros.bridges.http.problems import HttpProblem
from i2t_ros.bridges.http.routes.streaming import first_of
from i2t_ros.bridges.http.services import Services
from i2t_ros.errors import BusyError, ImageError, InvalidRequestError
from i2t_ros.types import CAMERA_NAME, Picture
from i2t_ros.vision.codecs import check_complete, check_picture, read_header

log = logging.getLogger("i2t_ros.ws")

MAX_TEXT = 200  # characters of a text message that are logged
TEXTS_PER_SECOND = 5.0
CLOSE_REPLACED = 4000
CLOSE_IDLE = 4001
CLOSE_GOING = 1001


@dataclass(slots=True, eq=False)
class Connection:
    """One camera's socket and its limits."""

    socket: WebSocket
    camera: Camera
    frames: RateLimit
    texts: RateLimit


def make_router(services: Services) -> APIRouter:
    """Return the routes."""
    router = APIRouter()
    cameras = SocketCameras(services)

    @router.websocket("/ws")
    async def unnamed(socket: WebSocket) -> None:
        await cameras.serve(socket, "")

    @router.websocket("/ws/{name}")
    async def named(socket: WebSocket, name: str) -> None:
        await cameras.serve(socket, name)

    return router


class SocketCameras:
    """The WebSocket cameras of one listener."""

    def __init__(self, services: Services) -> None:
        """Start without any."""
        self._services = services
        self._limits = services.settings.limits
        self._open: dict[str, Connection] = {}

    async def serve(self, socket: WebSocket, name: str) -> None:
        """Take a camera's frames until one side ends it."""
        try:
            connection = self._admit(socket, name or self._name_for(socket))
        except HttpProblem as problem:
            log.warning("a camera from %s is refused: %s", _address(socket), problem)
            try:
                await refuse(socket.scope, socket.receive, socket.send, problem)
            except RuntimeError:  # Starlette before 0.37 lets no other reply pass than 403
                await socket.close(1008)
            return
        name = connection.camera.name
        replaced = self._open.get(name)
        self._open[name] = connection
        try:
            await socket.accept()
            log.info("camera %s connected from %s", name, _address(socket))
            if replaced is not None:
                log.warning("camera %s: a newer connection takes the place of an older one", name)
                await _close(replaced.socket, CLOSE_REPLACED, "a newer connection has this name")
            await first_of(
                self._receive(connection),
                self._services.closing.wait(),
            )
        except WebSocketDisconnect:
            pass
        finally:
            await _close(socket, CLOSE_GOING, "")
            self._dismiss(connection)

    def _admit(self, socket: WebSocket, name: str) -> Connection:
        """Make the camera known; raises HttpProblem if it may not be."""
        if not CAMERA_NAME.fullmatch(name):
            raise HttpProblem(
                422, "name: expected up to 64 letters, digits and underscores, no digit first"
            )
        hub = self._services.hub
        if any(camera.name == name and camera.transport == "topic" for camera in hub.online):
            raise HttpProblem(409, f"camera {name} is a ROS topic: take another name", "name_taken")
        if name not in self._open and len(self._open) >= self._limits.max_cameras:
            raise HttpProblem(
                503, f"{len(self._open)} cameras are connected already: try again", BusyError.code
            )
        if self._services.sink is not None:
            try:
                self._services.sink.check(name)
            except InvalidRequestError as error:
                raise HttpProblem(422, str(error)) from error
        rate = self._limits.max_frame_rate
        # Each frame is due at its time, but a few may be late and come together.
        frames = RateLimit(rate, burst=max(2.0, rate / 4))
        return Connection(socket, hub.add(name, "websocket"), frames, RateLimit(TEXTS_PER_SECOND))

    def _name_for(self, socket: WebSocket) -> str:
        """Return a name for one that has none: of its address, so that it is the same again."""
        base = "camera_" + "".join(c if c.isalnum() else "_" for c in _address(socket))
        names = [base, *(f"{base}_{number}" for number in range(2, self._limits.max_cameras + 2))]
        return next(name for name in names if name not in self._open)[:64]

    def _dismiss(self, connection: Connection) -> None:
        name = connection.camera.name
        if self._open.get(name) is not connection:  # replaced: the camera is still there
            return
        del self._open[name]
        self._services.hub.remove(name)
        log.info("camera %s has gone", name)

    async def _receive(self, connection: Connection) -> None:
        socket, name = connection.socket, connection.camera.name
        last_frame = time.monotonic()
        while True:
            patience = last_frame + self._limits.camera_idle_time - time.monotonic()
            try:
                message = await asyncio.wait_for(socket.receive(), max(0.0, patience))
            except asyncio.TimeoutError:
                log.warning("camera %s: no frame within %g s", name, self._limits.camera_idle_time)
                await _close(socket, CLOSE_IDLE, "no frame came")
                return
            if message["type"] == "websocket.disconnect":
                return
            if message.get("bytes") is not None:
                if self._take(connection, message["bytes"]):
                    last_frame = time.monotonic()
            elif connection.texts.allow(""):
                log.info("camera %s says %r", name, (message.get("text") or "")[:MAX_TEXT])

    def _take(self, connection: Connection, jpeg: bytes) -> bool:
        """Take a frame, or ignore it; count it either way."""
        result = self._judge(connection, jpeg)
        self._services.metrics.frames.labels(result).inc()
        if result != "taken":
            log.debug("camera %s: a frame is ignored: %s", connection.camera.name, result)
            return False
        name = connection.camera.name
        self._services.hub.publish(name, raw=jpeg)
        if self._services.sink is not None:
            self._services.sink.publish(name, jpeg)
        return True

    def _judge(self, connection: Connection, jpeg: bytes) -> str:
        """Return "taken", or why a frame is ignored, in a word."""
        if len(jpeg) < self._limits.min_frame_bytes:
            return "too_small"
        if not connection.frames.allow(""):
            return "too_fast"
        try:
            picture = Picture(jpeg)
            if read_header(picture).format != "jpeg":
                return "not_jpeg"
            check_picture(picture, self._limits.max_pixels)
            check_complete(jpeg, "jpeg")
        except ImageError as error:
            return error.code
        return "taken"


def _address(socket: WebSocket) -> str:
    return socket.client.host if socket.client else "unknown"


async def _close(socket: WebSocket, code: int, reason: str) -> None:
    """Close a socket that may be closed already."""
    if socket.client_state == socket.application_state == WebSocketState.CONNECTED:
        with contextlib.suppress(RuntimeError, OSError, WebSocketDisconnect):
            await socket.close(code, reason)
