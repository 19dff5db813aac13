"""Asks a handler only what the history does not know yet."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TypeVar

from i2t_ros import language as words
from i2t_ros.bridges.handler import Handler
from i2t_ros.bridges.http.history.database import Entry, History
from i2t_ros.bridges.http.history.pictures import make_key
from i2t_ros.errors import ServiceError, TimeLimitError
from i2t_ros.pipeline.describer import scene_facts
from i2t_ros.pipeline.picture_hash import identify
from i2t_ros.types import ByteBuffer, DescribeRequest, Description
from i2t_ros.vision.codecs import picture_format

log = logging.getLogger("i2t_ros.history")

Result = TypeVar("Result")

TIME_LIMIT = 10.0  # seconds that the history may take
MAX_WAITING = 32  # calls of the history at a time
COMPLAINT_PERIOD = 10.0  # seconds between two log lines about a history that fails


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """A description, whether it was known before, and its entry where it is kept."""

    description: Description
    cached: bool = False
    entry: Entry | None = None


class Memory:
    """Answers from the history where it can, and keeps there what it could not.

    A picture is worked on once even while several ask about it at the same time, and whatever
    language they ask in: what is kept is the scene, in the handler's own words. (A picture with
    texts, which are translated, is worked on once for each language.) Where the history fails,
    requests are answered without it. Lives on one asyncio loop.
    """

    def __init__(self, handler: Handler, history: History, request_time: float) -> None:
        """Ask ``handler``, for at most ``request_time`` seconds."""
        self.history = history
        self._handler = handler
        self._request_time = request_time
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="i2t-history")
        self._waiting = 0
        self._pending: dict[str, asyncio.Task[Answer]] = {}
        self._model = ""
        self._complained = -COMPLAINT_PERIOD

    async def open(self) -> None:
        """Open the history; raises ServiceError where that fails."""
        await self.call(self.history.open)

    async def close(self) -> None:
        """Give up what is pending and let go of the history."""
        pending = list(self._pending.values())
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
        self._thread.submit(self.history.close)
        self._thread.shutdown(wait=False)

    def forget_model(self) -> None:
        """Take note that another model may answer from now on; its first answer will tell."""
        self._model = ""

    async def answer(self, request: DescribeRequest) -> Answer:
        """Return what is known of the picture, or else what the handler says, without a drawing.

        Raises what the handler raises, UnknownLanguageError and UnknownStyleError.
        """
        said_in = words.resolve_language(request.language) if request.language else ""
        if request.style:
            words.check_style(request.style)
        digest = await asyncio.get_running_loop().run_in_executor(None, _sha256, request.image)
        question = replace(request, language="", style="", annotate=False)
        if said_in and "text" in request.tasks:
            question = replace(question, language=said_in)
        answer = await self._shared(digest, question)
        description = answer.description
        if description.scene.texts and said_in not in ("", description.language):
            # Texts are translated into the language of the question, so this is another one.
            answer = await self._shared(digest, replace(question, language=said_in))
        return replace(answer, description=said(answer.description, said_in, request.style))

    async def _shared(self, digest: str, question: DescribeRequest) -> Answer:
        """Return the answer to a question that others may be asking at this moment."""
        key = _key(digest, question)
        task = self._pending.get(key)
        joined = task is not None
        if task is None:
            find_or_ask = self._find_or_ask(key, digest, question)
            task = asyncio.get_running_loop().create_task(find_or_ask)
            self._pending[key] = task
            task.add_done_callback(lambda done: self._settled(key, done))
        # Shielded: others may wait for the same answer when one of them gives up.
        answer = await asyncio.shield(task)
        return replace(answer, cached=answer.cached or joined)

    async def call(self, function: Callable[..., Result], *arguments: object) -> Result:
        """Call a method of the history in its thread; raises ServiceError and TimeLimitError."""
        if self._waiting >= MAX_WAITING:
            raise ServiceError(f"the history is slow: {self._waiting} calls wait for it")
        self._waiting += 1
        loop = asyncio.get_running_loop()
        future = loop.run_in_executor(self._thread, function, *arguments)
        future.add_done_callback(self._called)
        try:
            return await asyncio.wait_for(asyncio.shield(future), TIME_LIMIT)
        except asyncio.TimeoutError:
            raise TimeLimitError(f"the history did not answer within {TIME_LIMIT:g} s") from None

    def _called(self, future: asyncio.Future[Result]) -> None:
        self._waiting -= 1
        if not future.cancelled():
            future.exception()  # seen, even where nobody waits any more

    def _settled(self, key: str, task: asyncio.Task[Answer]) -> None:
        del self._pending[key]
        if not task.cancelled():
            task.exception()

    async def _find_or_ask(self, key: str, digest: str, question: DescribeRequest) -> Answer:
        # Only the model that answers now may have given the answer.
        known = await self._try(self.history.find, key) if self._model else None
        if known is not None and known.description.model == self._model:
            return Answer(known.description, True, known)
        try:
            asked = self._handler.describe(question)
            reply = await asyncio.wait_for(asked, self._request_time)
        except asyncio.TimeoutError:
            raise TimeLimitError(f"no answer within {self._request_time:g} s") from None
        description = reply.description
        self._model = description.model
        if description.scene.failures:
            return Answer(description, reply.cached)
        picture = bytes(question.image)
        entry = Entry(key, digest, description, picture=make_key(digest, picture_format(picture)))
        return Answer(description, reply.cached, await self._try(self.history.add, entry, picture))

    async def _try(self, function: Callable[..., Result], *arguments: object) -> Result | None:
        try:
            return await self.call(function, *arguments)
        except ServiceError as error:
            if time.monotonic() - self._complained > COMPLAINT_PERIOD:
                self._complained = time.monotonic()
                log.warning("answering without the history: %s", error)
            return None


def said(description: Description, language: str, style: str) -> Description:
    """Return a description in another language or style; as it is where neither is asked for.

    Raises UnknownLanguageError and UnknownStyleError.
    """
    wanted = words.resolve_language(language) if language else description.language
    if wanted == description.language and not style:
        return description
    # Where things are cannot be said without the picture's size.
    style = style if description.scene.width or style != "scene" else "sentence"
    sentence = words.compose(scene_facts(description.scene, style), wanted, style or "sentence")
    return replace(description, sentence=sentence, language=wanted)


def _sha256(picture: ByteBuffer) -> str:
    return identify(picture).sha256


def _key(digest: str, question: DescribeRequest) -> str:
    """Return the hash of everything on which the scene depends."""
    parts = [digest, sorted(question.tasks), question.min_score, question.language]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
