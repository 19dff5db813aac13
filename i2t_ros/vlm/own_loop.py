"""Runs a coroutine to its end in the caller's thread, and waits for nothing else."""

import asyncio
import socket
import threading
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

Result = TypeVar("Result")


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """Return the result of a coroutine, as asyncio.run() does; this thread has no loop yet.

    asyncio.run() also waits for threads that look up a host's name, which take half a minute where
    there is no network, whatever the time limit is. And it closes what was being read in no order,
    of which it complains on standard error; here, who reads closes the connection.
    """
    loop = _Loop()
    try:
        return loop.run_until_complete(work)
    finally:
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        loop.run_until_complete(_ended(left))
        loop.close()


async def _ended(tasks: set["asyncio.Task[Any]"]) -> None:
    await asyncio.gather(*tasks, return_exceptions=True)


class _Loop(asyncio.SelectorEventLoop):
    """Looks up names in threads that nobody waits for, not even the end of the program."""

    async def getaddrinfo(self, host: Any, port: Any, **how: Any) -> Any:
        found: asyncio.Future[Any] = self.create_future()

        def end(result: Any, error: Exception | None) -> None:
            if found.done():  # cancelled
                return
            if error is None:
                found.set_result(result)
            else:
                found.set_exception(error)

        def look() -> None:
            result, failure = None, None
            try:
                result = socket.getaddrinfo(host, port, **how)
            except Exception as error:
                failure = error
            with suppress(RuntimeError):  # the loop has been closed meanwhile
                self.call_soon_threadsafe(end, result, failure)

        threading.Thread(target=look, name="i2t-host-name", daemon=True).start()
        return await found
