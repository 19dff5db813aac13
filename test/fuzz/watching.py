"""What is looked at while hostile input runs: the loop, memory, the log, an innocent client."""

import asyncio
import contextlib
import logging
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator

from bounds import Bounds

BEAT = 0.01  # seconds
PAUSE = 0.05
"""Seconds between two requests of the innocent client."""


class Watch:
    """What has been seen so far.

    loop_delay  the longest, in seconds
    answer      the slowest of the innocent client, in seconds
    grown       bytes by which memory has grown
    troubles    what must not happen
    measure     returns by how many bytes memory has grown
    """

    def __init__(self, bounds: Bounds, *, busy_machine: bool) -> None:
        """Watch.

        A loop is late only as far as this process has computed meanwhile, and on a busy machine the
        loop itself: what other processes take is no fault of it.
        """
        self.loop_delay = self.answer = 0.0
        self.grown = 0
        self.troubles: list[str] = []
        self._before = resident_bytes()
        self._bounds = bounds
        self._busy_machine = busy_machine
        self.measure = self._own_growth

    def settle(self) -> None:
        """Measure memory from here on."""
        reset_peak()
        self._before = resident_bytes()
        self.grown = 0

    def _own_growth(self) -> int:
        return peak_bytes() - self._before

    def check(self, memory: int) -> None:
        """Raise AssertionError if something has gone wrong, once for each time."""
        self.grown = max(self.grown, self.measure())
        if self.grown > memory:
            self.troubles.append(f"memory grew by {self.grown >> 20} MB, bound {memory >> 20}")
            self.settle()
        troubles, self.troubles = self.troubles, []
        assert not troubles, "; ".join(troubles)

    @contextlib.contextmanager
    def log(self) -> Iterator[None]:
        """Take exceptions that are logged, or end a thread, as trouble."""
        handler = _Troubles(self)
        root, hooks = logging.getLogger(), (threading.excepthook, sys.unraisablehook)
        root.addHandler(handler)
        threading.excepthook = lambda args: self.troubles.append(
            f"a thread ended: {args.exc_value!r}"
        )
        sys.unraisablehook = lambda args: self.troubles.append(f"not raised: {args.exc_value!r}")
        try:
            yield
        finally:
            root.removeHandler(handler)
            threading.excepthook, sys.unraisablehook = hooks

    @contextlib.contextmanager
    def loop(self, loop) -> Iterator[None]:
        """Measure how late a LoopThread's loop is."""
        clock = time.thread_time if self._busy_machine else time.process_time

        async def beat():
            while True:
                due, computed = time.monotonic() + BEAT, clock()
                await asyncio.sleep(BEAT)
                late = min(time.monotonic() - due, clock() - computed)
                self.loop_delay = max(self.loop_delay, late)
                if late > self._bounds.loop_delay:
                    self.troubles.append(f"the loop was blocked for {late:.2f} s")

        async def begin():
            return asyncio.ensure_future(beat())

        async def end(task):
            task.cancel()

        task = loop.call(begin(), 10)
        try:
            yield
        finally:
            loop.call(end(task), 10)

    @contextlib.contextmanager
    def innocent(self, ask: Callable[[], None]) -> Iterator[None]:
        """Have somebody else ask again and again; ``ask`` raises if the answer is wrong."""
        over = threading.Event()

        def live():
            while not over.is_set():
                began = time.monotonic()
                try:
                    ask()
                except Exception as error:
                    self.troubles.append(f"the innocent client: {error!r}")
                took = time.monotonic() - began
                self.answer = max(self.answer, took)
                if took > self._bounds.answer:
                    self.troubles.append(f"the innocent client waited {took:.1f} s")
                over.wait(PAUSE)

        thread = threading.Thread(target=live, name="innocent")
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


class _Troubles(logging.Handler):
    def __init__(self, watch: Watch) -> None:
        super().__init__()
        self._watch = watch

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if record.exc_info or "Traceback" in text:
            cause = "".join(traceback.format_exception(*record.exc_info)) if record.exc_info else ""
            self._watch.troubles.append(f"in the log: {text[-500:]}\n{cause[-1000:]}")


def resident_bytes() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def peak_bytes() -> int:
    """Return the most that this process has had since reset_peak (proc(5), VmHWM)."""
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) << 10 for line in file if line.startswith("VmHWM"))


def reset_peak() -> None:
    """Begin anew with the peak; where that is not allowed, it is that of the whole process."""
    with contextlib.suppress(OSError), open("/proc/self/clear_refs", "w") as file:
        file.write("5")


@contextlib.contextmanager
def nothing_left() -> Iterator[None]:
    """Check that what runs inside leaves no thread and no open file."""
    before = _threads(), _files()
    yield
    end = time.monotonic() + 10
    pause = threading.Event()
    while _threads() - before[0] or len(_files()) > len(before[1]):
        assert time.monotonic() < end, f"left: {_threads() - before[0]}, {_files() - before[1]}"
        pause.wait(0.02)


def _threads() -> set[str]:
    return {f"{thread.name} {thread.ident}" for thread in threading.enumerate()}


def _files() -> set[str]:
    links = set()
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            links.add(os.readlink(f"/proc/self/fd/{name}"))
    return links
