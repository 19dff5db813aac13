"""Answers from the history if it can, and keeps there what it could not answer."""

import asyncio
import contextlib
import hashlib
import json
import logging
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from i2t_ros.bridges.handler import Handler
from i2t_ros.bridges.http.history.database import Entry, History
from i2t_ros.bridges.http.history.pictures import picture_key
from i2t_ros.errors import ServiceError, TimeLimitError
from i2t_ros.pipeline.description_json import description_from_json, description_to_json
from i2t_ros.types import DescribeReply, DescribeRequest, Picture, Told

log = logging.getLogger("i2t_ros.history")

Result = TypeVar("Result")

TIME_LIMIT = 10.0  # seconds that the history may take
PATIENCE = 1.0  # seconds that a description waits for each call of it
START_PATIENCE = 2.0  # seconds that the start of the listener waits for it to be opened
END_PATIENCE = 2.0  # seconds that the end waits for it to be closed
FIRST_PAUSE = 1.0  # seconds until a history that failed is opened again; twice as many each time
LAST_PAUSE = 60.0
MAX_WAITING = 32  # calls of the history at a time
UNUSABLE = "the history cannot be used at present: the bridge's log says why"


@dataclass(frozen=True, slots=True)
class KeptReply(DescribeReply):
    """A reply that is in the history, as ``entry``."""

    entry: Entry = field(kw_only=True)


class _CallThread:
    """Makes calls one after the other, in a thread that no call can keep from ending.

    A ThreadPoolExecutor would have Python wait for a database that hangs when the process ends.
    """

    def __init__(self) -> None:
        self._calls: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="i2t-history", daemon=True)

    def submit(
        self, function: Callable[..., Result], *arguments: object
    ) -> "asyncio.Future[Result]":
        """Have a function called; called on the loop."""
        if self._thread.ident is None:
            self._thread.start()
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._calls.put((function, arguments, future))
        return future

    def end(self) -> None:
        """End the thread after what has been submitted."""
        self._calls.put(None)

    def _run(self) -> None:
        while (call := self._calls.get()) is not None:
            function, arguments, future = call
            result = error = None
            try:
                result = function(*arguments)
            except Exception as failure:
                error = failure
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                future.get_loop().call_soon_threadsafe(_settle, future, result, error)


def _settle(future: "asyncio.Future[Any]", result: Any, error: Exception | None) -> None:
    if future.cancelled():
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)


