"""Who uses the engine next, and the queue of requests, which go before cameras' frames."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from i2t_ros.errors import BusyError, NotActiveError, TimeLimitError

Result = TypeVar("Result")


@dataclass(slots=True)
class RequestCounters:
    """What became of the requests."""

    served: int = 0
    refused: int = 0
    expired: int = 0


class Engine:
    """The right to use the engine: at most ``places`` threads have it at once.

    A waiting request goes before a waiting frame, so requests that never stop keep frames waiting.
    """

    def __init__(self, places: int = 1) -> None:
        """Start free."""
        self.places = places
        self._condition = threading.Condition()
        self._free = places
        self._waiting = 0
        self._urgent_waiting = 0

    @property
    def waiting(self) -> int:
        """How many threads wait for their turn."""
        return self._waiting

    @contextmanager
    def turn(self, urgent: bool) -> Iterator[None]:
        """Wait for the engine and hold it; ``urgent`` (a request) goes before what is not."""
        with self._condition:
            self._waiting += 1
            self._urgent_waiting += urgent
            try:
                self._condition.wait_for(
                    lambda: self._free and (urgent or not self._urgent_waiting)
                )
            finally:
                self._waiting -= 1
                self._urgent_waiting -= urgent
            self._free -= 1
            if self._free:  # a frame may wait that stood back for this request
                self._condition.notify_all()
        try:
            yield
        finally:
            with self._condition:
                self._free += 1
                self._condition.notify_all()


class RequestQueue:
    """Runs requests in its own few threads, so that one decodes while another is computed.

    A request holds ``Engine.turn(urgent=True)`` around the engine call alone. Requests wait in a
    bounded queue and are refused if it is full.
    """

    def __init__(self, *, threads: int = 2, max_waiting: int = 16, max_wait: float = 10.0) -> None:
        """Start the threads.

        ``max_waiting`` requests may wait beside those that run. One that has waited longer than
        ``max_wait`` seconds is refused when its turn comes.
        """
        self._capacity = threads + max_waiting
        self._room = threading.BoundedSemaphore(self._capacity)
        self._max_wait = max_wait
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="i2t-requests")
        self.counters = RequestCounters()

    def submit(self, job: Callable[[], Result]) -> Future[Result]:
        """Run a request in a request thread.

        Raises BusyError if the queue is full and NotActiveError after close(). The future raises
        TimeLimitError if the request waited too long to be worth its work.
        """
        if not self._room.acquire(blocking=False):
            self._count(refused=1)
            raise BusyError(
                f"busy: {self._capacity} requests are waiting or running, which is the limit; "
                "try again in a moment"
            )
        deadline = time.monotonic() + self._max_wait
        try:
            future = self._pool.submit(self._run_request, job, deadline)
        except RuntimeError as error:  # the pool has been shut down
            self._room.release()
            raise NotActiveError("shutting down: no more requests are taken") from error
        future.add_done_callback(lambda _: self._room.release())
        return future

    def close(self, timeout: float = 10.0) -> bool:
        """Drop what waits, let what runs finish; return whether it did within ``timeout`` seconds.

        May be called more than once.
        """
        end = time.monotonic() + timeout
        self._pool.shutdown(wait=False, cancel_futures=True)
        # A request gives its place back when it ends, so with every place in hand none is running.
        taken = 0
        while taken < self._capacity and self._room.acquire(timeout=max(0, end - time.monotonic())):
            taken += 1
        if taken:
            self._room.release(taken)
        if taken < self._capacity:
            return False
        self._pool.shutdown()  # what a request's future calls when it is done has ended, too
        return True

    def _run_request(self, job: Callable[[], Result], deadline: float) -> Result:
        if time.monotonic() > deadline:
            self._count(expired=1)
            raise TimeLimitError(
                f"the request waited longer than {self._max_wait:g} s for its turn; "
                "the machine has more work than it can do"
            )
        result = job()
        self._count(served=1)
        return result

    def _count(self, *, served: int = 0, refused: int = 0, expired: int = 0) -> None:
        with self._lock:
            self.counters.served += served
            self.counters.refused += refused
            self.counters.expired += expired
