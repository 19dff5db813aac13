"""The asyncio loop that all listeners share, in a separate thread beside the ROS executor."""

import asyncio
import concurrent.futures
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from i2t_ros.errors import NotActiveError, TimeLimitError

T = TypeVar("T")

START_LIMIT = 5.0  # seconds


class LoopThread:
    """An asyncio loop in its own thread; other threads use ``post`` and ``call``."""

    def __init__(self, name: str = "i2t_bridges") -> None:
        self._name = name
        self._lock = threading.Lock()  # start and stop may come from different threads
        self._running: _Running | None = None

    def start(self) -> None:
        """Start the thread and return once the loop runs. Does nothing if it already runs.

        Raises TimeLimitError if that takes too long.
        """
        with self._lock:
            if self._running is None:
                self._running = _Running(self._name)

    def stop(self, time_limit: float = 10.0) -> None:
        """Cancel all tasks, end the loop and join the thread. May be called more than once.

        Raises TimeLimitError if a task ignores its cancellation, or blocks the loop, for longer
        than ``time_limit`` seconds; then the thread, a daemon, is left behind.
        """
        with self._lock:
            running, self._running = self._running, None
            if running is None:
                return
            running.loop.call_soon_threadsafe(running.end.set)
            running.thread.join(time_limit)
            if running.thread.is_alive():
                raise TimeLimitError(f"{self._name}: the loop did not end within {time_limit} s")

    def post(self, function: Callable[..., object], *args: object) -> None:
        """Have the loop call ``function`` soon, from any thread.

        Raises NotActiveError if the loop does not run.
        """
        try:
            self._now_running().loop.call_soon_threadsafe(function, *args)
        except RuntimeError:  # the loop was closed in between
            raise self._not_running() from None

    def call(self, coroutine: Coroutine[Any, Any, T], time_limit: float) -> T:
        """Run ``coroutine`` on the loop and wait for its result, from any other thread.

        Raises what the coroutine raises; NotActiveError if the loop does not run, or ends
        meanwhile; TimeLimitError after ``time_limit`` seconds, and then cancels the coroutine.
        """
        future = self._begin(coroutine)
        done, _ = concurrent.futures.wait([future], time_limit)
        if not done:
            future.cancel()
            raise TimeLimitError(f"{self._name}: a call took longer than {time_limit} s")
        if future.cancelled():
            raise self._not_running()
        return future.result()

    async def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run ``coroutine`` on this loop, and await it on another; a cancellation is passed on.

        Raises what the coroutine raises, and NotActiveError if the loop does not run.
        """
        return await asyncio.wrap_future(self._begin(coroutine))

    def _begin(self, coroutine: Coroutine[Any, Any, T]) -> "concurrent.futures.Future[T]":
        try:
            return asyncio.run_coroutine_threadsafe(coroutine, self._now_running().loop)
        except (NotActiveError, RuntimeError):
            coroutine.close()
            raise

    def _now_running(self) -> "_Running":
        if self._running is None:
            raise self._not_running()
        return self._running

    def _not_running(self) -> NotActiveError:
        return NotActiveError(f"{self._name}: the loop does not run")


class _Running:
    """A thread, the loop in it, and the event that ends both."""

    def __init__(self, name: str) -> None:
        ready = threading.Event()

        async def live() -> None:
            self.loop = asyncio.get_running_loop()
            self.end = asyncio.Event()
            ready.set()
            await self.end.wait()  # asyncio.run then cancels every other task and awaits it

        self.thread = threading.Thread(target=lambda: asyncio.run(live()), name=name, daemon=True)
        self.thread.start()
        if not ready.wait(START_LIMIT):
            raise TimeLimitError(f"{name}: the loop did not start within {START_LIMIT:g} s")
