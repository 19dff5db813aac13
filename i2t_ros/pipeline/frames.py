"""The way of cameras' frames: prepare, engine, finish, for several frames at once, in order.

While the engine is busy with one frame the next is prepared and the one before is finished, so that
the engine never waits for Python. One thread prepares and finishes a frame, and runs the engine for
it, or for all frames of a batch: in a quiet node no frame pays for a change of threads.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from i2t_ros.pipeline.scheduler import Engine

logger = logging.getLogger(__name__)

Item = TypeVar("Item")
Work = TypeVar("Work")
Item_contra = TypeVar("Item_contra", contravariant=True)


class Stages(Protocol[Item_contra, Work]):
    """What is done with a frame.

    The first three may raise; then the frame's later stages are left out and ``failed`` is called.
    """

    def prepare(self, camera: str, item: Item_contra) -> Work:
        """Do what can be done before the engine is free; several frames at once."""
        ...

    def infer(self, works: Sequence[Work]) -> None:
        """Run the engine once, for one frame or, up to ``batch``, for several that wait."""
        ...

    def finish(self, camera: str, item: Item_contra, work: Work) -> None:
        """Do the rest; one frame at a time, in the order in which they were taken up."""
        ...

    def failed(self, camera: str, error: Exception) -> None:
        """Tell of a frame that could not be worked on, in that same order."""
        ...


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


@dataclass(slots=True, eq=False)
class _Frame(Generic[Item, Work]):
    """A frame in progress; ``number`` is its place in the order."""

    camera: str
    item: Item
    offered: float
    number: int
    work: Work | None = None
    error: Exception | None = None
    inferred: bool = False


class FrameLine(Generic[Item, Work]):
    """Takes the newest frame of each camera through the stages.

    Frames never pile up: each camera has one slot, a newer frame replaces the one that waits there
    and is counted. The camera that has waited longest is next. Only one frame (with ``batch``, so
    many) is prepared ahead of the engine: more would be old when it is their turn.
    """

    def __init__(
        self,
        stages: Stages[Item, Work],
        engine: Engine,
        *,
        batch: int = 1,
        in_work: Callable[[], int | None] = lambda: None,
    ) -> None:
        """Start without cameras; each one that comes brings the threads that its frames need.

        batch    how many frames one call of ``infer`` takes at most
        in_work  says how many frames may be in progress at once; None: as many as keep the engine
                 busy. Fewer are better if something other than the engine takes longest. It is
                 called with a lock held, and must not raise.
        """
        self._stages = stages
        self._engine = engine
        self._batch = batch
        self._in_work = in_work
        # One lock, and a condition for each thing to wait for, so that few threads wake in vain.
        self._lock = threading.Lock()
        self._may_take = threading.Condition(self._lock)
        self._was_inferred = threading.Condition(self._lock)
        self._was_finished = threading.Condition(self._lock)
        self._slots: dict[str, tuple[Item, float]] = {}
        self._prepared: deque[_Frame[Item, Work]] = deque()
        self._ahead = 0  # taken up, and not yet in the engine
        self._leaders = 0  # threads that wait for the engine, or are about to
        self._taken = self._finished = 0
        self._in_progress: list[str] = []  # the camera of each frame taken and not yet finished
        self._closing = False
        self._threads: list[threading.Thread] = []
        self.cameras: dict[str, CameraCounters] = {}

    def offer(self, camera: str, item: Item) -> None:
        """Put a camera's newest frame into its slot, in place of one that still waits there."""
        with self._lock:
            if self._closing:
                return
            counters = self._counters_of(camera)
            counters.received += 1
            counters.dropped += camera in self._slots
            # A camera whose frame is replaced keeps its place in the order of turns.
            self._slots[camera] = item, time.monotonic()
            self._may_take.notify()

    def skip(self, camera: str, *, unwanted: int = 0, limited: int = 0) -> None:
        """Count a frame that is left out, by cause."""
        with self._lock:
            counters = self._counters_of(camera)
            counters.received += 1
            counters.unwanted += unwanted
            counters.limited += limited

    def remove(self, camera: str) -> bool:
        """Forget a camera whose frames come no more, with its counters and the frame that waits.

        Returns False, and keeps the counters, while a frame of it is in progress: call it again.
        """
        with self._lock:
            self._slots.pop(camera, None)
            if camera in self._in_progress:
                return False
            self.cameras.pop(camera, None)
            return True

    def close(self, timeout: float = 10.0) -> bool:
        """Drop what waits, let what runs finish; return whether it did within ``timeout`` seconds.

        May be called more than once.
        """
        end = time.monotonic() + timeout
        with self._lock:
            self._closing = True
            self._slots.clear()
            self._may_take.notify_all()
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def _counters_of(self, camera: str) -> CameraCounters:
        """Return a camera's counters; those of a new one are made, and the threads it needs."""
        if camera not in self.cameras:
            self.cameras[camera] = CameraCounters()
            # So many are in the engine, so many prepared for it, and one is being finished.
            count = self._together() * (self._engine.places + 1) + 1
            for number in range(len(self._threads), count):
                name = f"i2t-frames-{number}"
                self._threads.append(threading.Thread(target=self._run, name=name, daemon=True))
                self._threads[-1].start()
        return self.cameras[camera]

    def _together(self) -> int:
        """Return how many frames may be prepared ahead of the engine.

        Two of one camera would only make the second of them old.
        """
        return min(self._batch, len(self.cameras))

    def _run(self) -> None:
        while (frame := self._take()) is not None:
            try:
                frame.work = self._stages.prepare(frame.camera, frame.item)
            except Exception as error:
                frame.error = error
                self._leave_out(frame)
            else:
                self._through_the_engine(frame)
            self._in_order(frame)

    def _take(self) -> _Frame[Item, Work] | None:
        """Wait for a frame that may be taken up; None at the end."""
        with self._lock:
            self._may_take.wait_for(lambda: self._closing or self._has_next())
            if self._closing:
                return None
            # Dictionaries keep insertion order, so the camera that has waited longest is first.
            camera = next(iter(self._slots))
            item, offered = self._slots.pop(camera)
            frame: _Frame[Item, Work] = _Frame(camera, item, offered, self._taken)
            self._taken += 1
            self._in_progress.append(camera)
            self._ahead += 1
            self._wake_taker()
            return frame

    def _has_next(self) -> bool:
        """Return whether a frame waits that may be taken up."""
        limit = self._in_work()
        has_room = limit is None or self._taken - self._finished < limit
        return bool(self._slots) and self._ahead < self._together() and has_room

    def _wake_taker(self) -> None:
        if self._has_next():
            self._may_take.notify()

    def _leave_out(self, frame: _Frame[Item, Work]) -> None:
        with self._lock:
            self._ahead -= 1
            self._wake_taker()

    def _through_the_engine(self, frame: _Frame[Item, Work]) -> None:
        """Return when the engine has seen the frame.

        One thread waits for the engine and takes along all that is prepared by then, up to a batch.
        The others wait for it, and not for the engine: they would get it when there is nothing left
        to do, and hold up their finished frames until then.
        """
        with self._lock:
            self._prepared.append(frame)
            leads = self._leaders * self._batch < len(self._prepared)
            self._leaders += leads
        if leads:
            with self._engine.turn(urgent=False):
                self._infer(self._next_batch())
        with self._lock:
            self._was_inferred.wait_for(lambda: frame.inferred)

    def _next_batch(self) -> list[_Frame[Item, Work]]:
        with self._lock:
            count = min(self._batch, len(self._prepared))
            frames = [self._prepared.popleft() for _ in range(count)]
            self._ahead -= count
            self._leaders -= 1
            self._wake_taker()
            return frames

    def _infer(self, frames: Sequence[_Frame[Item, Work]]) -> None:
        try:
            self._stages.infer([frame.work for frame in frames if frame.work is not None])
        except Exception as error:
            for frame in frames:
                frame.error = error
        with self._lock:
            for frame in frames:
                frame.inferred = True
            self._was_inferred.notify_all()

    def _in_order(self, frame: _Frame[Item, Work]) -> None:
        """Finish a frame once all that were taken up before it are finished, and count it."""
        with self._lock:
            self._was_finished.wait_for(lambda: self._finished == frame.number)
        try:
            self._finish(frame)
        finally:
            with self._lock:
                self._finished += 1
                self._in_progress.remove(frame.camera)
                self._was_finished.notify_all()
                self._wake_taker()

    def _finish(self, frame: _Frame[Item, Work]) -> None:
        counters = self.cameras[frame.camera]
        if frame.error is None and frame.work is not None:
            try:
                self._stages.finish(frame.camera, frame.item, frame.work)
            except Exception as error:
                frame.error = error
        if frame.error is None:
            counters.processed += 1
            counters.latencies.append(time.monotonic() - frame.offered)
        else:
            counters.failed += 1
            try:
                self._stages.failed(frame.camera, frame.error)
            except Exception:  # this thread has other frames to carry
                logger.exception("camera %s: a failure could not be told", frame.camera)
