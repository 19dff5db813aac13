"""The signals that end a process, from its first moment to its last."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from i2t_ros.optional import interrupted

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PATIENCE = 10.0
"""Seconds for a process to end. Signals in this time are ignored: a terminal, systemd and ros2
launch each send their own, and a process killed while DDS closes leaves shared memory behind."""


def handle(handler: Callable[[int, FrameType | None], object] | signal.Handlers) -> None:
    """Give the signals this handler; SIGHUP stays ignored where nohup has started the process.

    SIGINT does not: a shell's script ignores it for what it runs in the background, but whoever
    sends it there means it.
    """
    for number in SIGNALS:
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, handler)


class Ending:
    """Remembers that a signal has come, and interrupts only what may be interrupted.

    KeyboardInterrupt alone does not do: code that other code calls back swallows it, and extension
    modules turn it into an ImportError; see optional.pass_on_interrupt. And it must not come while
    ROS makes a node or an executor: what is half made prints a traceback when it is deleted.
    """

    def __init__(self) -> None:
        self.came = False
        self._since = 0.0
        self._interrupts = False

    def handle(self) -> None:
        """Take the signals over. One that comes after PATIENCE kills the process."""
        handle(self._on_signal)

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Raise KeyboardInterrupt in the block once a signal comes, or at once if one has come.

        At the latest at the end of the block, if something in it has swallowed the interrupt. In
        another thread than the main one, which alone gets signals, nothing is done.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        try:
            self._interrupts = True
            self._interrupt_if_come()
            yield
        finally:
            self._interrupts = False
            interrupted.clear()
        self._interrupt_if_come()

    def _interrupt_if_come(self) -> None:
        if self.came:
            raise KeyboardInterrupt

    def _on_signal(self, number: int, _: FrameType | None) -> None:
        now = time.monotonic()
        if self.came and now - self._since > PATIENCE:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        if not self.came:
            self.came, self._since = True, now
        if self._interrupts:
            self._interrupts = False
            interrupted.set()
            raise KeyboardInterrupt
