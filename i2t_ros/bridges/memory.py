"""A limit on the bytes of requests and replies in memory, over all clients of a listener."""

import asyncio
import contextlib
from collections.abc import Awaitable, Iterator
from typing import TypeVar

from i2t_ros.errors import BusyError

Received = TypeVar("Received")

SLICE = 1 << 18
"""Bytes of a reply that are handed over at a time, so that no more than that is copied for a client
that does not read."""


class RequestMemory:
    """Counts the bytes of requests that are being received or answered, and of replies.

    If there is no room for more, the largest that is still being received, or sent, is refused. So
    clients that hold as much as they can do not keep out others, whose pictures are smaller.

    used     bytes that are counted now
    limit    on them
    growing  the requests that are still being received, and replies that are being sent
    """

    def __init__(self, limit: int) -> None:
        self.used = 0
        self.limit = limit
        self.growing: set[Share] = set()

    @contextlib.contextmanager
    def share(self) -> Iterator["Share"]:
        """Count what one client sends while the context lasts; needs a running loop."""
        share = Share(self)
        try:
            yield share
        finally:
            share.release()

    def busy(self) -> BusyError:
        """Return what a request is refused with."""
        return BusyError(
            f"all requests and replies together have {self.limit} bytes, the limit: try again"
        )


class Share:
    """What one client's request takes of a RequestMemory.

    size  in bytes
    """

    def __init__(self, memory: RequestMemory) -> None:
        self.size = 0
        self._memory = memory
        self._refused: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def is_refused(self) -> bool:
        """Whether it had to give way to others."""
        return self._refused.done()

    def resize(self, size: int) -> None:
        """Count what is still being received, or sent; raises BusyError if it is refused."""
        memory, more = self._memory, size - self.size
        if not self.is_refused:
            (memory.growing.add if size else memory.growing.discard)(self)
        while memory.used + more > memory.limit and not self.is_refused:
            max(memory.growing, key=lambda each: size if each is self else each.size).refuse()
        if self.is_refused:
            raise memory.busy()
        memory.used += more
        self.size = size

    def complete(self) -> None:
        """Count the request until ``release``, but refuse it no longer."""
        self._memory.growing.discard(self)

    def release(self) -> None:
        """Count it no longer."""
        self._memory.growing.discard(self)
        self._memory.used -= self.size
        self.size = 0

    def refuse(self) -> None:
        """Give way to others: this wakes whoever waits for the rest of the request."""
        self.release()
        self._refused.set_result(None)

    async def wait(self, coming: Awaitable[Received], seconds: float | None) -> Received:
        """Return what comes from the client.

        Raises BusyError as soon as the request is refused, and asyncio.TimeoutError.
        """
        task = asyncio.ensure_future(coming)
        first = asyncio.FIRST_COMPLETED
        try:
            await asyncio.wait((task, self._refused), timeout=seconds, return_when=first)
            if task.done():
                return task.result()
        finally:
            task.cancel()
        if self.is_refused:
            raise self._memory.busy()
        raise asyncio.TimeoutError