class HistoryHandler:
    """A handler around another one, which it asks only what the history cannot answer.

    A result is found again if the same question was asked about the same picture, of a detector
    with the same configuration. It is returned as it was, with its drawing if that is kept. The
    history cannot draw, so for other drawings the other handler is asked. Identical requests at the
    same time are asked once. Lives on one asyncio loop, where hashing a large picture would take
    long: Services has computed its hash before.

    A history that fails or hangs is left alone for a while, and longer each time. Meanwhile
    requests are answered without it, and do not wait for it.

    trouble  why the history is not used now; empty while it is
    """

    def __init__(
        self, handler: Handler, history: History, configuration: Callable[[], str]
    ) -> None:
        """Ask ``handler``.

        configuration  returns which detector, with which models and options, would answer now;
                       "" if that is not known: then results are kept, but not found again
        """
        self.history = history
        self.trouble = "it is not open"
        self._handler = handler
        self._configuration = configuration
        self._thread = _CallThread()
        self._room = asyncio.Semaphore(MAX_WAITING)
        self._pending: dict[tuple[str, bool], asyncio.Task[DescribeReply]] = {}
        self._tending: asyncio.Task[None] | None = None
        self._pause = FIRST_PAUSE
        self._failed = asyncio.Event()

    async def open(self) -> None:
        """Open the history; what cannot be opened soon is opened later, and the log says so.

        Raises InvalidRequestError for a database's URL that can never work.
        """
        self.history.check()
        tried = asyncio.Event()
        self._tending = asyncio.create_task(self._tend(tried))
        try:
            await asyncio.wait_for(tried.wait(), START_PATIENCE)
        except asyncio.TimeoutError:
            log.warning("answering without the history: it has not been opened yet")

    async def close(self) -> None:
        """Cancel pending requests and close the history."""
        tasks: list[asyncio.Task[Any]] = list(self._pending.values())
        if self._tending is not None:
            tasks.append(self._tending)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        closed = self._thread.submit(self.history.close)
        self._thread.end()
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(asyncio.shield(closed), END_PATIENCE)

    async def _tend(self, tried: asyncio.Event) -> None:
        """Keep the history open: when it has failed, open it again after a pause."""
        while True:
            self._failed.clear()
            try:
                await self._thread.submit(self.history.open)
            except Exception as error:  # whatever a database's driver raises
                self._leave_alone(error)
            else:
                log.info("the history is open")
                self.trouble = ""
            tried.set()
            await self._failed.wait()
            await asyncio.sleep(self._pause)
            self._pause = min(2 * self._pause, LAST_PAUSE)

    def _leave_alone(self, error: Exception) -> None:
        """Use the history no more until it has been opened again."""
        if self._failed.is_set():
            return
        self._failed.set()
        # SQLAlchemy's own text has the whole statement.
        text = str(getattr(error, "orig", None) or error).partition("\n")[0]
        self.trouble = text or type(error).__name__
        log.warning(
            "answering without the history: %s; it is opened again in %g s",
            self.trouble,
            self._pause,
        )

    async def describe(self, request: DescribeRequest) -> DescribeReply:
        """Return the kept reply, or else the handler's; raises what the handler raises."""
        picture = request.picture
        if picture is None or request.fresh or request.question:
            return await self._handler.describe(request)
        configuration = self._configuration()
        # Everything on which the answer depends.
        parts = [
            *(picture.sha256, request.tasks, request.language, request.style, request.min_score),
            *(["spoken"] if request.spoken else []),  # keys of older results are as they were
            configuration,
        ]
        key = hashlib.sha256(json.dumps(parts).encode()).hexdigest()
        question = key, request.annotate
        # The same with, or without, a drawing: two results would take each other's place.
        while other := self._pending.get((key, not request.annotate)):
            await asyncio.wait([other])
        # Shielded: others may wait for the same answer when one of them gives up.
        if question in self._pending:
            return replace(await asyncio.shield(self._pending[question]), cached=True)
        task = asyncio.create_task(self._answer(key, request, picture, bool(configuration)))
        self._pending[question] = task
        task.add_done_callback(lambda _: self._pending.pop(question))
        return await asyncio.shield(task)

    async def ask(self, request: DescribeRequest, told: Told) -> DescribeReply:
        """Return the handler's answer to a question, which is not kept."""
        return await self._handler.ask(request, told)

    async def call(
        self, function: Callable[..., Result], *arguments: object, time_limit: float = TIME_LIMIT
    ) -> Result:
        """Call a method of the history in its thread; raises ServiceError and TimeLimitError."""
        if self.trouble:
            raise ServiceError(UNUSABLE)
        if self._room.locked():
            raise ServiceError(f"the history is slow: {MAX_WAITING} calls wait for it")
        await self._room.acquire()
        future = self._thread.submit(function, *arguments)
        future.add_done_callback(lambda _: self._room.release())
        try:
            result = await asyncio.wait_for(asyncio.shield(future), time_limit)
        except asyncio.TimeoutError:
            late = TimeLimitError(f"the history did not answer within {time_limit:g} s")
            self._leave_alone(late)
            raise late from None
        except self.history.failures as error:
            self._leave_alone(error)
            raise ServiceError(UNUSABLE) from error
        return result

    async def _answer(
        self, key: str, request: DescribeRequest, picture: Picture, may_find: bool
    ) -> DescribeReply:
        entry = await self._try(self.history.find, key, picture) if may_find else None
        if entry is not None:
            kept = description_from_json(entry.description)
            if not request.annotate:
                return KeptReply(kept, None, True, entry=entry)
            drawing = await self._try(self.history.picture, entry.drawing)
            if drawing is not None:
                return KeptReply(kept, Picture(drawing), True, entry=entry)
        reply = await self._handler.describe(request)
        if entry is None:
            entry = await self._try(self._add, key, request, picture, reply)
        elif reply.annotated is not None:
            entry = await self._try(self.history.add_drawing, entry, reply.annotated)
        if entry is None:
            return reply
        return KeptReply(reply.description, reply.annotated, reply.cached, entry=entry)

    def _add(
        self, key: str, request: DescribeRequest, picture: Picture, reply: DescribeReply
    ) -> Entry | None:
        """Keep a reply, in the history's thread, unless a task failed; return its entry."""
        description = description_to_json(reply.description)
        if description["failures"]:
            return None
        asked = {"tasks": list(request.tasks), "min_score": request.min_score}
        entry = Entry(key, picture.sha256, asked, description, picture=picture_key(picture))
        return self.history.add(entry, picture, reply.annotated)

    async def _try(
        self, function: Callable[..., Result | None], *arguments: object
    ) -> Result | None:
        """Return what a method of the history returns, or None if it takes too long or fails."""
        try:
            result = await self.call(function, *arguments, time_limit=PATIENCE)
        except ServiceError as error:
            log.debug("answering without the history: %s", error)
            return None
        if result is not None:  # what was found or added was written too: reading proves little
            self._pause = FIRST_PAUSE
        return result
