"""The time that passes for a camera, made of its frames' stamps."""

import time
from collections.abc import Callable

SMALL_STEP = 1.0
"""Seconds. Stamps that go back by less are frames in the wrong order or a jittery driver; by more,
a recording that starts over or a clock that was set back."""
LARGE_STEP = 60.0
"""Seconds. A stamp that is further ahead has to be confirmed by the next one: it may be wrong."""


class FrameClock:
    """Seconds of one camera, which never go back. Use it from one thread at a time.

    A stamp that is later than all before it moves the clock by their difference. Otherwise the
    clock goes by the arrival of the frames: for stamps that are equal or in the wrong order, for a
    single one that is far ahead, and from then on for a camera whose stamps come from two clocks.

    now  the time of the last frame; the first one's stamp is the origin
    """

    def __init__(self, arrival: Callable[[], float] = time.monotonic) -> None:
        """Start before the first frame; ``arrival`` returns the time of now, seconds."""
        self._arrival = arrival
        self.now = 0.0
        self._stamp: float | None = None  # the latest, which came at these two times
        self._stamp_now = self._stamp_arrived = 0.0
        self._ahead: float | None = None  # a stamp that is not confirmed yet
        self._left: float | None = None  # the last stamp before the stamps jumped back
        self._two_clocks = False

    def take(self, stamp: float) -> bool:
        """Take the stamp of the next frame, seconds; return whether the stamps have jumped back."""
        arrived = self._arrival()
        if self._stamp is None:
            self._follow(stamp, stamp, arrived)
            return False
        step, passed = stamp - self._stamp, arrived - self._stamp_arrived
        if self._left is not None and step > SMALL_STEP:
            self._two_clocks |= 0 < stamp - self._left <= SMALL_STEP
        in_line = 0 < step <= LARGE_STEP
        back = step < -SMALL_STEP
        confirmed = self._ahead is not None and 0 < stamp - self._ahead <= LARGE_STEP
        if self._two_clocks or not (in_line or back or confirmed):
            self._ahead = stamp if step > LARGE_STEP else self._ahead
            self.now = max(self.now, self._stamp_now + passed)
            return False
        if back:
            self._left = self._stamp
        self._follow(stamp, max(self.now, self._stamp_now + (step if in_line else passed)), arrived)
        return back

    def _follow(self, stamp: float, now: float, arrived: float) -> None:
        self._stamp, self._stamp_arrived, self._ahead = stamp, arrived, None
        self.now = self._stamp_now = now
