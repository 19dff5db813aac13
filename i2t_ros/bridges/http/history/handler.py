"""Answers from the history if it can, and keeps there what it could not answer."""

import asyncio
import hashlib
import json
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TypeVar

from i2t_ros.bridges.handler import Handler
from i2t_ros.bridges.http.history.database import Entry, History
from i2t_ros.errors import ServiceError, TimeLimitError
from i2t_ros.pipeline.description_json import description_from_json, description_to_json
from i2t_ros.types import DescribeReply, DescribeRequest, Picture
from i2t_ros.vision.codecs import read_header

log = logging.getLogger("i2t_ros.history")

Result = TypeVar("Result")

TIME_LIMIT = 10.0  # seconds that the history may take
MAX_WAITING = 32  # calls of the history at a time
COMPLAINT_PERIOD = 10.0  # seconds between two log lines about a history that fails
SMALL = 1 << 20  # bytes: hashing more than these is left to a thread


@dataclass(frozen=True, slots=True)
class KeptReply(DescribeReply):
    """A reply that is in the history, as the result with this ``number``."""

    number: int = 0


class HistoryHandler:
    """A handler around another one, which it asks only what the history cannot answer.

    A result is found again if the same question was asked about the same picture, of a detector
    with the same configuration. It is returned as it was. The history cannot draw, so the other
    handler is always asked for drawings. Identical requests at the same time are asked once. If
    the history fails, requests are answered without it. Lives on one asyncio loop.
    """

    def __init__(
        self, handler: Handler, history: History, configuration: Callable[[], str]
    ) -> None:
        """Ask ``handler``.

        configuration  returns which detector, with which models and options, would answer now;
                       "" if that is not known: then results are kept, but not found again
        """
        self.history = history
        self._handler = handler
        self._configuration = configuration
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="i2t-history")
        self._room = asyncio.Semaphore(MAX_WAITING)
        self._pending: dict[tuple[str, bool], asyncio.Task[DescribeReply]] = {}
        self._complained = -COMPLAINT_PERIOD

    async def open(self) -> None:
        """Open the history; raises ServiceError if that fails."""
        await self.call(self.history.open)

    async def close(self) -> None:
        """Cancel pending requests and close the history."""
        pending = list(self._pending.values())
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
        self._thread.submit(self.history.close)
        self._thread.shutdown(wait=False)

    async def describe(self, request: DescribeRequest) -> DescribeReply:
        """Return the kept reply, or else the handler's; raises what the handler raises."""
        picture = request.picture
        if picture is None or request.fresh:
            return await self._handler.describe(request)
        await hash_picture(picture)
        configuration = self._configuration()
        # Everything on which the answer depends.
        parts = picture.sha256, request.tasks, request.language, request.style, request.min_score
        key = hashlib.sha256(json.dumps([*parts, configuration]).encode()).hexdigest()
        question = key, request.annotate
        # Shielded: others may wait for the same answer when one of them gives up.
        if question in self._pending:
            return replace(await asyncio.shield(self._pending[question]), cached=True)
        task = asyncio.create_task(self._answer(key, request, picture, bool(configuration)))
        self._pending[question] = task
        task.add_done_callback(lambda _: self._pending.pop(question))
        return await asyncio.shield(task)

    async def call(self, function: Callable[..., Result], *arguments: object) -> Result:
        """Call a method of the history in its thread; raises ServiceError and TimeLimitError."""
        if self._room.locked():
            raise ServiceError(f"the history is slow: {MAX_WAITING} calls wait for it")
        await self._room.acquire()
        loop = asyncio.get_running_loop()
        future = loop.run_in_executor(self._thread, function, *arguments)
        future.add_done_callback(lambda _: self._room.release())
        try:
            return await asyncio.wait_for(asyncio.shield(future), TIME_LIMIT)
        except asyncio.TimeoutError:
            raise TimeLimitError(f"the history did not answer within {TIME_LIMIT:g} s") from None
        except self.history.failures as error:
            raise ServiceError(f"the history cannot be used: {error}") from error

    async def _answer(
        self, key: str, request: DescribeRequest, picture: Picture, may_find: bool
    ) -> DescribeReply:
        entry = await self._try(self.history.find, key) if may_find else None
        if entry is not None and not request.annotate:
            return KeptReply(description_from_json(entry.description), None, True, entry.id)
        reply = await self._handler.describe(request)
        if entry is None:
            entry = await self._try(self._add, key, request, picture, reply)
        if entry is None:
            return reply
        return KeptReply(reply.description, reply.annotated, reply.cached, entry.id)

    def _add(
        self, key: str, request: DescribeRequest, picture: Picture, reply: DescribeReply
    ) -> Entry | None:
        """Keep a reply, in the history's thread, unless a task failed; return its entry."""
        description = description_to_json(reply.description)
        if description["failures"]:
            return None
        asked = {"tasks": list(request.tasks), "min_score": request.min_score}
        kept_as = f"{picture.sha256}.{read_header(picture).format}"
        entry = Entry(key, picture.sha256, asked, description, picture=kept_as)
        return self.history.add(entry, bytes(picture))

    async def _try(
        self, function: Callable[..., Result | None], *arguments: object
    ) -> Result | None:
        try:
            return await self.call(function, *arguments)
        except ServiceError as error:
            if time.monotonic() - self._complained > COMPLAINT_PERIOD:
                self._complained = time.monotonic()
                log.warning("answering without the history: %s", error)
            return None


async def hash_picture(picture: Picture) -> None:
    """Compute a picture's hash, without blocking the loop if it is large."""
    if len(picture) > SMALL:
        await asyncio.to_thread(lambda: picture.sha256)
