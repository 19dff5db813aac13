"""Work that ends when the client that asked for it leaves."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope

from i2t_ros.bridges.http.replies import CONNECTION

Result = TypeVar("Result")


async def while_here(scope: Scope, receive: Receive, coming: Awaitable[Result]) -> Result:
    """Return what is awaited; if the client leaves first, cancel it and raise ClientDisconnect.

    A client that sends no more has left, as one that looks at a stream: a program that is killed
    does no more than that.
    """
    connection = scope["state"][CONNECTION]
    connection.ends_with_client = True
    work = asyncio.ensure_future(coming)
    left = asyncio.ensure_future(_left(receive))
    try:
        await asyncio.wait((work, left), return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            return work.result()
        left.result()  # raises what was wrong with the rest of the request, if that was it
        raise ClientDisconnect
    finally:
        for task in (work, left):
            task.cancel()
        await asyncio.gather(work, left, return_exceptions=True)
        connection.ends_with_client = False


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
