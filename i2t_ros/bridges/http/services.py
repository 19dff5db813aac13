"""What the routes of one listener share."""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from typing import Annotated, TypeVar

from cachetools import TTLCache
from fastapi import Depends
from starlette.requests import HTTPConnection
from starlette.websockets import WebSocket

from i2t_ros.bridges.camera_hub import CameraHub, FrameSink
from i2t_ros.bridges.counting import counted
from i2t_ros.bridges.handler import Handler, TimeLimited
from i2t_ros.bridges.http.fetch import Fetcher
from i2t_ros.bridges.http.history.database import History
from i2t_ros.bridges.http.history.handler import HistoryHandler
from i2t_ros.bridges.http.history.pictures import KEY
from i2t_ros.bridges.http.metrics import Metrics
from i2t_ros.bridges.http.middleware.limits import AddressLimits
from i2t_ros.bridges.http.places import Places
from i2t_ros.bridges.http.problems import HttpProblem
from i2t_ros.bridges.http.settings import HttpSettings
from i2t_ros.bridges.journal import Journal
from i2t_ros.bridges.loop_thread import LoopThread
from i2t_ros.bridges.memory import RequestMemory
from i2t_ros.bridges.workers import Workers
from i2t_ros.errors import BusyError, I2tError, NoFrameError, TimeLimitError, UnknownCameraError
from i2t_ros.pipeline.asking import check_question
from i2t_ros.types import DescribeReply, DescribeRequest, Description, Picture, Told
from i2t_ros.vision.codecs import check_picture, is_heavy, picture_format

log = logging.getLogger("i2t_ros.http")

Result = TypeVar("Result")
Answering = Callable[[DescribeRequest], Awaitable[DescribeReply]]

MAX_FETCHES = 8
"""Pictures that are fetched from URLs at a time."""
FETCHING_END = 1.0  # seconds
SMALL = 4096
"""Bytes of a picture whose header is read on the loop: whatever is in it, that takes less than a
millisecond."""
MANY = 100
"""Objects of a description that is put into JSON on the loop: that takes about a millisecond."""
REPLACEMENTS_PER_SECOND = 2.0
"""The older sockets of a camera end slowly, and may hold a frame each meanwhile."""
PICTURES_BYTES = 64 << 20
PICTURES_TIME = 600.0  # seconds for which a linked picture is kept at most


