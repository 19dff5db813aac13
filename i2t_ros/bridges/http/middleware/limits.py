"""What one caller may cost: requests a second, bytes and seconds of a body."""

from __future__ import annotations

import asyncio
import math
import time
from collections import OrderedDict
from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from i2t_ros.bridges.http.middleware.access import refuse
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


class Limits:
    """ASGI middleware that holds callers to HttpLimits."""

    def __init__(self, app: ASGIApp, limits: HttpLimits) -> None:
        """Stand before ``app``."""
        self._app = app
        self._limits = limits
        self._rate = RateLimit(limits.requests_per_second)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check what is known before the body, then pass on with limits on the rest."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        try:
            self._check(scope)
        except HttpProblem as problem:
            await refuse(scope, receive, send, problem)
            return
        if scope["type"] == "http":
            receive = Body(receive, self._limits).receive
        await self._app(scope, receive, send)

    def _check(self, scope: Scope) -> None:
        address = scope["client"][0] if scope.get("client") else ""
        if not self._rate.allow(address):
            raise HttpProblem(
                429,
                f"more than {self._limits.requests_per_second:g} requests a second "
                f"from {address}: slow down",
            )
        length = Headers(scope=scope).get("content-length", "")
        if length.isdigit() and int(length) > self._limits.max_body_bytes:
            raise too_large(self._limits, f"{int(length)}")


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
