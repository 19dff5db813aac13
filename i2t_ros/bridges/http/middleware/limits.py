"""What one caller may cost: requests a second, bytes and seconds of a body."""

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


def limited(receive: Receive, limits: HttpLimits) -> Receive:
    """Return the ``receive`` of one request, with limits on the bytes and seconds of its body.

    It raises HttpProblem for what is too much or too slow.
    """
    total, deadline, complete = 0, math.inf, False

    async def receive_in_time() -> Message:
        nonlocal total, deadline, complete
        if complete:  # what follows is the client's leaving, and has no deadline
            return await receive()
        now = time.monotonic()
        deadline = min(deadline, now + limits.receive_time)
        patience = min(limits.idle_time, deadline - now)
        try:
            message = await asyncio.wait_for(receive(), max(0.0, patience))
        except asyncio.TimeoutError:
            raise HttpProblem(
                408,
                f"expected the body within {limits.receive_time:g} s, and some of it every "
                f"{limits.idle_time:g} s",
                headers={"connection": "close"},
            ) from None
        total += len(message.get("body", b""))
        complete = not message.get("more_body", False)
        if total > limits.max_body_bytes:
            raise too_large(limits, "more")
        return message

    return receive_in_time


def too_large(limits: HttpLimits, got: str) -> HttpProblem:
    """Return the refusal of a body."""
    return HttpProblem(413, f"expected a body of at most {limits.max_body_bytes} bytes, got {got}")
