"""Who uses the engine next: the newest frame of each camera, and requests, which go first.

Frames never pile up: each camera has one slot, a newer frame replaces the one that waits there and
is counted. Requests wait in a bounded queue and are refused when it is full. Requests run in a few
threads of their own so that one decodes its picture while another has the engine; the engine
itself has so many places, often one, and a waiting request gets one before a waiting frame.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from i2t_ros.errors import BusyError, NotActiveError, TimeLimitError

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(slots=True)
class CameraCounters:
    """What became of the frames of one camera.

    received   all that came: the sum of the others and of those in hand
    processed  answered
    dropped    replaced by a newer one while the engine was busy
    failed     could not be used, or ended in an error
    unwanted   came while nobody listened to the results
    limited    left out to keep to a rate
    latencies  seconds from offer() to the end of the work, of the last frames processed
    """

    received: int = 0
    processed: int = 0
    dropped: int = 0
    failed: int = 0
    unwanted: int = 0
    limited: int = 0
    latencies: deque[float] = field(default_factory=lambda: deque(maxlen=256))


@dataclass(slots=True)
class RequestCounters:
    """What became of the requests."""

    served: int = 0
    refused: int = 0
    expired: int = 0


class Engine:
    """The right to use the engine: so many holders at a time, requests before frames."""

    def __init__(self, places: int = 1) -> None:
        """Start free."""
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
        try:
            yield
        finally:
            with self._condition:
                self._free += 1
                self._condition.notify_all()


class Scheduler(Generic[Item]):
    """Runs frames and requests.

    ``on_frame(camera, item)`` is called in the frame thread for each frame that is taken up, and a
    request in a request thread; both hold ``Engine.turn(...)`` around the engine call alone, so
    that decoding before it and drawing after it overlap with other work. An exception from
    ``on_frame`` is counted and handed to ``on_failure(camera, error)``; the next frame is taken.
    """

    def __init__(
        self,
        on_frame: Callable[[str, Item], None],
        on_failure: Callable[[str, Exception], None],
        *,
        request_threads: int = 2,
        max_waiting: int = 16,
        max_wait: float = 10.0,
    ) -> None:
        """Start the threads.

        ``max_waiting`` requests may wait beside those that run, each for ``max_wait`` seconds.
        """
        self.cameras: dict[str, CameraCounters] = {}
        self.requests = RequestCounters()
        self._on_frame = on_frame
        self._on_failure = on_failure
        self._max_wait = max_wait
        self._room = threading.BoundedSemaphore(request_threads + max_waiting)
        self._capacity = request_threads + max_waiting
        self._slots: dict[str, tuple[Item, float]] = {}
        self._changed = threading.Condition()
        self._closing = False
        self._pool = ThreadPoolExecutor(request_threads, thread_name_prefix="i2t-request")
        self._frames = threading.Thread(target=self._run_frames, name="i2t-frames", daemon=True)
        self._frames.start()

    def offer(self, camera: str, item: Item) -> None:
        """Put a camera's newest frame into its slot, in place of one that still waits there."""
        with self._changed:
            if self._closing:
                return
            counters = self.cameras.setdefault(camera, CameraCounters())
            counters.received += 1
            counters.dropped += camera in self._slots
            # A camera whose frame is replaced keeps its place in the order of turns.
            self._slots[camera] = item, time.monotonic()
            self._changed.notify()

    def skip(self, camera: str, *, unwanted: int = 0, limited: int = 0) -> None:
        """Count a frame that is left out, by cause."""
        with self._changed:
            counters = self.cameras.setdefault(camera, CameraCounters())
            counters.received += 1
            counters.unwanted += unwanted
            counters.limited += limited

    def submit(self, job: Callable[[], Result]) -> Future[Result]:
        """Run a request in a request thread.

        Raises BusyError where the queue is full and NotActiveError after close(). The future
        raises TimeLimitError where the request waited too long to be worth its work.
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
        with self._changed:
            self._closing = True
            self._slots.clear()
            self._changed.notify()
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._frames.join(timeout)
        # A request gives its place back when it ends, so with every place in hand none is running.
        taken = 0
        while taken < self._capacity and self._room.acquire(timeout=max(0, end - time.monotonic())):
            taken += 1
        if taken:
            self._room.release(taken)
        return taken == self._capacity and not self._frames.is_alive()

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
        with self._changed:
            self.requests.served += served
            self.requests.refused += refused
            self.requests.expired += expired

    def _run_frames(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._slots or self._closing)
                if self._closing:
                    return
                # Dictionaries keep insertion order, so the camera that has waited longest is first.
                camera = next(iter(self._slots))
                item, offered = self._slots.pop(camera)
            counters = self.cameras[camera]
            try:
                self._on_frame(camera, item)
            except Exception as error:
                counters.failed += 1
                self._on_failure(camera, error)
            else:
                counters.processed += 1
                counters.latencies.append(time.monotonic() - offered)
