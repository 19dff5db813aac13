"""What the routes of one listener share."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TypeVar

from starlette.types import Scope

from i2t_ros import language as words
from i2t_ros.bridges.camera_hub import CameraHub, FrameSink
from i2t_ros.bridges.handler import Handler
from i2t_ros.bridges.http.fetch import Fetcher
from i2t_ros.bridges.http.history.database import Entry, History
from i2t_ros.bridges.http.history.handler import Memory
from i2t_ros.bridges.http.history.pictures import MemoryPictures, make_key
from i2t_ros.bridges.http.metrics import Metrics
from i2t_ros.bridges.http.settings import HttpSettings
from i2t_ros.errors import BusyError, I2tError, NoFrameError, TimeLimitError, UnknownCameraError
from i2t_ros.pipeline.picture_hash import identify
from i2t_ros.types import (
    DescribeReply,
    DescribeRequest,
    Description,
    EncodedImage,
    PictureIdentity,
    Scene,
)
from i2t_ros.vision.codecs import decode_image, encode_image, picture_format, upright_size
from i2t_ros.vision.drawing import draw_scene

log = logging.getLogger("i2t_ros.http")

Result = TypeVar("Result")

DRAWING_THREADS = 2
QUALITY = 90  # of JPEG and WebP pictures that are drawn here
SMALL = 1 << 16  # bytes that are hashed faster than a thread is woken


@dataclass(frozen=True, slots=True, eq=False)
class Described:
    """A description, with the drawing that came with it and the entry under which it is kept."""

    description: Description
    cached: bool = False
    annotated: EncodedImage | None = None
    entry: Entry | None = None


class SizingHandler:
    """A handler whose scenes have the size of the picture, which the Describe service tells not."""

    def __init__(self, handler: Handler) -> None:
        """Ask ``handler``."""
        self._handler = handler

    async def describe(self, request: DescribeRequest) -> DescribeReply:
        """Return the handler's reply, with the picture's size where that is known."""
        reply = await self._handler.describe(request)
        scene = reply.description.scene
        if scene.width or not len(request.image):
            return reply
        width, height = upright_size(request.image, picture_format(request.image))
        scene = replace(scene, width=width, height=height)
        return replace(reply, description=replace(reply.description, scene=scene))


class Services:
    """One listener's handler, cameras, pictures, history and counters, and the limits on them."""

    def __init__(
        self,
        handler: Handler,
        hub: CameraHub,
        settings: HttpSettings,
        *,
        sink: FrameSink | None = None,
        unready: Callable[[], str] | None = None,
    ) -> None:
        """Put them together; raises BackendMissingError where a history lacks its packages."""
        limits = settings.limits
        self.handler: Handler = SizingHandler(handler)
        self.hub = hub
        self.settings = settings
        self.sink = sink
        self.unready = unready or (lambda: "")
        self.model = ""
        self.viewers = 0
        self.closing = asyncio.Event()
        self.metrics = Metrics(hub, lambda: self.viewers)
        self.pictures = MemoryPictures()
        self.fetcher = Fetcher(settings.fetch, limits.max_body_bytes) if settings.fetch else None
        self.memory = (
            Memory(self.handler, History(settings.history), limits.request_time)
            if settings.history
            else None
        )
        self.disconnect: Callable[[Scope], None] = lambda scope: None
        self._drawing = ThreadPoolExecutor(DRAWING_THREADS, thread_name_prefix="i2t-http-draw")
        self._asking = 0

    async def open(self) -> None:
        """Open what has to be; raises ServiceError."""
        if self.memory is not None:
            await self.memory.open()

    async def close(self) -> None:
        """Let go of everything; streams end."""
        self.closing.set()
        if self.memory is not None:
            await self.memory.close()
        self._drawing.shutdown(wait=False, cancel_futures=True)

    async def describe(self, request: DescribeRequest, *, remember: bool = False) -> Described:
        """Have a picture described, within the limits on number and time of requests.

        With ``remember`` the history answers where it can. Raises I2tError and nothing else.
        """
        if self._asking >= self.settings.limits.max_requests:
            self._count(BusyError.code)
            raise BusyError(f"{self._asking} pictures are being described already: try again")
        self._asking += 1
        try:
            described = await self._ask(request, remember)
        except I2tError as error:
            self._count(error.code)
            raise
        except Exception:
            log.exception("the handler failed")
            self._count(I2tError.code)
            raise I2tError("the server failed on this request; its log says why") from None
        finally:
            self._asking -= 1
        self.model = described.description.model
        self._count("cached" if described.cached else "ok")
        return described

    async def _ask(self, request: DescribeRequest, remember: bool) -> Described:
        if remember and self.memory is not None:
            answer = await self.memory.answer(request)
            return Described(answer.description, answer.cached, None, answer.entry)
        limit = self.settings.limits.request_time
        try:
            reply = await asyncio.wait_for(self.handler.describe(request), limit)
        except asyncio.TimeoutError:
            raise TimeLimitError(f"no answer within {limit:g} s") from None
        return Described(reply.description, reply.cached, reply.annotated)

    def request_for(self, camera: str, options: DescribeRequest) -> DescribeRequest:
        """Return a request about the newest frame of a camera; "" is the first.

        Frames of WebSocket cameras are here, the others with the handler.
        Raises NoFrameError, UnknownCameraError.
        """
        try:
            found = self.hub.find(camera)
        except UnknownCameraError:
            return replace(options, camera=camera)  # the handler may know it, or says what it knows
        if found.source == "topic":
            return replace(options, camera=camera)
        if found.raw.newest is None:
            raise NoFrameError(f"camera {found.name}: no picture has come yet")
        return replace(options, image=found.raw.newest.item)

    async def draw(self, picture: bytes, scene: Scene, language: str) -> EncodedImage:
        """Return the picture with a scene drawn on it, in its own format; raises ImageError."""
        return await self.in_thread(
            _draw, picture, scene, language, self.settings.limits.max_pixels
        )

    async def identify(self, picture: bytes) -> PictureIdentity:
        """Return the hashes of a picture."""
        if len(picture) <= SMALL:
            return identify(picture)
        return await self.in_thread(identify, picture)

    async def in_thread(self, function: Callable[..., Result], *arguments: object) -> Result:
        """Call something that takes a while, such as drawing."""
        return await asyncio.get_running_loop().run_in_executor(self._drawing, function, *arguments)

    def keep(self, picture: bytes, fmt: str) -> str:
        """Keep a picture in memory for some minutes; return the path of its URL."""
        key = make_key(identify(picture).sha256, fmt)
        self.pictures.put(key, picture)
        return f"/v1/pictures/{key}"

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Count one viewer of a stream while the context lasts; raises BusyError."""
        if self.viewers >= self.settings.limits.max_viewers:
            raise BusyError(f"{self.viewers} viewers are watching already: try again")
        self.viewers += 1
        try:
            yield
        finally:
            self.viewers -= 1

    def _count(self, result: str) -> None:
        self.metrics.descriptions.labels(result).inc()


def _draw(picture: bytes, scene: Scene, language: str, max_pixels: int) -> EncodedImage:
    image = decode_image(picture, max_pixels)
    drawn = draw_scene(image, scene, lambda name: words.label(name, language))
    return encode_image(drawn, picture_format(picture), QUALITY)
