"""A few threads for what would keep the asyncio loop of the listeners from its other clients."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from i2t_ros.bridges.counting import counted
from i2t_ros.errors import BusyError, NotActiveError

Result = TypeVar("Result")


class Workers:
    """A pool of threads with a limit on the calls that wait for it.

    asyncio.to_thread has one pool for everybody, without such a limit: one kind of work that
    clients ask for would delay all the others, and the name service too.
    """

    def __init__(self, name: str, threads: int, most: int) -> None:
        """Allow ``most`` calls at a time, those that wait included."""
        self._name = name
        self._most = most
        self._room = threading.Semaphore(most)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)

    async def run(self, function: Callable[..., Result], *args: object) -> Result:
        """Return what a function returns, called in a thread once one is free.

        If this is canceled before the call has begun, the function is not called. Raises what the
        function raises, BusyError beyond the limit, and NotActiveError after ``close``.
        """
        if not self._room.acquire(blocking=False):
            raise BusyError(f"{self._name}: {counted(self._most, 'call')} wait, the limit")
        try:
            future = self._pool.submit(function, *args)
        except RuntimeError:  # the pool is shut down
            self._room.release()
            raise NotActiveError(f"{self._name}: closed") from None
        future.add_done_callback(lambda _: self._room.release())
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """End the threads after what they do now, and cancel what waits; does not block."""
        self._pool.shutdown(wait=False, cancel_futures=True)
