"""Replies whose bytes are counted while their clients take them."""

import asyncio
from collections.abc import Awaitable, Callable

from starlette.types import Message, Scope, Send

from i2t_ros.bridges.memory import SLICE, Share
from i2t_ros.errors import BusyError

CONNECTION = "i2t_ros.connection"
"""Key of the ASGI scope's state: the TimedProtocol of the request."""


def counted_reply(
    scope: Scope, send: Send, share: Share, refuse: Callable[[BusyError], Awaitable[None]]
) -> Send:
    """Return the ``send`` of one reply, whose share counts what waits for the client.

    A client is sent SLICE at a time, because what it has not taken is copied. If there is no room
    for its reply, ``refuse`` answers it; if the reply has to give way later, it is cut off.
    """
    start: Message | None = None
    gave_way = False

    async def send_counted(message: Message) -> None:
        nonlocal start, gave_way
        if gave_way:
            return
        if message["type"] == "http.response.start":
            start = message  # until there is room for what follows
            return
        body = message.get("body", b"")
        try:
            share.resize(len(body) if len(body) > SLICE else 0)
            if start is not None:
                await send(start)
                start = None
            while len(body) > SLICE:
                part = {**message, "body": bytes(body[:SLICE]), "more_body": True}
                await share.wait(send(part), None)
                body = memoryview(body)[SLICE:]
            await send({**message, "body": bytes(body)})
            share.resize(0)
        except BusyError as busy:
            gave_way = True
            if start is not None:
                await refuse(busy)
            else:
                scope["state"][CONNECTION].transport.abort()
                await asyncio.sleep(0)  # so that uvicorn knows: it would log a reply without an end

    return send_counted
