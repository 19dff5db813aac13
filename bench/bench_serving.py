"""Requests answered by the running nodes, beside a single-threaded loop of the same work.

    python bench/bench_serving.py [--quick]

The work of one request: decode a 640x480 JPEG, find the objects, say it in Spanish, draw, encode.
detector_node answers Describe; bridge_node puts the TCP protocol before it. The clients are one
process more. What the TCP listener costs without ROS, and beside a server of the older kind, is in
bench_tcp.py.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import re
from collections.abc import Iterator
from typing import Any

import material
from bench_tcp import TARGET, ask_for, count_loop, make_describe
from peers import Graph, Node, Peer, ask_service
from table import Row, at_least, compared, save, show

CLIENTS = (1, 8, 32)
PROMISED = (8, 32)


def ask_tcp(
    pipe: Any, port: int, protocol: int, clients: int, seconds: float, photo: bytes
) -> None:
    """Ask over TCP with so many clients at once; send the count and the seconds."""
    pipe.send(asyncio.run(ask_for(port, protocol, clients, seconds, photo)))


def serving(quick: bool) -> Iterator[Row]:
    """Yield the rate of each way to ask with each number of clients, beside the loop."""
    rounds, seconds = (1, 2.0) if quick else (5, 4.0)
    photo, graph = material.jpeg(material.photo()), Graph()
    describer = material.describer()
    describe = make_describe(describer)
    with contextlib.ExitStack() as stack:
        detector = stack.enter_context(
            Node(graph, "detector_node", model=material.model(), offline=True, cache_size=0)
        )
        bridge = stack.enter_context(Node(graph, "bridge_node", tcp_port=0))
        detector.until("active: ")
        port = int(re.search(r"port (\d+)", bridge.until("listening on"))[1])
        bridge.until("detector")
        ways = {
            "Describe": lambda clients: (
                ask_service, "/detector_node/describe", clients, seconds, photo,
            ),
            "TCP version 1": lambda clients: (ask_tcp, port, 1, clients, seconds, photo),
            "TCP version 2": lambda clients: (ask_tcp, port, 2, clients, seconds, photo),
        }  # fmt: skip
        count_loop(describe, photo, 1.0)  # warm
        found: dict[tuple[str, int], list[tuple[float, float]]] = {}
        for _ in range(rounds):
            for clients in CLIENTS:
                count, elapsed = count_loop(describe, photo, seconds)
                loop = count / elapsed
                for way, work in ways.items():
                    with Peer(graph, *work(clients)) as peer:
                        count, elapsed = peer.ask(limit=seconds + 60)
                    found.setdefault((way, clients), []).append((count / elapsed, loop))
    describer.close()
    for (way, clients), pairs in found.items():
        row = compared(f"{way}, {clients} client(s)", "replies/s", pairs)
        yield at_least(row, TARGET) if clients in PROMISED else row


def rows(quick: bool = False) -> list[Row]:
    return show("Requests to the running nodes (beside a single-threaded loop)", serving(quick))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one round")
    save(rows(parser.parse_args().quick), "serving")


if __name__ == "__main__":
    main()
