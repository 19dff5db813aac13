"""One task on a thread of its own, which loads the engine when it is first needed."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import suppress
from typing import TypeVar

from i2t_ros.errors import BackendUnavailableError, I2tError, InferenceError, NotActiveError
from i2t_ros.pipeline.tasks.base import TaskOptions, TaskRunner
from i2t_ros.types import Image, Scene, Task

logger = logging.getLogger(__name__)

RETRY_AFTER = 30.0
"""Seconds for which a task that could not be loaded is not tried again: a download that finds no
network takes as long as ten images."""

CLOSE_LIMIT = 10.0
"""Seconds that close() waits for an engine that is still at work."""

Opener = Callable[[], TaskRunner]
Result = TypeVar("Result")


class TaskWorker:
    """Runs one task, one image after the other.

    Each task has its own thread, so that several work on one image at once and each engine still
    has one user at a time. What waits is bounded by the callers: each waits for its own result.
    """

    def __init__(
        self, task: Task, opener: Opener, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Remember how to load the engine; nothing is loaded yet."""
        self.task = task
        self._opener = opener
        self._clock = clock
        self._runner: TaskRunner | None = None
        self._failure: tuple[Exception, float] | None = None
        self._closed = threading.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"i2t-{task}")

    @property
    def name(self) -> str:
        """The runner's name; "" until it is loaded."""
        return self._runner.name if self._runner else ""

    def prepare(self) -> TaskRunner:
        """Load the engine, if it is not loaded, and return it; raises what the opener raises."""
        return self._submit(self._open).result()

    def start(self, image: Image, options: TaskOptions) -> Future[Scene]:
        """Begin to work on an image; the future raises I2tError and nothing else."""
        return self._submit(lambda: self._run(image, options))

    def close(self) -> None:
        """Refuse what waits, release the engine when it is idle. May be called more than once."""
        if self._closed.is_set():
            return
        self._closed.set()
        released = self._thread.submit(self._release)
        self._thread.shutdown(wait=False)
        with suppress(FutureTimeoutError):
            released.result(CLOSE_LIMIT)

    def _submit(self, job: Callable[[], Result]) -> Future[Result]:
        try:
            return self._thread.submit(job)
        except RuntimeError as error:
            raise NotActiveError(f"task {self.task}: used after close()") from error

    def _run(self, image: Image, options: TaskOptions) -> Scene:
        runner = self._open()
        try:
            return runner.run(image, options)
        except I2tError:
            raise
        except Exception as error:  # one task must not spoil the others
            logger.exception("task %s failed", self.task)
            raise InferenceError(f"task {self.task} failed: {error!r}") from error

    def _open(self) -> TaskRunner:
        if self._closed.is_set():
            raise NotActiveError(f"task {self.task}: used after close()")
        if self._runner is None:
            self._check_not_just_failed()
            self._runner = self._load()
            level = logging.WARNING if self._runner.degraded else logging.INFO
            logger.log(level, "task %s: %s", self.task, self._runner.report)
        return self._runner

    def _load(self) -> TaskRunner:
        try:
            return self._opener()
        except Exception as error:
            failure = error
            if not isinstance(error, I2tError):
                logger.exception("task %s cannot be loaded", self.task)
                failure = BackendUnavailableError(f"task {self.task} cannot be loaded: {error!r}")
            self._failure = failure, self._clock()
            raise failure from error

    def _check_not_just_failed(self) -> None:
        if self._failure is not None:
            error, when = self._failure
            if self._clock() - when < RETRY_AFTER:
                raise error

    def _release(self) -> None:
        if self._runner is not None:
            self._runner.close()
