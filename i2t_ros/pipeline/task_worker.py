"""A task's runner, loaded when it is first needed, and a thread for those that need one."""

import logging
import math
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import suppress
from typing import Any

from i2t_ros.errors import (
    BackendUnavailableError,
    I2tError,
    InferenceError,
    NotActiveError,
    TimeLimitError,
)
from i2t_ros.pipeline.tasks.base import Outcome, Runner
from i2t_ros.types import Image, TaskName

logger = logging.getLogger(__name__)

RETRY_AFTER = 30.0
"""Seconds for which a task that could not be loaded is not tried again: a download that finds no
network takes as long as ten images."""

CLOSE_LIMIT = 10.0
"""Seconds that close() waits for a runner that is still at work."""

Opener = Callable[[], Runner[Any]]


class TaskWorker:
    """Loads a task's runner when it is first asked for, once, and runs it in its own thread.

    The thread works on one image after the other, so several tasks work on one image at once, and
    each runner still has one user at a time. What waits is bounded by the callers: each waits for
    its own result. The thread starts with the first image.

    While the thread is at one image, or at loading, for longer than the time limit, and the one
    that the runner has itself, others are refused at once: each would wait as long for nothing.
    """

    def __init__(
        self,
        task: TaskName,
        opener: Opener,
        time_limit: float = math.inf,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Load nothing yet; ``time_limit`` is in seconds."""
        self._task = task
        self._opener = opener
        self._time_limit = time_limit
        self._busy_since = math.inf
        self._clock = clock
        self._lock = threading.Lock()
        self._runner: Runner[Any] | None = None
        self._failure: tuple[I2tError, float] | None = None
        self._closed = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"i2t-{task}")

    @property
    def name(self) -> str:
        """The runner's name; "" until it is loaded."""
        return self._runner.name if self._runner else ""

    @property
    def time_limit(self) -> float:
        """The seconds that the runner itself takes at most, if it says so; otherwise 0."""
        return float(getattr(self._runner, "time_limit", 0.0))

    def runner(self) -> Runner[Any]:
        """Return the runner, loaded, for use in the caller's thread.

        Raises what the opener raises, as an I2tError.
        """
        runner = self._runner  # without the lock: this is asked for with every image
        if runner is None or self._closed:
            with self._lock:
                runner = self._load()
        return runner

    def start(self, image: Image, options: Any, language: str) -> Future[Outcome]:
        """Begin to work on an image; the future raises I2tError and nothing else."""
        busy = self._clock() - self._busy_since
        if busy > self._time_limit + self.time_limit:
            late: Future[Outcome] = Future()
            late.set_exception(
                TimeLimitError(f"task {self._task}: at work on an earlier image for {busy:.0f} s")
            )
            return late
        try:
            return self._thread.submit(self._run, image, options, language)
        except RuntimeError as error:
            raise self._used_after_close() from error

    def stop(self) -> None:
        """End what takes seconds, if the runner can; it is of no more use then."""
        if stop := getattr(self._runner, "stop", None):
            stop()

    def close(self) -> None:
        """Refuse what waits, release the runner when it is idle. May be called more than once."""
        if self._closed:
            return
        self._closed = True
        self.stop()
        released = self._thread.submit(self._release)
        self._thread.shutdown(wait=False)
        with suppress(FutureTimeoutError):
            released.result(CLOSE_LIMIT)

    def _release(self) -> None:
        with self._lock:
            if self._runner is not None:
                self._runner.close()

    def _used_after_close(self) -> NotActiveError:
        return NotActiveError(f"task {self._task}: used after close()")

    def _load(self) -> Runner[Any]:
        if self._closed:
            raise self._used_after_close()
        if self._runner is None:
            if self._failure is not None and self._clock() - self._failure[1] < RETRY_AFTER:
                raise self._failure[0].with_traceback(None)  # which would keep every image
            try:
                self._runner = self._opener()
            except Exception as error:
                failure = self._with_code(error, "cannot be loaded", BackendUnavailableError)
                self._failure = failure, self._clock()
                raise failure from None
            level = logging.WARNING if self._runner.degraded else logging.INFO
            logger.log(level, "task %s: %s", self._task, self._runner.report)
        return self._runner

    def _with_code(self, error: Exception, what: str, kind: type[I2tError]) -> I2tError:
        """Return an error that has a code; one task must not spoil the others."""
        if isinstance(error, I2tError):
            return error
        logger.exception("task %s %s", self._task, what)
        return kind(f"task {self._task} {what}: {error!r}")

    def _run(self, image: Image, options: Any, language: str) -> Outcome:
        self._busy_since = self._clock()
        try:
            runner = self.runner()
            try:
                return runner.run(image, options, language)
            except Exception as error:
                raise self._with_code(error, "failed", InferenceError) from None
        finally:
            self._busy_since = math.inf
