"""What a listener calls: the one seam between the bridges and whatever answers them."""

from __future__ import annotations

from typing import Protocol

from i2t_ros.types import DescribeReply, DescribeRequest


class Handler(Protocol):
    """Answers requests; listeners call it from their asyncio loop, several at once."""

    async def describe(self, request: DescribeRequest) -> DescribeReply:
        """Say what the picture shows.

        Must not block the loop. May be cancelled: the listener gives every request a time limit.

        Raises I2tError, whose code and message reach the client.
        """
        ...
