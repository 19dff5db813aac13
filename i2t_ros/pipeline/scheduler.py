"""Who may use the backend next, and the queue of requests, which go before camera frames."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from i2t_ros.errors import BusyError, ImageError, NotActiveError, RequestError, TimeLimitError

Result = TypeVar("Result")


@dataclass(slots=True)
class RequestCounters:
    """What became of requests.

    served   answered
    refused  because the queue was full
    expired  waited too long
    failed   for a reason that is neither in their picture nor in what they ask for
    cause    of the last one that failed
    """

    served: int = 0
    refused: int = 0
    expired: int = 0
    failed: int = 0
    cause: str = ""


class BackendAccess:
    """Gives threads turns at a backend, to at most ``concurrency`` threads at once.

    A waiting request goes before a waiting frame, so an endless series of requests starves frames.
    """

    def __init__(self, concurrency: int = 1) -> None:
        self.concurrency = concurrency
        self._condition = threading.Condition()
        self._free = concurrency
        self._urgent_waiting = 0

    @contextmanager
    def turn(self, urgent: bool) -> Iterator[None]:
        """Wait for a turn and hold it; urgent turns (requests) go before the others (frames)."""
        with self._condition:
            self._urgent_waiting += urgent
            self._condition.wait_for(lambda: self._free and (urgent or not self._urgent_waiting))
            self._urgent_waiting -= urgent
            self._free -= 1
            if self._free:  # wake a frame that let this request go first
                self._condition.notify_all()
        try:
            yield
        finally:
            with self._condition:
                self._free += 1
                self._condition.notify_all()


class RequestQueue:
    """Runs requests in a few threads, so that one is decoded while the backend works on another.

    A request holds ``BackendAccess.turn(urgent=True)`` only while the backend runs. The queue has a
    limit, and requests beyond it are refused.
    """

    def __init__(self, *, threads: int = 2, max_waiting: int = 16, max_wait: float = 10.0) -> None:
        """Start the threads.

        ``max_waiting`` requests may wait in addition to those that run. A request that has waited
        longer than ``max_wait`` seconds is refused when its turn comes.
        """
        self._capacity = threads + max_waiting
        self._max_wait = max_wait
        self._lock = threading.Lock()
        self._pending: set[Future[Any]] = set()
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="i2t-requests")
        self.counters = RequestCounters()

    def submit(self, job: Callable[[], Result]) -> Future[Result]:
        """Run ``job`` in one of the request threads.

        Raises BusyError if the queue is full and NotActiveError after close(). The future raises
        TimeLimitError if the request waited too long.
        """
        deadline = time.monotonic() + self._max_wait
        with self._lock:
            if len(self._pending) >= self._capacity:
                self.counters.refused += 1
                raise BusyError(
                    f"busy: {self._capacity} requests are waiting or running, which is the limit; "
                    "try again in a moment"
                )
            try:
                future = self._pool.submit(self._run_request, job, deadline)
            except RuntimeError as error:  # the pool has been shut down
                raise NotActiveError("shutting down: no more requests are accepted") from error
            self._pending.add(future)
        future.add_done_callback(self._pending.discard)
        return future

    def close(self, timeout: float = 10.0) -> bool:
        """Drop waiting requests and let running ones finish; return whether they did in time.

        ``timeout`` is in seconds. May be called more than once.
        """
        self._pool.shutdown(wait=False, cancel_futures=True)
        if wait(list(self._pending), timeout).not_done:
            return False
        self._pool.shutdown()  # also waits for the callbacks of the requests' futures
        return True

    def _run_request(self, job: Callable[[], Result], deadline: float) -> Result:
        if time.monotonic() > deadline:
            with self._lock:
                self.counters.expired += 1
            raise TimeLimitError(
                f"the request waited longer than {self._max_wait:g} s for its turn; "
                "this machine cannot keep up with the requests"
            )
        try:
            result = job()
        except (ImageError, RequestError):
            raise
        except Exception as error:
            with self._lock:
                self.counters.failed += 1
                self.counters.cause = str(error) or repr(error)
            raise
        with self._lock:
            self.counters.served += 1
        return result
