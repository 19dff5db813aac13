"""The interface between the bridges and whatever answers their requests."""

import asyncio
import logging
from collections.abc import Awaitable
from typing import Protocol

from i2t_ros.errors import I2tError, TimeLimitError
from i2t_ros.types import DescribeReply, DescribeRequest, Told

log = logging.getLogger("i2t_ros.bridges")


class Handler(Protocol):
    """Answers requests; listeners call it from their asyncio loop, several at once.

    A handler may wrap another one to add something, such as a time limit or a history.
    """

    async def describe(self, request: DescribeRequest) -> DescribeReply:
        """Describe a picture, or a camera's newest frame.

        Must not block the loop. May be cancelled.

        Raises I2tError, whose code and message reach the client.
        """
        ...

    async def ask(self, request: DescribeRequest, told: Told) -> DescribeReply:
        """Answer the request's question; ``told`` gets the answer while it is written.

        ``told`` is called on the loop. If this is cancelled, the language model stops. Otherwise as
        describe().
        """
        ...


class TimeLimited:
    """A handler that answers within a time limit, and raises only I2tError."""

    def __init__(self, handler: Handler, seconds: float, asking_seconds: float = 120.0) -> None:
        """Give the handler ``seconds`` for a description, and ``asking_seconds`` for an answer."""
        self._handler = handler
        self._seconds = seconds
        self._asking_seconds = asking_seconds

    async def describe(self, request: DescribeRequest) -> DescribeReply:
        """Return the handler's reply; raises TimeLimitError, and what the handler raises."""
        return await self._in_time(self._handler.describe(request), self._seconds)

    async def ask(self, request: DescribeRequest, told: Told) -> DescribeReply:
        """Return the handler's reply to a question; raises as describe()."""
        return await self._in_time(self._handler.ask(request, told), self._asking_seconds)

    async def _in_time(self, answer: Awaitable[DescribeReply], seconds: float) -> DescribeReply:
        try:
            return await asyncio.wait_for(answer, seconds)
        except I2tError:
            raise
        except asyncio.TimeoutError:
            raise TimeLimitError(f"no answer within {seconds:g} s") from None
        except Exception:
            log.exception("the handler failed")
            raise I2tError("the server failed on this request; its log says why") from None
