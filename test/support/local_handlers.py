"""Handlers that answer in this process: one calls a function, one gives a fixed answer."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from i2t_ros.errors import BusyError
from i2t_ros.types import (
    Answer,
    DescribeReply,
    DescribeRequest,
    Description,
    Detections,
    Picture,
    PictureHeader,
    Scene,
    Told,
)
from i2t_ros.vision.codecs import picture_format


def answered(reply: DescribeReply, answer: Answer, told: Told) -> DescribeReply:
    """Return a reply with an answer, of which ``told`` gets every word."""
    words = answer.text.split()
    for number in range(len(words)):
        told(" ".join(words[: number + 1]))
    return replace(reply, answer=answer)


def repeating(reply: DescribeReply) -> Answer:
    """Return the sentence of a reply as the answer to every question."""
    return Answer(reply.description.sentence, "fake-vlm", 0.5)


class LocalHandler:
    """Answers each request by calling ``function`` in one of its threads.

    The function may block; it raises I2tError if it cannot answer.
    """

    def __init__(
        self,
        function: Callable[[DescribeRequest], DescribeReply],
        workers: int = 1,
        max_waiting: int = 16,
        answer: Callable[[DescribeReply], Answer] = repeating,
    ) -> None:
        """Run at most ``workers`` calls at once, while at most ``max_waiting`` more wait.

        answer  returns the answer to the question of a request, of which it gets the reply
        """
        self._answer = answer
        self._function = function
        self._workers = workers
        self._max_waiting = max_waiting
        self._accepted = 0
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="describe")

    async def describe(self, request: DescribeRequest) -> DescribeReply:
        """Return the function's answer; raises BusyError if too many requests wait."""
        if self._accepted >= self._workers + self._max_waiting:
            raise BusyError(f"{self._max_waiting} requests are waiting already: try again later")
        self._accepted += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._pool, self._function, request)
        finally:
            self._accepted -= 1

    async def ask(self, request: DescribeRequest, told: Told) -> DescribeReply:
        """Answer a question about what the function returns."""
        reply = await self.describe(request)
        return answered(reply, self._answer(reply), told)

    def close(self) -> None:
        """Wait for running calls and drop waiting ones. May be called more than once."""
        self._pool.shutdown(wait=True, cancel_futures=True)


class FakeHandler:
    """Finds two people and a dog in every picture, and draws nothing.

    For tests, and for writing a client without a model.
    """

    SENTENCE = "Se detectaron los siguientes objetos: 2 personas y 1 perro."
    ANSWER = "The door is open."

    async def describe(self, request: DescribeRequest) -> DescribeReply:
        """Answer at once; the annotated picture is the one that was sent.

        Raises what picture_format raises; the rest of the bytes is not checked.
        """
        data = request.picture.data if request.picture else b""
        picture = Picture(data, PictureHeader(picture_format(data), 4, 4))
        found = Detections(
            boxes=np.array([[0, 0, 2, 4], [2, 0, 4, 4], [1, 2, 3, 4]], np.float32),
            scores=np.array([0.9, 0.8, 0.7], np.float32),
            class_ids=np.array([0, 0, 1], np.int32),
            labels=("person", "dog"),
        )
        description = Description(
            scene=Scene(4, 4, {"detect": found}),
            sentence=self.SENTENCE,
            language=request.language or "es",
            style=request.style or "list",
            model="fake",
            elapsed=0.0,
        )
        annotated = picture if request.annotate else None
        return DescribeReply(description, annotated)

    async def ask(self, request: DescribeRequest, told: Told) -> DescribeReply:
        """Answer every question in the same way."""
        return answered(await self.describe(request), Answer(self.ANSWER, "fake-vlm", 0.5), told)


class Recording(FakeHandler):
    """Keeps the requests."""

    def __init__(self):
        self.requests = []

    async def describe(self, request):
        self.requests.append(request)
        return await super().describe(request)


class Pondering(FakeHandler):
    """Tells what it is given in ``words``, and ends with an answer or with ``error``."""

    def __init__(self, error=None):
        self.asked = threading.Semaphore(0)
        self.cancelled = threading.Semaphore(0)
        self.error = error
        self.words = asyncio.Queue()

    async def ask(self, request, told):
        self.asked.release()
        try:
            while (word := await self.words.get()) is not None:
                told(word)
        except asyncio.CancelledError:
            self.cancelled.release()
            raise
        if self.error is not None:
            raise self.error
        return await super().ask(request, told)
