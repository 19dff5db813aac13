"""From a camera's topic to detections, between processes: loss, latency, processor time, memory.

    python bench/bench_topics.py [--quick]

A camera, detector_node and a viewer are processes of their own. The bare engine is called at the
same rate, and back to back, in the same rounds, in a process with nothing else in it.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import statistics
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
from material import detector, model, photo, prepared
from peers import Film, Graph, Node, Peer, Seen, camera, viewer, wait_for
from table import Row, at_most, compared, save, show

DETECTIONS = "/detector_node/detections"
SENTENCE = "/detector_node/sentence"
SIZES = ((640, 480), (1920, 1080))
RATE = 30.0
SETTLE = 2.5
"""Seconds in which the node has reported its counters twice."""
ADDED, CPU, MEMORY, GROWTH, START = 6.0, 1.5, 300.0, 10.0, 3.0
"""Targets: ms beside the engine, times its CPU, MB, MB, seconds to the first sentence."""


def bare(pipe: Any) -> None:
    """Call the engine so often and at such a rate (0: back to back) as comes through the pipe.

    Sends back the median latency and the processor time of a call, ms.
    """
    found = detector()
    inputs = prepared(found, photo())
    for _ in range(20):
        found._backend.infer(inputs)
    pipe.send("ready")
    while (question := pipe.recv()) != "end":
        count, rate = question
        times, busy, start = [], time.process_time(), time.perf_counter()
        for i in range(count):
            if rate:
                time.sleep(max(0.0, start + i / rate - time.perf_counter()))
            began = time.perf_counter()
            found._backend.infer(inputs)
            times.append(time.perf_counter() - began)
        busy = time.process_time() - busy
        pipe.send((1e3 * statistics.median(times), 1e3 * busy / count))


@dataclasses.dataclass
class Shown:
    """What became of a film: counts, latencies in ms, the node's processor time a frame in ms."""

    sent: int
    received: int
    dropped: int
    processed: int
    latencies: list[float]
    cpu: float


class Chain:
    """detector_node between a camera and a viewer, in a graph of their own."""

    def __init__(
        self, stack: contextlib.ExitStack, graph: Graph, names: tuple[str, ...] = ()
    ) -> None:
        """Start all three and wait until they have found each other; ``names`` of cameras."""
        self.topics = tuple(f"{name}/image" for name in names) or ("image",)
        self.cameras = names or ("image",)
        found = [f"/detector_node/{name}/detections" for name in names] or [DETECTIONS]
        self.viewer = stack.enter_context(Peer(graph, viewer, found))
        self.camera = stack.enter_context(Peer(graph, camera))
        cameras = list(names) or None
        self.node = stack.enter_context(
            Node(graph, "detector_node", model=model(), offline=True, cameras=cameras)
        )
        self.viewer.ask()
        self.camera.ask()
        self.node.until("active: ")
        wait_for(lambda: self.viewer.ask("matched"))
        self.show(Film(self.topics, count=20))

    def show(self, film: Film) -> Shown:
        """Show a film and return what became of it."""
        film = dataclasses.replace(film, topics=self.topics)
        before, cpu = self._counters(), self.node.cpu()
        self.viewer.ask("forget")
        sent = self.camera.ask(film, limit=600) * len(film.topics)
        time.sleep(SETTLE)
        cpu = self.node.cpu() - cpu
        after, seen = self._counters(), self.viewer.ask("seen")
        self.seen: Seen = seen
        latencies = [1e3 * late for topic in seen.latencies.values() for late in topic]
        counts = (now - then for now, then in zip(after, before, strict=True))
        return Shown(sent, *counts, latencies, 1e3 * cpu / sent)

    def _counters(self) -> tuple[int, int, int]:
        """Return what the node's last report said: received, dropped, processed."""
        counters = self.viewer.ask("seen").counters
        mine = [counters[name] for name in self.cameras if name in counters]
        keys = ("received", "dropped (engine busy)", "processed")
        return tuple(sum(camera[key] for camera in mine) for key in keys)


def streams(quick: bool) -> Iterator[Row]:
    """Yield camera topic to detections, with the shipped Fast DDS profile and without."""
    rounds, count = (1, 90) if quick else (3, 300)
    with contextlib.ExitStack() as stack:
        chains = {profile: Chain(stack, Graph(profile)) for profile in (True, False)}
        engine = stack.enter_context(Peer(Graph(), bare))
        engine.ask()
        for size in SIZES:
            film = Film(size=size, rate=RATE, count=count)
            shown: dict[bool, list[Shown]] = {True: [], False: []}
            paced, flat_out = [], []
            for _ in range(rounds):
                paced.append(engine.ask((count, RATE)))
                flat_out.append(engine.ask((count, 0)))
                for profile, chain in chains.items():
                    shown[profile].append(chain.show(film))
            for profile in (True, False):
                yield from stream_rows(size, profile, shown[profile], paced, flat_out)


