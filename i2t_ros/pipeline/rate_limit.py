"""Lets through so many a second, whatever the rate of what comes."""

import math

ROUNDING = 1e-6
"""What sums of floating-point numbers may lack of a whole one."""


class RateLimit:
    """A token bucket: the mean rate is kept, also where it does not divide the rate that comes.

    Of a camera with 30 images a second, a limit of 20 lets two of three through; a mere pause of
    1/20 s after each image would let every second one through.
    """

    def __init__(self, burst: float, tokens: float = 1.0) -> None:
        """Start with ``tokens``; ``burst`` of them are kept at most, 1 or more.

        With 2, nothing is lost to jitter. With fewer, the second that comes after a long silence
        waits; with 1, never less than 1 / rate seconds lie between two.
        """
        self._burst = burst
        self._tokens = tokens
        self._now = math.inf

    def allows(self, now: float, rate: float) -> bool:
        """Return whether one that comes ``now`` (seconds) keeps to ``rate`` Hz; 0: no limit."""
        if not rate:
            return True
        earned = max(0.0, now - self._now) * rate
        self._now = now
        self._tokens = min(self._burst, self._tokens + earned)
        if self._tokens < 1 - ROUNDING:
            return False
        self._tokens -= 1
        return True
