"""Throughput of the TCP listener with 8 clients, without ROS.

Beside a single-threaded loop of the same decode + describe + annotate + encode, and beside a plain
server of the older kind: one thread per connection, pictures through temporary files. Every round
measures all of them. bench_serving.py measures the running nodes.

    python bench/bench_tcp.py [--clients 8] [--seconds 4] [--rounds 5] [--workers 2]

The model is yolox_nano from the shared folder (I2T_SHARED), otherwise the best one at hand.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import multiprocessing
import re
import socketserver
import tempfile
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import material
from table import Row, at_least, compared, save, show

from i2t_ros.bridges.local import LocalHandler
from i2t_ros.bridges.loop import LoopThread
from i2t_ros.bridges.tcp import TcpServer
from i2t_ros.client import AsyncClient
from i2t_ros.describer import DescribeOptions, Describer
from i2t_ros.scheduler import Engine
from i2t_ros.types import DescribeReply, DescribeRequest

TARGET = 0.9

Describe = Callable[[DescribeRequest], DescribeReply]


def make_describe(describer: Describer) -> Describe:
    """Return the work of one request, as detector_node does it: the engine has so many places."""
    assert describer.detector is not None  # noqa: S101
    engine = Engine(describer.detector.concurrency)
    options = DescribeOptions(language="es", style="list")
    return lambda request: describer.answer(request, options, turn=lambda: engine.turn(urgent=True))


Count = tuple[int, float]
"""Replies, and the seconds that they took."""


def count_loop(describe: Describe, photo: bytes, seconds: float) -> Count:
    """Describe in a plain loop."""
    count, start = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - start) < seconds:
        describe(DescribeRequest(photo, annotate=True))
        count += 1
    return count, elapsed


async def ask_for(port: int, protocol: int, clients: int, seconds: float, photo: bytes) -> Count:
    """Ask with so many clients at once."""
    start = time.perf_counter()

    async def one() -> int:
        count = 0
        async with AsyncClient(port=port, protocol=protocol) as client:
            while time.perf_counter() - start < seconds:
                answer = await client.describe(photo)
                assert answer.image  # noqa: S101
                count += 1
        return count

    counts = await asyncio.gather(*(one() for _ in range(clients)))
    return sum(counts), time.perf_counter() - start


Asking = Callable[..., Coroutine[Any, Any, Count]]
"""Asks a server for some time with some clients, and counts the replies."""


def _client_process(pipe: Any, ask: Asking, given: tuple[Any, ...]) -> None:
    pipe.send(asyncio.run(ask(*given)))


def count_elsewhere(ask: Asking, given: tuple[Any, ...], seconds: float) -> Count:
    """Ask from a process of its own, so that the clients' CPU time is not counted here."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=_client_process, args=(theirs, ask, given)
    )
    process.start()
    try:
        if not ours.poll(seconds + 60):
            raise TimeoutError("the clients did not finish")
        return ours.recv()
    finally:
        process.join(10)


def count_served(port: int, protocol: int, arguments: argparse.Namespace, photo: bytes) -> Count:
    given = (port, protocol, arguments.clients, arguments.seconds, photo)
    return count_elsewhere(ask_for, given, arguments.seconds)


@contextlib.contextmanager
def bridge(describe: Describe, workers: int):
    """Run the listener of this package; yield its port."""
    handler = LocalHandler(describe, workers)
    loop = LoopThread()
    loop.start()
    server = TcpServer(handler, port=0)
    loop.call(server.start(), 10)
    try:
        yield server.port
    finally:
        loop.call(server.close(), 10)
        loop.stop()
        handler.close()


@contextlib.contextmanager
def older_server(describe: Describe, folder: str):
    """Run a server of the older kind: threads, temporary files, a pause; yield its port."""

    class Conversation(socketserver.BaseRequestHandler):
        def handle(self):
            first = self.request.recv(4096)
            header = re.match(rb"\.jpg<SEP>([0-9]+)", first)
            sent = Path(folder) / f"{threading.get_ident()}.sent.jpg"
            drawn = sent.with_suffix(".drawn.jpg")
            with sent.open("wb") as file:
                missing = int(header[1]) - file.write(first[header.end() :])
                while missing:
                    missing -= file.write(self.request.recv(4096))
            reply = describe(DescribeRequest(sent.read_bytes(), annotate=True))
            drawn.write_bytes(reply.annotated.data)
            picture = drawn.read_bytes()
            header = f"True<SEP>{len(picture)}<SEP>{reply.description.sentence}"
            self.request.sendall(header.encode())
            time.sleep(0.02)
            self.request.sendall(picture)
            sent.unlink()
            drawn.unlink()

    class Server(socketserver.ThreadingTCPServer):
        request_queue_size = 100
        daemon_threads = True

    with Server(("127.0.0.1", 0), Conversation) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join(10)


def found_rates(arguments: argparse.Namespace) -> Iterator[Row]:
    """Measure everything in every round; yield rates, beside the loop's."""
    describer, photo = material.describer(), material.jpeg(material.photo())
    describe = make_describe(describer)
    count_loop(describe, photo, 1.0)  # warm
    rates: dict[str, list[tuple[float, float]]] = {}
    for _ in range(arguments.rounds):
        loop = rate(count_loop(describe, photo, arguments.seconds))
        with bridge(describe, arguments.workers) as port:
            found = {
                f"TCP version {protocol}": rate(count_served(port, protocol, arguments, photo))
                for protocol in (1, 2)
            }
        with tempfile.TemporaryDirectory() as folder, older_server(describe, folder) as port:
            found["server of the older kind"] = rate(count_served(port, 1, arguments, photo))
        for name, value in found.items():
            rates.setdefault(name, []).append((value, loop))
    describer.close()
    for name, pairs in rates.items():
        row = compared(f"{name}, {arguments.clients} clients, no ROS", "replies/s", pairs)
        yield at_least(row, TARGET) if name.startswith("TCP") else row


def rate(count: Count) -> float:
    """Return replies per second."""
    replies, seconds = count
    return replies / seconds


TITLE = "The TCP listener alone (beside a single-threaded loop)"


def rows(quick: bool = False) -> list[Row]:
    arguments = parser().parse_args(["--rounds", "1", "--seconds", "2"] if quick else [])
    return show(TITLE, found_rates(arguments))


def parser() -> argparse.ArgumentParser:
    found = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    found.add_argument("--clients", type=int, default=8)
    found.add_argument("--seconds", type=float, default=4.0, help="of each measurement")
    found.add_argument("--rounds", type=int, default=5)
    found.add_argument("--workers", type=int, default=2, help="requests in hand at a time")
    return found


def main() -> None:
    logging.disable(logging.INFO)
    save(show(TITLE, found_rates(parser().parse_args())), "tcp")


if __name__ == "__main__":
    main()