def stream_rows(
    size: tuple[int, int],
    profile: bool,
    shown: list[Shown],
    paced: list[tuple[float, float]],
    flat_out: list[tuple[float, float]],
) -> Iterator[Row]:
    """Yield what one stream was like."""
    name = f"{size[0]}x{size[1]} at {RATE:.0f} Hz, {'our' if profile else 'no'} profile"
    promised = profile and size == SIZES[0]
    sent = sum(film.sent for film in shown)
    arrived = sum(len(film.latencies) for film in shown)
    ways = {
        "on the way in": sent - sum(film.received for film in shown),
        "engine busy": sum(film.dropped for film in shown),
        "on the way out": sum(film.processed for film in shown) - arrived,
    }
    lost = ", ".join(f"{count} {where}" for where, count in ways.items() if count) or "none"
    row = Row(f"{name}: answered (lost: {lost})", arrived, "frames", sent, arrived / sent)
    if promised:
        in_transport = ways["on the way in"] + ways["on the way out"]
        row = dataclasses.replace(row, target="lost on the way 0", met=in_transport == 0)
    yield row
    if not arrived:
        return
    late = [statistics.median(film.latencies) for film in shown if film.latencies]
    pairs = list(zip(late, (latency for latency, _ in paced), strict=False))
    row = compared(f"{name}: median latency", "ms", pairs)
    if promised:
        added = statistics.median(mine - theirs for mine, theirs in pairs)
        row = dataclasses.replace(
            row, target=f"engine + {added:.1f} ms, at most + {ADDED:g}", met=added <= ADDED
        )
    yield row
    every = np.concatenate([film.latencies for film in shown])
    yield Row(f"{name}: 95th percentile", float(np.percentile(every, 95)), "ms")
    yield Row(f"{name}: 99th percentile", float(np.percentile(every, 99)), "ms")
    for against, calls in (("at this rate", paced), ("back to back", flat_out)):
        pairs = [(film.cpu, cpu) for film, (_, cpu) in zip(shown, calls, strict=True)]
        row = compared(f"{name}: CPU a frame, beside the engine {against}", "ms", pairs)
        yield at_most(row, CPU) if promised else row


def four_cameras(quick: bool) -> Iterator[Row]:
    """Yield four cameras at 15 Hz: what each gets of the engine, and how old its results are."""
    names, rate = ("front", "rear", "left", "right"), 15.0
    with contextlib.ExitStack() as stack:
        chain = Chain(stack, Graph(), names)
        shown = chain.show(Film(rate=rate, count=90 if quick else 300))
        shares = [len(late) for late in chain.seen.latencies.values()]
        yield Row("four cameras at 15 Hz: answered", len(shown.latencies), "frames", shown.sent,
                  len(shown.latencies) / shown.sent)  # fmt: skip
        yield Row("four cameras: the least share beside the largest", min(shares), "frames",
                  max(shares), min(shares) / max(shares))  # fmt: skip
        yield Row("four cameras: median latency", statistics.median(shown.latencies), "ms")
        yield Row("four cameras: 99th percentile", float(np.percentile(shown.latencies, 99)), "ms")


def start(quick: bool) -> Iterator[Row]:
    """Yield the time from the start of detector_node's process to its first sentence."""
    graph, times = Graph(), []
    with Peer(graph, viewer, (), (SENTENCE,)) as seer, Peer(graph, camera) as source:
        seer.ask()
        source.ask()
        for _ in range(1 if quick else 5):
            seer.ask("forget")
            with Node(graph, "detector_node", model=model(), offline=True) as node:
                source.ask(Film(rate=20, count=60))
                wait_for(lambda: seer.ask("seen").first > 0)
                times.append(seer.ask("seen").first - node.started)
    row = Row("process start to first sentence", statistics.median(times), "s",
              low=min(times), high=max(times))  # fmt: skip
    yield at_most(row, START, "value")


def memory(quick: bool) -> Iterator[Row]:
    """Yield the resident memory over many frames, sent as fast as the engine takes them."""
    frames, part = (1000, 200) if quick else (10_000, 1000)
    with contextlib.ExitStack() as stack:
        chain = Chain(stack, Graph())
        sizes, processed = [], 0
        while processed < frames:
            processed += chain.show(Film(rate=100, count=part)).processed
            sizes.append(chain.node.resident())
        row = Row(f"resident memory, largest in {processed} frames", max(sizes), "MB")
        yield at_most(row, MEMORY, "value")
        row = Row("resident memory, growth after the first tenth", sizes[-1] - sizes[0], "MB")
        yield at_most(row, GROWTH, "value")


def rows(quick: bool = False) -> list[Row]:
    return [
        *show("Camera topic to detections (beside the bare engine)", streams(quick)),
        *show("Four cameras", four_cameras(quick)),
        *show("Start of detector_node", start(quick)),
        *show("Memory of detector_node", memory(quick)),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer frames")
    save(rows(parser.parse_args().quick), "topics")


if __name__ == "__main__":
    main()