class Services:
    """One listener's handler, cameras, pictures, history and counters, and the limits on them.

    queue     the places of descriptions that are being made
    asking    those of questions that are being answered: a language model takes long, and no
              description waits for it
    model     what answered last; empty before that
    viewers   how many watch streams
    sockets   of the WebSocket cameras, by name
    replacements  limit, by name, how often a camera's socket takes the place of an older one
    pictures  that replies link to, by the last part of their path
    closing   set when streams have to end
    journal   of what clients do
    memory    that requests take
    reading   threads that look at headers of pictures, forms and JSON
    drawing   threads that make pictures of streams smaller, and draw placeholders
    heavy     the same for pictures that take long, one at a time
    """

    def __init__(  # noqa: PLR0913 (one listener, and all that it is connected with)
        self,
        handler: Handler,
        hub: CameraHub,
        settings: HttpSettings | None = None,
        *,
        sink: FrameSink | None = None,
        unready: Callable[[], str] = lambda: "",
        configuration: Callable[[], str] = lambda: "",
    ) -> None:
        """Serve ``handler`` and the cameras of ``hub``.

        sink           where frames of WebSocket cameras go besides ``hub``
        unready        returns why pictures cannot be described at present, or ""
        configuration  returns who would describe them, and how; see HistoryHandler

        Raises BackendMissingError if a history lacks its packages.
        """
        self.hub = hub
        self.settings = settings = settings or HttpSettings()
        self.sink = sink
        self.unready = unready
        most = settings.limits.max_requests
        self.queue = Places("request", most, max(1, most // 2))
        self.asking = Places("question", settings.limits.max_questions)
        self.model = ""
        self.viewers = 0
        self.sockets: dict[str, WebSocket] = {}
        self.replacements = AddressLimits(REPLACEMENTS_PER_SECOND)
        self.pictures: TTLCache[str, Picture] = TTLCache(
            PICTURES_BYTES, PICTURES_TIME, getsizeof=len
        )
        self.closing = asyncio.Event()
        self.journal = Journal(log)
        # Every connection has one such call at a time; none of them takes long.
        self.reading = Workers("i2t-reading", 2, settings.limits.max_connections)
        most = 2 * settings.limits.max_viewers  # some have left while theirs is being made
        self.drawing = Workers("i2t-drawing", 2, most)
        self.heavy = Workers("i2t-heavy", 1, most)
        self.memory = RequestMemory(settings.limits.max_memory_bytes)
        self.metrics = Metrics(hub, lambda: self.viewers, lambda: self.memory.used)
        max_bytes = settings.limits.max_body_bytes
        self.fetcher = Fetcher(settings.fetch, max_bytes) if settings.fetch else None
        # A server that sends much and says nothing would keep the loop of the listeners busy.
        self._fetching = LoopThread("i2t_fetch")
        self._fetches = 0
        self.history: HistoryHandler | None = None
        limits = settings.limits
        self._handler: Handler = TimeLimited(handler, limits.request_time, limits.answer_time)
        if settings.history is not None:
            self.history = HistoryHandler(self._handler, History(settings.history), configuration)
            self._handler = self.history

    @property
    def pending(self) -> int:
        """How many requests are being answered now."""
        return len(self.queue)

    async def describe(self, request: DescribeRequest, name: str = "") -> DescribeReply:
        """Have a request answered, from the history if there is one; count how that ends.

        ``name`` is what its client calls it, to ask for its place in the queue.

        Raises I2tError: BusyError beyond the limit, ImageError, and what the handler raises.
        """
        if request.question:
            return await self.ask(request, lambda text: None, name)
        count = self.metrics.descriptions.labels
        try:
            reply = await self._in(self.queue, request, name, self._handler.describe)
        except I2tError as error:
            count(error.code).inc()
            raise
        count("cached" if reply.cached else "ok").inc()
        return reply

    async def ask(self, request: DescribeRequest, told: Told, name: str = "") -> DescribeReply:
        """Have a question answered; ``told`` gets the answer while it is written. See describe().

        If this is cancelled, so is the handler.
        """
        count = self.metrics.answers.labels

        def answer(request: DescribeRequest) -> Awaitable[DescribeReply]:
            return self._handler.ask(request, told)

        try:
            check_question(request.question)
            reply = await self._in(self.asking, request, name, answer)
        except I2tError as error:
            count(error.code).inc()
            raise
        except asyncio.CancelledError:
            count("cancelled").inc()
            raise
        count("ok").inc()
        return reply

    async def _in(
        self, places: Places, request: DescribeRequest, name: str, answer: Answering
    ) -> DescribeReply:
        """Have a request answered in one of the places."""
        if request.picture is not None:
            await self.check(request.picture)
        is_large = request.picture is not None and is_heavy(request.picture, request.annotate)
        with places.take(name, is_large=is_large):
            reply = await self._about_a_camera(request, answer)
        self.model = reply.description.model
        return reply

    async def _about_a_camera(self, request: DescribeRequest, answer: Answering) -> DescribeReply:
        """Have a request answered; one about no camera by name by the first that has frames."""
        try:
            return await answer(await self._with_picture(request))
        except NoFrameError:
            if request.picture is not None or request.camera:
                raise
            for camera in self.hub.online[1:]:
                with contextlib.suppress(NoFrameError):
                    named = await self._with_picture(replace(request, camera=camera.name))
                    return await answer(named)
            raise

    async def check(self, picture: Picture, *, hashed: bool = False) -> None:
        """Read a picture's header and, if it is needed, compute its hash; both are kept with it.

        Raises ImageError for a picture that is none or has too many pixels.
        """
        max_pixels = self.settings.limits.max_pixels
        if picture.header is None:
            hashed = hashed or self.history is not None
            await self.look_at(picture, _read, max_pixels, hashed)
        else:
            check_picture(picture, max_pixels)

    async def look_at(
        self, picture: Picture, function: Callable[..., Result], *arguments: object
    ) -> Result:
        """Return what a function makes of a picture, called in a thread unless that is small."""
        if len(picture) <= SMALL:
            return function(picture, *arguments)
        return await self.reading.run(function, picture, *arguments)

    async def told(
        self, description: Description, function: Callable[..., Result], *arguments: object
    ) -> Result:
        """Return what a function makes of a description, called in a thread if that has much."""
        if len(description.scene.detections or ()) <= MANY:
            return function(*arguments)
        return await self.reading.run(function, *arguments)

    async def _with_picture(self, request: DescribeRequest) -> DescribeRequest:
        """Return the request with the newest frame, if it is about a WebSocket camera.

        Frames of WebSocket cameras are here, the others with the handler. One frame follows the
        other, so they are neither looked up in a cache nor put into one.

        Raises NoFrameError, and ImageError for a picture that is none or has too many pixels.
        """
        if request.picture is not None:
            await self.check(request.picture)
            return request
        try:
            camera = self.hub.find(request.camera)
        except UnknownCameraError:
            return request  # the handler may know it, or says what it knows
        if camera.transport == "topic":
            return request
        if camera.raw.newest is None:
            raise NoFrameError(f"camera {camera.name}: no picture has come yet")
        return replace(request, camera="", picture=Picture(camera.raw.newest.item), fresh=True)

    async def fetch(self, url: str) -> Picture:
        """Return the picture behind a URL; see Fetcher.fetch, whose errors it raises.

        Raises HttpProblem too if pictures are not fetched here, and BusyError beyond a limit.
        """
        if self.fetcher is None:
            raise HttpProblem(
                403,
                "pictures are not fetched from URLs here; the parameter http_fetch allows it",
                code="fetch_off",
            )
        if self._fetches >= MAX_FETCHES:
            pictures = counted(self._fetches, "picture")
            raise BusyError(f"{pictures} being fetched, the limit: try again")
        self._fetches += 1
        try:
            await asyncio.to_thread(self._fetching.start)
            return Picture(await self._fetching.run(self.fetcher.fetch(url)))
        finally:
            self._fetches -= 1

    async def close(self) -> None:
        """End what goes on beside requests."""
        with contextlib.suppress(TimeLimitError):  # a name service that does not answer
            await asyncio.to_thread(self._fetching.stop, FETCHING_END)
        if self.history is not None:
            await self.history.close()
        for workers in (self.reading, self.drawing, self.heavy):
            workers.close()
        self.journal.close()

    async def linked(self, key: str) -> Picture | None:
        """Return the picture of a link, or None if it is not kept; raises ServiceError."""
        picture = self.pictures.get(key)
        if picture is None and self.history is not None and KEY.fullmatch(key):
            kept = await self.history.call(self.history.history.picture, key)
            picture = None if kept is None else Picture(kept)
        return picture

    def link(self, picture: Picture, kept_as: str = "") -> str:
        """Return the path of a picture's URL: it is in the history, or in memory for some minutes.

        kept_as  its key in the history; empty if it is not there
        """
        if kept_as:
            return f"/v1/pictures/{kept_as}"
        key = f"{secrets.token_urlsafe(24)}.{picture_format(picture.data)}"
        with contextlib.suppress(ValueError):  # larger than all that is kept
            self.pictures[key] = picture
        return f"/v1/pictures/{key}"

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Count one viewer of a stream while the context lasts; raises BusyError."""
        if self.viewers >= self.settings.limits.max_viewers:
            raise BusyError(f"{counted(self.viewers, 'viewer')} already, the limit: try again")
        self.viewers += 1
        try:
            yield
        finally:
            self.viewers -= 1


def _read(picture: Picture, max_pixels: int, hashed: bool) -> None:
    check_picture(picture, max_pixels)
    if hashed:
        picture.sha256  # noqa: B018 (computed once, and kept)


async def _services(connection: HTTPConnection) -> Services:
    return connection.app.state.services  # type: ignore[no-any-return]


SharedServices = Annotated[Services, Depends(_services)]
"""A route's parameter: what it shares with the others."""
