"""What one caller may cost: requests a second, bytes and seconds of a body."""

from __future__ import annotations

import asyncio
import math
import time
from collections import OrderedDict
from collections.abc import Callable

from starlette.types import Message, Receive

from i2t_ros.bridges.http.problems import HttpProblem
from i2t_ros.bridges.http.settings import HttpLimits

MAX_ADDRESSES = 4096  # whose rates are remembered; the longest silent are forgotten first


class RateLimit:
    """A token bucket for each address."""

    def __init__(
        self, rate: float, *, burst: float = 0.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Allow ``rate`` events a second (0: any number), ``burst`` at once (0: twice the rate)."""
        self._rate = rate
        self._burst = max(1.0, burst or 2 * rate)
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def allow(self, address: str) -> bool:
        """Count one event; return whether it is within the limit."""
        if not self._rate:
            return True
        now = self._clock()
        tokens, last = self._buckets.pop(address, (self._burst, now))
        tokens = min(self._burst, tokens + (now - last) * self._rate)
        allowed = tokens >= 1
        self._buckets[address] = (tokens - 1 if allowed else tokens), now
        if len(self._buckets) > MAX_ADDRESSES:
            self._buckets.popitem(last=False)
        return allowed


class Body:
    """The body of one request, with limits on its bytes and seconds."""

    def __init__(self, receive: Receive, limits: HttpLimits) -> None:
        """Read through ``receive``."""
        self._receive = receive
        self._limits = limits
        self._bytes = 0
        self._deadline = math.inf
        self._complete = False

    async def receive(self) -> Message:
        """Return the next message; raises HttpProblem for what is too much or too slow."""
        if self._complete:  # what follows is the client's leaving, and has no deadline
            return await self._receive()
        now = time.monotonic()
        self._deadline = min(self._deadline, now + self._limits.receive_time)
        patience = min(self._limits.idle_time, self._deadline - now)
        try:
            message = await asyncio.wait_for(self._receive(), max(0.0, patience))
        except asyncio.TimeoutError:
            raise HttpProblem(
                408,
                f"expected the body within {self._limits.receive_time:g} s, and some of it every "
                f"{self._limits.idle_time:g} s",
                headers={"connection": "close"},
            ) from None
        self._bytes += len(message.get("body", b""))
        self._complete = not message.get("more_body", False)
        if self._bytes > self._limits.max_body_bytes:
            raise too_large(self._limits, "more")
        return message


def too_large(limits: HttpLimits, got: str) -> HttpProblem:
    """Return the refusal of a body."""
    return HttpProblem(413, f"expected a body of at most {limits.max_body_bytes} bytes, got {got}")
