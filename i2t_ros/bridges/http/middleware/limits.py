"""What one caller may cost: requests a second, bytes and seconds of a body."""

import asyncio
import math
import time
from collections import OrderedDict
from collections.abc import Callable

from starlette.types import Message, Receive

from i2t_ros.bridges.http.problems import HttpProblem
from i2t_ros.bridges.http.settings import HttpLimits
from i2t_ros.bridges.memory import Share
from i2t_ros.pipeline.rate_limit import RateLimit

MAX_ADDRESSES = 4096  # whose rates are remembered; the longest silent are forgotten first


class AddressLimits:
    """A limit on the rate of each address."""

    def __init__(self, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Allow ``rate`` events a second (0: any number), twice as many at once."""
        self._rate = rate
        self._clock = clock
        self._limits: OrderedDict[str, RateLimit] = OrderedDict()

    def allow(self, address: str) -> bool:
        """Count one event; return whether it is within the limit."""
        limit = self._limits.pop(address, None) or full_limit(2 * self._rate)
        self._limits[address] = limit
        if len(self._limits) > MAX_ADDRESSES:
            self._limits.popitem(last=False)
        return limit.allows(self._clock(), self._rate)


def full_limit(burst: float) -> RateLimit:
    """Return a limit that allows ``burst`` events at once, also at the beginning."""
    burst = max(1.0, burst)
    return RateLimit(burst, burst)


def limited(receive: Receive, limits: HttpLimits, share: Share) -> Receive:
    """Return the ``receive`` of one request, with limits on the bytes and seconds of its body.

    It raises HttpProblem for what is too much or too slow, and BusyError if the body has to give
    way to those of others; ``share`` counts its bytes.
    """
    deadline, complete = math.inf, False

    async def receive_in_time() -> Message:
        nonlocal deadline, complete
        if complete:  # what follows is the client's leaving, and has no deadline
            return await receive()
        now = time.monotonic()
        deadline = min(deadline, now + limits.receive_time)
        patience = min(limits.idle_time, deadline - now)
        try:
            message = await share.wait(receive(), max(0.0, patience))
        except asyncio.TimeoutError:
            raise HttpProblem(
                408,
                f"expected the body within {limits.receive_time:g} s, and some of it every "
                f"{limits.idle_time:g} s",
                headers={"connection": "close"},
            ) from None
        total = share.size + len(message.get("body", b""))
        if total > limits.max_body_bytes:
            raise too_large(limits, "more")
        share.resize(total)
        complete = not message.get("more_body", False)
        if complete:
            share.complete()
        return message

    return receive_in_time


def too_large(limits: HttpLimits, got: str) -> HttpProblem:
    """Return the refusal of a body."""
    return HttpProblem(413, f"expected a body of at most {limits.max_body_bytes} bytes, got {got}")
