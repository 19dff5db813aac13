"""Requests answered by the running nodes, beside a single-threaded loop of the same work.

The work of one request: decode a 640x480 JPEG, find the objects, say it in Spanish, draw, encode.
detector_node answers Describe; bridge_node puts TCP and HTTP before it. The clients are one process
more. What the listeners cost without ROS is in bench_listeners.py.
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Iterator
from functools import partial

import material
from clients import WAYS, clients, rate
from effort import Effort
from loop import loop_rate, make_describe
from peers import Graph, Node, Peer, wait_for
from sleeper import NAME, SECONDS, sleeper
from table import Row, Table, alternate, at_least, at_most, beside_mean, compared, show
from targets import PENDING_CPU, REQUESTS

CLIENTS = (1, 8, 32)
PENDING = 16
SERVICE = "/detector_node/describe"


class Nodes:
    """detector_node, bridge_node before it, and a process of clients."""

    def __init__(self, stack: contextlib.ExitStack, picture: bytes) -> None:
        """Start them and wait until each way to ask is answered."""
        graph, self._picture = Graph(), picture
        detector = stack.enter_context(
            Node(graph, "detector_node", model=material.model(), offline=True, cache_size=0)
        )
        bridge = stack.enter_context(
            Node(graph, "bridge_node", tcp_port=0, http=True, http_port=0,
                 http_requests_per_second=0.0)
        )  # fmt: skip
        self.sleeper = Peer(graph, sleeper, PENDING)
        self._clients = stack.enter_context(Peer(graph, clients))
        self._clients.ask()
        detector.until("active: ")
        tcp = int(re.search(r"port (\d+)", bridge.until("listening on 127"))[1])
        http = int(re.search(r":(\d+)/", bridge.until("listening on http"))[1])
        self.addresses = {"Describe": SERVICE, **dict.fromkeys(WAYS, tcp), "HTTP": http}
        # The bridge says once whether the detector is there; later it has to be asked.
        wait_for(lambda: all(self._answers(way) for way in self.addresses))

    def rate(self, way: str, count: int, seconds: float) -> float:
        """Return how many replies a second so many clients get."""
        question = (way, self.addresses[way], count, seconds, self._picture)
        return rate(self._clients.ask(question, seconds + 60))

    def pending(self) -> float:
        """Return the seconds of processor time that a second costs in which requests wait.

        Ends the node with the sleeping engine.
        """

        def question(count: int) -> tuple[object, ...]:
            return "Describe", f"/{NAME}/describe", count, 0.0, self._picture

        with self.sleeper as node:
            self._clients.ask(question(1))  # until it is there
            self._clients.pipe.send(question(PENDING))
            time.sleep(SECONDS / 4)  # until the pictures are decoded
            cpu, start = node.cpu(), time.perf_counter()
            time.sleep(SECONDS / 2)
            cpu, elapsed = node.cpu() - cpu, time.perf_counter() - start
            self._clients.ask()
        return cpu / elapsed

    def _answers(self, way: str) -> bool:
        try:
            return self.rate(way, 1, 0.0) > 0
        except RuntimeError:
            return False


def requests(effort: Effort) -> Iterator[Row]:
    """Yield the rate of each way to ask with each number of clients, beside the loop."""
    picture = material.jpeg(material.photo())
    with contextlib.ExitStack() as stack:
        describer = stack.enter_context(contextlib.closing(material.describer()))
        describe = make_describe(describer)
        nodes = Nodes(stack, picture)
        name = f"processor time in a second in which {PENDING} requests wait for a sleeping engine"
        yield at_most(Row(name, nodes.pending(), "s"), PENDING_CPU, "value")
        loop_rate(describe, picture, 0.5)  # warm
        found = alternate(
            effort,
            lambda: loop_rate(describe, picture, effort.requests / 2),
            {
                (way, count): partial(nodes.rate, way, count, effort.requests)
                for way in nodes.addresses
                for count in CLIENTS
                if (way, count) in REQUESTS or not effort.gate
            },
        )
    for (way, count), rates in found.items():
        name = f"{way}, {count} client{'s' * (count > 1)}"
        row = compared(name, "replies/s", beside_mean(rates))
        limit = REQUESTS.get((way, count))
        yield row if limit is None else at_least(row, limit)


def tables(effort: Effort) -> list[Table]:
    title = "Requests to the running nodes (beside a single-threaded loop)"
    return [show("requests", title, requests(effort))]
