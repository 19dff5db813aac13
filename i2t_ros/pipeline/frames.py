"""Takes camera frames through three stages, several frames at once: prepare, infer, finish.

While the backend runs one frame, the next is prepared and the one before is finished, so that the
backend never waits for Python. One thread takes a frame through all stages, and runs the backend
for it or for a whole batch, so a frame in a quiet node never waits for a change of threads.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from i2t_ros.pipeline.scheduler import BackendAccess

logger = logging.getLogger(__name__)


class Stages(Protocol):
    """The work on a frame.

    The first three stages may raise; then the later ones are skipped and ``failed`` is called.
    """

    def prepare(self, camera: str, item: Any) -> Any:
        """Do the work that needs no backend; called for several frames at once."""

    def infer(self, works: Sequence[Any]) -> None:
        """Run the backend once, for one frame or for several that wait, at most ``batch``."""

    def finish(self, camera: str, item: Any, work: Any) -> None:
        """Do the rest; called for one frame at a time, in the order in which they were taken."""

    def failed(self, camera: str, error: Exception) -> None:
        """Report a frame that failed; called in the same order."""


@dataclass(slots=True)
class CameraCounters:
    """How many frames of one camera came, and what became of them.

    received   all frames: processed, dropped, failed, unwanted, limited, and those in progress
    processed  finished without an error
    dropped    replaced by a newer frame while the backend was busy
    failed     could not be used, or ended in an error
    cause      why the last frame failed; empty once one is processed
    partial    processed, although a task failed
    missing    which tasks failed for the last frame, and why
    unwanted   skipped because nobody subscribed to the results
    limited    skipped to keep to a rate
    latencies  seconds from offer() to the end of the work, for the last processed frames
    """

    received: int = 0
    processed: int = 0
    dropped: int = 0
    failed: int = 0
    cause: str = ""
    partial: int = 0
    missing: str = ""
    unwanted: int = 0
    limited: int = 0
    latencies: deque[float] = field(default_factory=lambda: deque(maxlen=256))


@dataclass(slots=True, eq=False)
class _Frame:
    camera: str
    item: Any
    offered_at: float
    work: Any = field(init=False)
    error: Exception | None = None
    inferred: bool = False


class FrameLine:
    """Takes the newest frame of each camera through the stages.

    Frames never pile up: each camera has one slot. A newer frame replaces the frame that waits
    there, which is counted as dropped. The camera that has waited longest is next. Only one frame
    (at most ``batch``) is prepared ahead of the backend: more would be old when their turn comes.

    Heavy frames, which take long to prepare, are prepared one after the other in a thread of their
    own, and only then take their place in the line, so they hold up no other camera.
    """

    def __init__(
        self,
        stages: Stages,
        access: BackendAccess,
        *,
        batch: int = 1,
        in_work: Callable[[], int | None] = lambda: None,
    ) -> None:
        """Start without cameras and threads; a new camera starts the threads that it needs.

        batch    how many frames one call of ``infer`` takes at most
        in_work  returns how many frames may be in progress at once; None: as many as keep the
                 backend busy. Fewer are better if something else takes longest. It is called with
                 a lock held, and must not raise.
        """
        self._stages = stages
        self._access = access
        self._batch = batch
        self._in_work = in_work
        # A condition for each thing to wait for, so that few threads wake up for nothing.
        self._lock = threading.Lock()
        self._may_take = threading.Condition(self._lock)
        self._was_inferred = threading.Condition(self._lock)
        self._was_finished = threading.Condition(self._lock)
        self._may_take_heavy = threading.Condition(self._lock)
        self._slots: dict[str, _Frame] = {}
        self._heavy_slots: dict[str, _Frame] = {}
        self._heavy_frame: _Frame | None = None  # the one that is being prepared
        self._heavy_begun = False  # whether they have their thread
        self._in_progress: deque[_Frame] = deque()  # in the order in which they were taken
        self._prepared: deque[_Frame] = deque()
        self._ahead = 0  # taken, and not yet at the backend
        self._leaders = 0  # threads that wait for the backend, or are about to
        self._closing = False
        self._threads: list[threading.Thread] = []
        self._started = 0  # of them those that take frames that are not heavy
        self.cameras: dict[str, CameraCounters] = {}

    def offer(self, camera: str, item: Any, *, heavy: bool = False) -> None:
        """Put the newest frame into its camera's slot, in place of one that still waits there.

        ``heavy``: it takes long to prepare.
        """
        with self._lock:
            if self._closing:
                return
            counters = self._counters_of(camera)
            counters.received += 1
            counters.dropped += camera in self._slots or camera in self._heavy_slots
            if self._heavy_frame is not None:  # behind it, or a camera's order would change
                heavy |= self._heavy_frame.camera == camera
            slots, others = self._slots, self._heavy_slots
            if heavy:
                slots, others = others, slots
                if not self._heavy_begun:
                    self._heavy_begun = True
                    self._start("heavy", self._run_heavy)
            others.pop(camera, None)
            # A camera whose frame is replaced keeps its place in the order of turns.
            slots[camera] = _Frame(camera, item, time.monotonic())
            (self._may_take_heavy if heavy else self._may_take).notify()

    def skip(self, camera: str, *, unwanted: int = 0, limited: int = 0) -> None:
        """Count a frame that is skipped, by its cause."""
        with self._lock:
            counters = self._counters_of(camera)
            counters.received += 1
            counters.unwanted += unwanted
            counters.limited += limited

    def idle(self) -> bool:
        """Return whether no frame waits or is in progress."""
        with self._lock:
            waiting = self._slots or self._heavy_slots or self._in_progress
            return not waiting and self._heavy_frame is None

    def remove(self, camera: str) -> bool:
        """Forget a camera that has left, its counters and its waiting frame.

        Returns False and keeps the counters while one of its frames is in progress; call it again.
        """
        with self._lock:
            self._slots.pop(camera, None)
            self._heavy_slots.pop(camera, None)
            at_work = [self._heavy_frame, *self._in_progress]
            if any(frame is not None and frame.camera == camera for frame in at_work):
                return False
            self.cameras.pop(camera, None)
            return True

    def close(self, timeout: float = 10.0) -> bool:
        """Drop waiting frames and let the others finish; return whether they did in time.

        ``timeout`` is in seconds. May be called more than once.
        """
        end = time.monotonic() + timeout
        with self._lock:
            self._closing = True
            self._slots.clear()
            self._heavy_slots.clear()
            self._may_take.notify_all()
            self._may_take_heavy.notify_all()
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def _counters_of(self, camera: str) -> CameraCounters:
        """Return a camera's counters; for a new camera, also start the threads that it needs."""
        if camera not in self.cameras:
            self.cameras[camera] = CameraCounters()
            # Frames at the backend, frames prepared for it, and one that is being finished.
            count = self._prepare_limit() * (self._access.concurrency + 1) + 1
            for number in range(self._started, count):
                self._start(str(number), self._run)
            self._started = max(self._started, count)
        return self.cameras[camera]

    def _start(self, name: str, run: Callable[[], None]) -> None:
        self._threads.append(threading.Thread(target=run, name=f"i2t-frames-{name}", daemon=True))
        self._threads[-1].start()

    def _prepare_limit(self) -> int:
        """Return how many frames may be prepared ahead: a second one of a camera would be old."""
        return min(self._batch, len(self.cameras))

    def _run(self) -> None:
        while (frame := self._take()) is not None:
            try:
                frame.work = self._stages.prepare(frame.camera, frame.item)
            except Exception as error:
                frame.error = error
                with self._lock:
                    self._ahead -= 1
                    self._wake_taker()
            else:
                self._run_backend(frame)
            self._finish(frame)

    def _run_heavy(self) -> None:
        while (frame := self._take_heavy()) is not None:
            try:
                frame.work = self._stages.prepare(frame.camera, frame.item)
            except Exception as error:
                frame.error = error
            with self._lock:
                self._heavy_frame = None
                self._in_progress.append(frame)
                self._ahead += frame.error is None
            if frame.error is None:
                self._run_backend(frame)
            self._finish(frame)

    def _take_heavy(self) -> _Frame | None:
        """Wait for the next heavy frame to work on; return None when closing."""
        with self._lock:
            self._may_take_heavy.wait_for(lambda: self._closing or self._heavy_slots)
            if self._closing:
                return None
            self._heavy_frame = self._heavy_slots.pop(next(iter(self._heavy_slots)))
            return self._heavy_frame

    def _take(self) -> _Frame | None:
        """Wait for the next frame to work on; return None when closing."""
        with self._lock:
            self._may_take.wait_for(lambda: self._closing or self._has_next())
            if self._closing:
                return None
            # Dictionaries keep insertion order, so the camera that has waited longest is first.
            frame = self._slots.pop(next(iter(self._slots)))
            self._in_progress.append(frame)
            self._ahead += 1
            self._wake_taker()
            return frame

    def _has_next(self) -> bool:
        """Return whether a waiting frame may be taken now."""
        limit = self._in_work()
        has_room = limit is None or len(self._in_progress) < limit
        return bool(self._slots) and self._ahead < self._prepare_limit() and has_room

    def _wake_taker(self) -> None:
        if self._has_next():
            self._may_take.notify()

    def _run_backend(self, frame: _Frame) -> None:
        """Return when the backend has run the frame.

        One thread, the leader, waits for the backend and takes along all frames that are prepared
        by then, up to a batch. The other threads wait for the leader, not for the backend: when
        their turn came, nothing would be left to do, and their finished frames would be late.
        """
        with self._lock:
            self._prepared.append(frame)
            leads = self._leaders * self._batch < len(self._prepared)
            self._leaders += leads
        if leads:
            with self._access.turn(urgent=False):
                self._infer_next()
        with self._lock:
            self._was_inferred.wait_for(lambda: frame.inferred)

    def _infer_next(self) -> None:
        with self._lock:
            count = min(self._batch, len(self._prepared))
            frames = [self._prepared.popleft() for _ in range(count)]
            self._ahead -= count
            self._leaders -= 1
            self._wake_taker()
        error = None
        try:
            self._stages.infer([frame.work for frame in frames])
        except Exception as problem:
            error = problem
        with self._lock:
            for frame in frames:
                frame.error, frame.inferred = error, True
            self._was_inferred.notify_all()

    def _finish(self, frame: _Frame) -> None:
        """Wait until all frames taken earlier are finished, then finish this one."""
        with self._lock:
            self._was_finished.wait_for(lambda: self._in_progress[0] is frame)
        counters = self.cameras[frame.camera]
        try:
            if frame.error is not None:
                raise frame.error
            self._stages.finish(frame.camera, frame.item, frame.work)
            counters.processed += 1
            counters.cause = ""
            counters.latencies.append(time.monotonic() - frame.offered_at)
        except Exception as error:
            counters.failed += 1
            counters.cause = str(error) or repr(error)
            try:
                self._stages.failed(frame.camera, error)
            except Exception:  # the thread is still needed for other frames
                logger.exception("camera %s: cannot report a failed frame", frame.camera)
        finally:
            with self._lock:
                self._in_progress.popleft()
                self._was_finished.notify_all()
                self._wake_taker()
