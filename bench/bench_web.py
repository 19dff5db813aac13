"""Throughput of the HTTP bridge with 8 clients, as bench_tcp.py measures that of TCP.

Each client sends a JPEG to /v1/describe and has the annotated picture back, on one kept connection.

    python bench/bench_web.py [--clients 8] [--seconds 4] [--rounds 5] [--workers 2]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import dataclasses
import json
import logging
import multiprocessing
import os
import statistics
import time
from pathlib import Path

from bench_tcp import (
    TARGET,
    Cost,
    Count,
    Describe,
    Row,
    cost,
    count_loop,
    load_photo,
    make_describe,
    open_describer,
)
from prometheus_client import CollectorRegistry

from i2t_ros.bridges.cameras import CameraHub
from i2t_ros.bridges.http.app import create_app
from i2t_ros.bridges.http.server import HttpServer
from i2t_ros.bridges.http.settings import HttpLimits, HttpSettings
from i2t_ros.bridges.local import LocalHandler
from i2t_ros.bridges.loop import LoopThread

OUT = Path(__file__).resolve().parent / "out" / "web.json"


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


def _client_process(pipe, arguments):
    pipe.send(asyncio.run(ask_for(*arguments)))


def count_served(port: int, arguments: argparse.Namespace, photo: bytes) -> Count:
    """Ask from a process of its own, so that the clients' CPU time is not counted here."""
    ours, theirs = multiprocessing.Pipe()
    given = (port, arguments.clients, arguments.seconds, photo)
    process = multiprocessing.get_context("spawn").Process(
        target=_client_process, args=(theirs, given)
    )
    process.start()
    try:
        if not ours.poll(arguments.seconds + 60):
            raise TimeoutError("the clients did not finish")
        return ours.recv()
    finally:
        process.join(10)


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


def measure(arguments: argparse.Namespace) -> list[Row]:
    """Measure loop and listener in every round; return the table."""
    describer, photo = open_describer(), load_photo()
    describe = make_describe(describer)
    print(
        f"640x480 JPEG of {len(photo)} bytes, {describer.detector.name}, "
        f"{arguments.clients} clients, {arguments.workers} worker(s), {os.cpu_count()} cores, "
        f"{arguments.rounds} rounds"
    )
    count_loop(describe, photo, 1.0)  # warm
    found: dict[str, list[Cost]] = {"loop": [], "http": []}
    for _ in range(arguments.rounds):
        found["loop"].append(cost(lambda: count_loop(describe, photo, arguments.seconds)))
        with bridge(describe, arguments.workers) as (port, _):
            found["http"].append(cost(lambda: count_served(port, arguments, photo)))
    return [make_row(name, costs, found["loop"]) for name, costs in found.items()]


def make_row(name: str, costs: list[Cost], loop: list[Cost]) -> Row:
    """Return medians over the rounds; the ratio is to the loop of the same round."""
    ratios = [rate / base for (rate, _), (base, _) in zip(costs, loop, strict=True)]
    ratio = statistics.median(ratios)
    rate, cpu = (statistics.median(column) for column in zip(*costs, strict=True))
    spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
    target = TARGET if name == "http" else None
    met = None if target is None else ratio >= target
    return Row(name, rate, "replies/s", ratio, spread, cpu, target, met)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=4.0, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--workers", type=int, default=2, help="requests in hand at a time")
    arguments = parser.parse_args()
    logging.disable(logging.INFO)
    rows = measure(arguments)
    print(f"{'':8} {'replies/s':>9} {'CPU ms':>7} {'ratio':>6} {'spread':>14} {'target':>9}")
    for row in rows:
        target = "" if row.target is None else f"{row.target} {'met' if row.met else 'MISSED'}"
        print(
            f"{row.name:8} {row.value:9.1f} {row.cpu_ms:7.1f} {row.ratio:6.2f} "
            f"{row.spread:>14} {target:>9}"
        )
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps([dataclasses.asdict(row) for row in rows], indent=2))


if __name__ == "__main__":
    main()
