"""Handlers that stand around the one that answers: counts and a limit on requests."""

from __future__ import annotations

from i2t_ros.bridges.handler import Handler
from i2t_ros.bridges.http.metrics import Metrics
from i2t_ros.errors import BusyError, I2tError
from i2t_ros.types import DescribeReply, DescribeRequest


class CountingHandler:
    """Counts replies by result, and lets a limited number of requests wait at a time.

    pending  how many are being answered now
    model    what answered last; empty before that
    """

    def __init__(self, handler: Handler, max_requests: int, metrics: Metrics) -> None:
        """Ask ``handler``, which raises I2tError and nothing else."""
        self.pending = 0
        self.model = ""
        self._handler = handler
        self._max_requests = max_requests
        self._count = metrics.descriptions.labels

    async def describe(self, request: DescribeRequest) -> DescribeReply:
        """Return the handler's reply; raises BusyError, and what the handler raises."""
        if self.pending >= self._max_requests:
            self._count(BusyError.code).inc()
            raise BusyError(f"{self.pending} pictures are being described already: try again")
        self.pending += 1
        try:
            reply = await self._handler.describe(request)
        except I2tError as error:
            self._count(error.code).inc()
            raise
        finally:
            self.pending -= 1
        self.model = reply.description.model
        self._count("cached" if reply.cached else "ok").inc()
        return reply
