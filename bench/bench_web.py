"""Throughput of the HTTP bridge with 8 clients, as bench_tcp.py measures that of TCP, without ROS.

Each client sends a JPEG to /v1/describe and has the annotated picture back, on one kept connection.

    python bench/bench_web.py [--clients 8] [--seconds 4] [--rounds 5] [--workers 2]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import time
from collections.abc import Iterator

import material
from bench_tcp import (
    TARGET,
    Count,
    Describe,
    count_elsewhere,
    count_loop,
    make_describe,
    parser,
    rate,
)
from prometheus_client import CollectorRegistry
from table import Row, at_least, compared, save, show

from i2t_ros.bridges.cameras import CameraHub
from i2t_ros.bridges.http.app import create_app
from i2t_ros.bridges.http.server import HttpServer
from i2t_ros.bridges.http.settings import HttpLimits, HttpSettings
from i2t_ros.bridges.local import LocalHandler
from i2t_ros.bridges.loop import LoopThread


async def ask_for(port: int, clients: int, seconds: float, photo: bytes) -> Count:
    """Ask with so many clients at once; a plain client, whose own cost is small."""
    start = time.perf_counter()
    head = (
        f"POST /v1/describe?language=es&style=list HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        f"Accept: image/jpeg\r\nContent-Type: image/jpeg\r\nContent-Length: {len(photo)}\r\n\r\n"
    ).encode()

    async def one() -> int:
        count = 0
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
        while time.perf_counter() - start < seconds:
            writer.write(head + photo)
            reply = (await reader.readuntil(b"\r\n\r\n")).lower()
            assert reply.startswith(b"http/1.1 200 "), reply  # noqa: S101
            size = int(reply.split(b"content-length:")[1].split(b"\r\n")[0])
            await reader.readexactly(size)
            count += 1
        writer.close()
        await writer.wait_closed()
        return count

    counts = await asyncio.gather(*(one() for _ in range(clients)))
    return sum(counts), time.perf_counter() - start


def count_served(port: int, arguments: argparse.Namespace, photo: bytes) -> Count:
    given = (port, arguments.clients, arguments.seconds, photo)
    return count_elsewhere(ask_for, given, arguments.seconds)


@contextlib.contextmanager
def bridge(describe: Describe, workers: int):
    """Run the listener of this package; yield its port, and a function from counters to values."""
    handler = LocalHandler(describe, workers)
    loop = LoopThread()
    loop.start()

    async def start() -> tuple[HttpServer, CollectorRegistry]:
        settings = HttpSettings(limits=HttpLimits(requests_per_second=0))
        app = create_app(handler, CameraHub(), settings)
        server = HttpServer(app, port=0)
        await server.start()
        return server, app.state.services.metrics.registry

    server, registry = loop.call(start(), 10)
    try:
        yield server.port, registry.get_sample_value
    finally:
        loop.call(server.close(), 20)
        loop.stop()
        handler.close()


def found_rates(arguments: argparse.Namespace) -> Iterator[Row]:
    """Measure loop and listener in every round; yield the listener's rate beside the loop's."""
    describer, photo = material.describer(), material.jpeg(material.photo())
    describe = make_describe(describer)
    count_loop(describe, photo, 1.0)  # warm
    pairs = []
    for _ in range(arguments.rounds):
        loop = rate(count_loop(describe, photo, arguments.seconds))
        with bridge(describe, arguments.workers) as (port, _):
            pairs.append((rate(count_served(port, arguments, photo)), loop))
    describer.close()
    row = compared(f"HTTP, {arguments.clients} clients, no ROS", "replies/s", pairs)
    yield at_least(row, TARGET)


TITLE = "The HTTP listener alone (beside a single-threaded loop)"


def rows(quick: bool = False) -> list[Row]:
    arguments = parser().parse_args(["--rounds", "1", "--seconds", "2"] if quick else [])
    return show(TITLE, found_rates(arguments))


def main() -> None:
    logging.disable(logging.INFO)
    save(show(TITLE, found_rates(parser().parse_args())), "web")


if __name__ == "__main__":
    main()
