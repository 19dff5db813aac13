"""Throughput of the TCP bridge with 8 clients.

Beside a single-threaded loop of the same decode + describe + annotate + encode, and beside a plain
server of the older kind: one thread per connection, pictures through temporary files. Every round
measures all of them; the table shows medians over the rounds and the ratio to the loop.

    python bench/bench_tcp.py [--clients 8] [--seconds 4] [--rounds 5] [--workers 2]

The model is yolox_nano from the shared folder (I2T_SHARED), otherwise the best one at hand.
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
import re
import socketserver
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from i2t_ros.bridges.local import LocalHandler
from i2t_ros.bridges.loop import LoopThread
from i2t_ros.bridges.tcp import TcpServer
from i2t_ros.client import AsyncClient
from i2t_ros.describer import DescribeOptions, Describer
from i2t_ros.detector import open_detector
from i2t_ros.scheduler import Engine
from i2t_ros.types import DescribeReply, DescribeRequest

SHARED = Path(os.environ.get("I2T_SHARED", Path(__file__).resolve().parents[2] / "shared"))
OUT = Path(__file__).resolve().parent / "out" / "tcp.json"
TARGET = 0.9

Describe = Callable[[DescribeRequest], DescribeReply]
Cost = tuple[float, float]


@dataclasses.dataclass
class Row:
    """One line of the table; ``ratio`` is to the loop of the same round.

    ``cpu_ms``: CPU time of the serving process per reply, which other programs on the machine
    disturb less than the rates.
    """

    name: str
    value: float
    unit: str
    ratio: float
    spread: str
    cpu_ms: float
    target: float | None
    met: bool | None


def open_describer() -> Describer:
    """Return the describer to measure with: yolox_nano where it is at hand."""
    model = SHARED / "models" / "yolox_nano.onnx"
    return Describer(open_detector(str(model) if model.exists() else "auto", offline=True))


def make_describe(describer: Describer) -> Describe:
    """Return the work of one request, as detector_node does it: one thread in the engine."""
    engine, options = Engine(), DescribeOptions(language="es", style="list")
    return lambda request: describer.answer(request, options, turn=lambda: engine.turn(urgent=True))


def load_photo() -> bytes:
    path = SHARED / "images" / "pets.jpg"
    image = cv2.imread(str(path)) if path.exists() else None
    if image is None:
        rng = np.random.default_rng(1)
        image = cv2.GaussianBlur(rng.integers(0, 256, (480, 640, 3), np.uint8), (9, 9), 3)
    return cv2.imencode(".jpg", cv2.resize(image, (640, 480)))[1].tobytes()


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


def _client_process(pipe, arguments):
    pipe.send(asyncio.run(ask_for(*arguments)))


def count_served(port: int, protocol: int, arguments: argparse.Namespace, photo: bytes) -> Count:
    """Ask from a process of its own, so that the clients' CPU time is not counted here."""
    ours, theirs = multiprocessing.Pipe()
    given = (port, protocol, arguments.clients, arguments.seconds, photo)
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


def measure(arguments: argparse.Namespace) -> list[Row]:
    """Measure everything in every round; return the table."""
    describer, photo = open_describer(), load_photo()
    describe = make_describe(describer)
    print(
        f"640x480 JPEG of {len(photo)} bytes, {describer.detector.name}, "
        f"{arguments.clients} clients, {arguments.workers} worker(s), {os.cpu_count()} cores, "
        f"{arguments.rounds} rounds"
    )
    count_loop(describe, photo, 1.0)  # warm
    found: dict[str, list[Cost]] = {name: [] for name in ("loop", "tcp v1", "tcp v2", "older")}
    for _ in range(arguments.rounds):
        found["loop"].append(cost(lambda: count_loop(describe, photo, arguments.seconds)))
        with bridge(describe, arguments.workers) as port:
            found["tcp v1"].append(cost(lambda: count_served(port, 1, arguments, photo)))
            found["tcp v2"].append(cost(lambda: count_served(port, 2, arguments, photo)))
        with tempfile.TemporaryDirectory() as folder, older_server(describe, folder) as port:
            found["older"].append(cost(lambda: count_served(port, 1, arguments, photo)))
    return [make_row(name, costs, found["loop"]) for name, costs in found.items()]


def cost(count: Callable[[], Count]) -> Cost:
    """Return replies per second, and milliseconds of this process's CPU time per reply."""
    before = time.process_time()
    replies, seconds = count()
    return replies / seconds, 1000 * (time.process_time() - before) / replies


def make_row(name: str, costs: list[Cost], loop: list[Cost]) -> Row:
    """Return medians over the rounds; the ratio is to the loop of the same round."""
    ratios = [rate / base for (rate, _), (base, _) in zip(costs, loop, strict=True)]
    ratio = statistics.median(ratios)
    target = TARGET if name.startswith("tcp") else None
    rate, cpu = (statistics.median(column) for column in zip(*costs, strict=True))
    spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
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
