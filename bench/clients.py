"""Clients that ask for descriptions, in a process of their own: Describe, TCP or HTTP.

Each asks for the same: a JPEG described in Spanish, drawn and encoded.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from peers import ros_node, wait_for

from i2t_ros.client import AsyncClient

Count = tuple[int, float]
"""Replies, and the seconds that they took."""
LANGUAGE, STYLE = "es", "list"


def rate(count: Count) -> float:
    """Return replies a second."""
    replies, seconds = count
    return replies / seconds


def clients(pipe: Any) -> None:
    """Ask as each (way, address, clients, seconds, picture) from the pipe says; send the Count.

    way      a key of WAYS
    address  a port, or the name of the service
    clients  how many ask at once, each its next question when it has its answer

    An exception is sent too, and the next question awaited.
    """
    with contextlib.ExitStack() as stack:
        describe = DescribeClients(stack)
        pipe.send("ready")
        while (question := pipe.recv()) != "end":
            way, *rest = question
            try:
                pipe.send(describe(*rest) if way == "Describe" else asyncio.run(WAYS[way](*rest)))
            except Exception as error:  # whatever goes wrong is the bench's to judge
                pipe.send(RuntimeError(f"{way}: {error!r}"))


class DescribeClients:
    """Clients of Describe services; joins the graph when it is first used."""

    def __init__(self, stack: contextlib.ExitStack) -> None:
        """Leave the graph when ``stack`` ends."""
        self._stack = stack
        self._joined: tuple[Any, Callable[[float], None]] | None = None
        self._clients: dict[str, Any] = {}

    def __call__(self, service: str, clients: int, seconds: float, picture: bytes) -> Count:
        """Have so many requests in flight at once."""
        from i2t_ros.nodes.messages.descriptions import request_to_msg  # noqa: PLC0415
        from i2t_ros.types import DescribeRequest, Picture  # noqa: PLC0415

        client, spin = self._client(service)
        wait_for(client.service_is_ready)
        request = request_to_msg(
            DescribeRequest(Picture(picture), language=LANGUAGE, style=STYLE, annotate=True)
        )
        start, count = time.perf_counter(), 0
        waiting = [client.call_async(request) for _ in range(clients)]
        while waiting:
            spin(1.0)
            over = time.perf_counter() - start >= seconds
            for future in [future for future in waiting if future.done()]:
                waiting.remove(future)
                response = future.result()
                if not response.success:
                    raise RuntimeError(response.message)
                count += 1
                if not over:
                    waiting.append(client.call_async(request))
        return count, time.perf_counter() - start

    def _client(self, service: str) -> tuple[Any, Callable[[float], None]]:
        from i2t_ros.srv import Describe  # noqa: PLC0415

        from i2t_ros.nodes.messages.descriptions import SERVICE_QOS  # noqa: PLC0415

        if self._joined is None:
            self._joined = self._stack.enter_context(ros_node("clients"))
        node, spin = self._joined
        if service not in self._clients:
            client = node.create_client(Describe, service, qos_profile=SERVICE_QOS)
            self._clients[service] = client
        return self._clients[service], spin


async def ask_tcp(protocol: int, port: int, clients: int, seconds: float, picture: bytes) -> Count:
    """Ask over TCP; protocol 1 has a connection for each request and no options."""
    options = {"language": LANGUAGE, "style": STYLE} if protocol == 2 else {}

    async def one(over: Callable[[], bool]) -> int:
        count = 0
        async with AsyncClient(port=port, protocol=protocol) as client:
            while not over() or not count:
                answer = await client.describe(picture, **options)
                assert answer.image  # noqa: S101
                count += 1
        return count

    return await together(one, clients, seconds)


async def ask_http(port: int, clients: int, seconds: float, picture: bytes) -> Count:
    """Ask over HTTP, each client on one kept connection; a plain client, whose cost is small."""
    head = (
        f"POST /v1/describe?language={LANGUAGE}&style={STYLE} HTTP/1.1\r\n"
        f"Host: 127.0.0.1:{port}\r\nAccept: image/jpeg\r\nContent-Type: image/jpeg\r\n"
        f"Content-Length: {len(picture)}\r\n\r\n"
    ).encode()

    async def one(over: Callable[[], bool]) -> int:
        count = 0
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
        while not over() or not count:
            writer.write(head + picture)
            reply = (await reader.readuntil(b"\r\n\r\n")).lower()
            assert reply.startswith(b"http/1.1 200 "), reply  # noqa: S101
            size = int(reply.split(b"content-length:")[1].split(b"\r\n")[0])
            await reader.readexactly(size)
            count += 1
        writer.close()
        await writer.wait_closed()
        return count

    return await together(one, clients, seconds)


async def together(
    one: Callable[[Callable[[], bool]], Awaitable[int]], clients: int, seconds: float
) -> Count:
    """Run so many clients until the time is over and the last of them has its answer."""
    start = time.perf_counter()
    counts = await asyncio.gather(
        *(one(lambda: time.perf_counter() - start >= seconds) for _ in range(clients))
    )
    return sum(counts), time.perf_counter() - start


WAYS: dict[str, Callable[..., Any]] = {
    "TCP version 1": partial(ask_tcp, 1),
    "TCP version 2": partial(ask_tcp, 2),
    "HTTP": ask_http,
}
