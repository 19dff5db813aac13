"""Who may use the backend next, and the queue of requests, which go before camera frames."""

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future, InvalidStateError, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from i2t_ros.errors import BusyError, ImageError, NotActiveError, RequestError, TimeLimitError
from i2t_ros.vlm.stop import Stop

First = TypeVar("First")
Result = TypeVar("Result")


@dataclass(slots=True)
class RequestCounters:
    """What became of requests.

    served   answered
    refused  because the queue was full
    expired  waited or ran too long
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


@dataclass(slots=True, eq=False)
class _Request:
    """A request on its way; it is answered with an error at its deadline, time.monotonic()."""

    job: Callable[[], Any]
    heavy: bool
    deadline: float
    running: bool = False
    future: Future[Any] = field(default_factory=Future)


def chained(first: Future[First], then: Callable[[First], Future[Result]]) -> Future[Result]:
    """Return the future of what ``then`` begins with the result of ``first``.

    ``then`` runs in the thread that ends ``first``. Whatever goes wrong on the way, and a
    cancellation, is the future's exception.
    """
    last: Future[Result] = Future()

    def end(second: Future[Result]) -> None:
        try:
            last.set_result(second.result())
        except (Exception, CancelledError) as error:
            last.set_exception(error)

    def go_on(ended: Future[First]) -> None:
        try:
            then(ended.result()).add_done_callback(end)
        except (Exception, CancelledError) as error:
            last.set_exception(error)

    first.add_done_callback(go_on)
    return last


def finished(result: Result) -> Future[Result]:
    """Return a future that has its result."""
    future: Future[Result] = Future()
    future.set_result(result)
    return future


@contextmanager
def cancelled_by(stop: Stop | None, future: Future[Result]) -> Iterator[Future[Result]]:
    """Yield a future that ends as this one does, or is cancelled when ``stop`` is set.

    At the end of the block this one is cancelled, too, unless its work has begun.
    """
    either: Future[Result] = Future()

    def end(ended: Future[Result]) -> None:
        with suppress(InvalidStateError):  # it has been cancelled
            if ended.cancelled():
                either.cancel()
            elif error := ended.exception():
                either.set_exception(error)
            else:
                either.set_result(ended.result())

    future.add_done_callback(end)
    forget = (stop or Stop()).then(either.cancel)
    try:
        yield either
    finally:
        forget()
        future.cancel()


class RequestQueue:
    """Runs requests in a few threads, so that one is decoded while the backend works on another.

    A request holds ``BackendAccess.turn(urgent=True)`` only while the backend runs. The queue has a
    limit, and requests beyond it are refused.

    Heavy requests, with pictures that take long, have a line of their own. One thread never runs
    them, if there are two or more, and they fill at most half of the places where requests wait, so
    they stop nobody else. A single thread runs both. When both lines may go on, they take turns, so
    then a light request at the head of its line waits for one heavy request.

    Every request is answered in time, even if a job hangs, which keeps its thread.
    """

    def __init__(
        self,
        *,
        threads: int = 2,
        max_waiting: int = 16,
        max_wait: float = 10.0,
        max_run: float = math.inf,
    ) -> None:
        """Start the threads.

        ``max_waiting`` requests may wait in addition to those that run. A request is answered with
        an error when it has waited for ``max_wait`` seconds, or run for ``max_run``.
        """
        self._threads = threads
        self._most_heavy = max(1, threads - 1)
        self._capacity = threads + max_waiting
        self._heavy_capacity = self._most_heavy + max_waiting // 2
        self._max_wait = max_wait
        self._max_run = max_run
        self._changed = threading.Condition()
        self._waiting: dict[bool, deque[_Request]] = {False: deque(), True: deque()}  # heavy: line
        self._running = {False: 0, True: 0}
        self._heavy_first = False
        self._unanswered: set[_Request] = set()
        self._wakes_at = math.inf
        self._closed = False
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="i2t-requests")
        self._clock = threading.Thread(target=self._expire, name="i2t-time-limits", daemon=True)
        self.counters = RequestCounters()
        self._clock.start()

    def submit(
        self, job: Callable[[], Result], *, heavy: bool = False, stop: Stop | None = None
    ) -> Future[Result]:
        """Run ``job`` in one of the request threads; ``stop`` takes it back while it waits.

        Raises BusyError if the queue is full and NotActiveError after close(). The future raises
        TimeLimitError if the request waits or runs too long, and CancelledError if it is dropped.
        """
        request = _Request(job, heavy, time.monotonic() + self._max_wait)
        with self._changed:
            if self._closed:
                raise NotActiveError("shutting down: no more requests are accepted")
            places = {
                lane: len(self._waiting[lane]) + self._running[lane] for lane in (False, True)
            }
            if heavy and places[True] >= self._heavy_capacity:
                self._refuse(f"{self._heavy_capacity} requests with large pictures")
            if sum(places.values()) >= self._capacity:
                self._refuse(f"{self._capacity} requests")
            self._waiting[heavy].append(request)
            self._unanswered.add(request)
            self._start_next()
            if request.deadline < self._wakes_at:
                self._changed.notify_all()
        if stop is not None:
            stop.then(partial(self._take_back, request))
        return request.future

    def close(self, timeout: float = 10.0) -> bool:
        """Drop waiting requests and let running ones finish; return whether they did in time.

        ``timeout`` is in seconds. May be called more than once.
        """
        with self._changed:
            self._closed = True
            dropped = [request for line in self._waiting.values() for request in line]
            self._unanswered.difference_update(dropped)
            for line in self._waiting.values():
                line.clear()
            self._changed.notify_all()
        for request in dropped:
            request.future.cancel()
        with self._changed:
            if not self._changed.wait_for(lambda: not any(self._running.values()), timeout):
                self._pool.shutdown(wait=False)
                return False
        self._clock.join()
        self._pool.shutdown()  # also waits for the callbacks of the requests' futures
        return True

    def _take_back(self, request: _Request) -> None:
        with self._changed:
            if request.running or request not in self._unanswered:
                return
            self._unanswered.discard(request)
            self._waiting[request.heavy].remove(request)
        request.future.cancel()

    def _refuse(self, what: str) -> None:
        self.counters.refused += 1
        raise BusyError(
            f"busy: {what} are waiting or running, which is the limit; try again in a moment"
        )

    def _start_next(self) -> None:
        """Start what may run now; the lock is held."""
        while sum(self._running.values()) < self._threads:
            may_run = {
                False: bool(self._waiting[False]),
                True: bool(self._waiting[True]) and self._running[True] < self._most_heavy,
            }
            if not any(may_run.values()):
                return
            heavy = self._heavy_first if all(may_run.values()) else may_run[True]
            self._heavy_first = not heavy
            request = self._waiting[heavy].popleft()
            request.running, request.deadline = True, time.monotonic() + self._max_run
            self._running[heavy] += 1
            self._pool.submit(self._run, request)

    def _run(self, request: _Request) -> None:
        result, error = None, None
        try:
            result = request.job()
        except BaseException as problem:
            error = problem
        with self._changed:
            self._running[request.heavy] -= 1
            in_time = request in self._unanswered
            self._unanswered.discard(request)
            if in_time and error is None:
                self.counters.served += 1
            elif in_time and not isinstance(error, (ImageError, RequestError)):
                self.counters.failed += 1
                self.counters.cause = str(error) or repr(error)
            self._start_next()
            if self._closed:
                self._changed.notify_all()
        if in_time and error is None:
            request.future.set_result(result)
        elif in_time:
            request.future.set_exception(error)
        error = None  # its traceback has this frame

    def _expire(self) -> None:
        """Answer requests whose time is over; sleeps until the next one's is."""
        while True:
            with self._changed:
                now = time.monotonic()
                late = [request for request in self._unanswered if request.deadline <= now]
                for request in late:
                    self._unanswered.discard(request)
                    if not request.running:
                        self._waiting[request.heavy].remove(request)
                self.counters.expired += len(late)
                if not late:
                    if self._closed:
                        return
                    self._wakes_at = min(
                        (one.deadline for one in self._unanswered), default=math.inf
                    )
                    self._changed.wait(None if self._wakes_at == math.inf else self._wakes_at - now)
            for request in late:
                error = TimeLimitError(
                    f"the request ran longer than {self._max_run:g} s; does the backend hang?"
                    if request.running
                    else f"the request waited longer than {self._max_wait:g} s for its turn; "
                    "this machine cannot keep up with the requests"
                )
                request.future.set_exception(error)
            late.clear()  # while it sleeps, nobody needs their pictures
