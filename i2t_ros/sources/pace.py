"""When the next image is due."""

import threading
import time
from collections.abc import Callable


class Pace:
    """Keeps a rate without drift.

    ``wait`` is for sources whose images are always ready. ``due`` is for live sources, whose
    images come when they come: it tells which of them to take.
    """

    def __init__(
        self, rate: float, stop: threading.Event, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Start now. ``rate`` is in Hz; 0: no limit."""
        self._period = 1 / rate if rate else 0.0
        self._stop = stop
        self._clock = clock
        self._next = clock()

    def wait(self) -> bool:
        """Wait until the next image is due; return False once ``stop`` is set.

        A caller that is late by more than a period does not catch up: counting starts again there.
        """
        now = self._clock()
        if now < self._next:
            self._stop.wait(self._next - now)
        else:
            self._next = max(self._next, now - self._period)
        self._next += self._period
        return not self._stop.is_set()

    def due(self) -> bool:
        """Return whether to take the image that has just come."""
        now = self._clock()
        # Up to half a period early counts as on time, so that a camera of the same rate, which is
        # never quite regular, loses no image.
        if now < self._next - self._period / 2:
            return False
        self._next = max(self._next, now - self._period) + self._period
        return True
