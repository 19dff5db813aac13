"""The listeners of TCP and HTTP with 8 clients, without ROS.

Beside a single-threaded loop of the same work, and beside a plain server of the older kind: one
thread for each connection, pictures through temporary files. bench_serving.py measures the running
nodes.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socketserver
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import material
from clients import clients, rate
from effort import Effort
from loop import Describe, loop_rate, make_describe
from peers import Graph, Peer
from prometheus_client import CollectorRegistry
from table import Row, Table, alternate, at_least, beside_mean, compared, show
from targets import LISTENER

from i2t_ros.bridges.camera_hub import CameraHub
from i2t_ros.bridges.http.server import HttpServer
from i2t_ros.bridges.http.services import Services
from i2t_ros.bridges.http.settings import HttpLimits, HttpSettings
from i2t_ros.bridges.loop_thread import LoopThread
from i2t_ros.bridges.tcp.server import TcpServer
from i2t_ros.types import DescribeReply, DescribeRequest, Picture

CLIENTS = 8
OLDER = "a server of the older kind"
WORKERS = 2
"""Requests in hand at a time, as many as detector_node's."""


class ThreadHandler:
    """A handler that calls a function in one of a few threads."""

    def __init__(self, describe: Describe, pool: ThreadPoolExecutor) -> None:
        self._describe = describe
        self._pool = pool

    async def describe(self, request: DescribeRequest) -> DescribeReply:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, self._describe, request)


@contextlib.contextmanager
def handled(describe: Describe) -> Iterator[tuple[ThreadHandler, LoopThread]]:
    """Yield what answers requests, and a running asyncio loop."""
    loop = LoopThread()
    with ThreadPoolExecutor(WORKERS) as pool:
        loop.start()
        try:
            yield ThreadHandler(describe, pool), loop
        finally:
            loop.stop()


@contextlib.contextmanager
def tcp_server(describe: Describe) -> Iterator[int]:
    """Run the TCP listener of this package; yield its port."""
    with handled(describe) as (handler, loop):
        server = TcpServer(handler, port=0)
        loop.call(server.start(), 10)
        try:
            yield server.port
        finally:
            loop.call(server.close(), 10)


@contextlib.contextmanager
def http_server(describe: Describe) -> Iterator[tuple[int, Callable[..., float | None]]]:
    """Run the HTTP listener; yield its port, and a function from a counter to its value."""
    with handled(describe) as (handler, loop):

        async def start() -> tuple[HttpServer, CollectorRegistry]:
            settings = HttpSettings(limits=HttpLimits(requests_per_second=0))
            services = Services(handler, CameraHub(), settings)
            server = HttpServer(services, port=0)
            await server.start()
            return server, services.metrics.registry

        server, registry = loop.call(start(), 10)
        try:
            yield server.port, registry.get_sample_value
        finally:
            loop.call(server.close(), 20)


@contextlib.contextmanager
def older_server(describe: Describe) -> Iterator[int]:
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
            reply = describe(DescribeRequest(Picture(sent.read_bytes()), annotate=True))
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

    with tempfile.TemporaryDirectory() as folder, Server(("127.0.0.1", 0), Conversation) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join(10)


def listeners(effort: Effort) -> Iterator[Row]:
    """Measure everything in every turn; yield the rates, beside the loop's."""
    describer, picture = material.describer(), material.jpeg(material.photo())
    describe = make_describe(describer)
    with contextlib.ExitStack() as stack:
        stack.callback(describer.close)
        older = stack.enter_context(older_server(describe))
        tcp = stack.enter_context(tcp_server(describe))
        http, _ = stack.enter_context(http_server(describe))
        asking = stack.enter_context(Peer(Graph(), clients))
        asking.ask()

        def served(way: str, port: int) -> float:
            return rate(asking.ask((way, port, CLIENTS, effort.requests, picture)))

        loop_rate(describe, picture, 1.0)  # warm
        found = alternate(
            effort,
            lambda: loop_rate(describe, picture, effort.requests / 2),
            {
                "TCP version 1": partial(served, "TCP version 1", tcp),
                "TCP version 2": partial(served, "TCP version 2", tcp),
                "HTTP": partial(served, "HTTP", http),
                OLDER: partial(served, "TCP version 1", older),
            },
        )
    for name, rates in found.items():
        row = compared(f"{name}, {CLIENTS} clients", "replies/s", beside_mean(rates))
        yield row if name == OLDER else at_least(row, LISTENER)


def tables(effort: Effort) -> list[Table]:
    title = "The listeners without ROS (beside a single-threaded loop)"
    return [show("listeners", title, listeners(effort))]
