"""From a camera's topic to detections, between processes: loss, latency, rate, memory, CPU.

A camera, detector_node and a viewer are processes of their own. The bare engine is called in the
same turns, in a process with nothing else in it. All of them share the same cores.
"""

from __future__ import annotations

import contextlib
import dataclasses
import random
import statistics
import time
from collections.abc import Iterator
from functools import partial

import numpy as np
from chain import Chain, Floor, Shown
from effort import Effort
from material import model
from peers import Film, Graph, Node, Peer, camera, engine, receiver, viewer, wait_for
from table import (
    Row,
    Table,
    alternate,
    at_least,
    at_most,
    at_most_added,
    beside_mean,
    compared,
    show,
)
from targets import CPU, FRAME_RATE, GROWTH, MEMORY, START, TOPIC

SENTENCE = "/detector_node/sentence"
SIZES = ((640, 480), (1920, 1080))
RATE = 30.0
FOUR = ("front", "rear", "left", "right")
OVERLOAD = 1.2
"""Images shown for each that the bare engine could take. More would only cost the cores that the
engine needs too, fewer would leave it without an image where some come late."""


def floods(effort: Effort, one: Chain, four: Chain, bare: Peer) -> Iterator[Row]:
    """Yield the frames a second of one camera and of four, and the memory that one leaves."""
    sizes, frames = [], 0
    speed = bare.ask((50, 0)).rate

    def flat_out() -> float:
        nonlocal speed
        speed = bare.ask((int(effort.flood * speed / 2), 0)).rate
        return speed

    def flood(chain: Chain) -> float:
        nonlocal frames
        rate = OVERLOAD * speed / len(chain.topics)
        seen = chain.play(Film(rate=rate, count=int(effort.flood * rate)))
        if chain is one:
            frames += seen.count
            sizes.append(one.node.resident())
        return seen.rate

    chains = {"one camera": partial(flood, one), "four cameras": partial(flood, four)}
    pairs = alternate(effort, flat_out, chains)
    for name, found in pairs.items():
        what = f"{name}, 640x480, {OVERLOAD:g} x as many images as the bare engine could take"
        yield at_least(compared(what, "frames/s", beside_mean(found)), FRAME_RATE)
    row = Row(f"resident memory, largest in these {frames} frames of one camera", max(sizes), "MB")
    yield at_most(row, MEMORY, "value")
    row = Row("its growth after the first turn", sizes[-1] - sizes[0], "MB")
    yield at_most(row, GROWTH, "value")


def streams(effort: Effort, ours: Chain, stack: contextlib.ExitStack, bare: Peer) -> Iterator[Row]:
    """Yield images at 30 Hz to detections, with the shipped Fast DDS profile and without."""
    chains = {"our profile": ours}
    if not effort.gate:
        chains["no profile"] = Chain(stack, Graph(profile=False)).wait()
    count = int(effort.stream * RATE)
    ways = {
        (size, profile): partial(chain.show, Film(size=size, rate=RATE, count=count))
        for size in SIZES
        for profile, chain in chains.items()
    }
    measured = alternate(effort, lambda: bare.ask((count // 2, RATE)), ways)
    for (size, profile), found in measured.items():
        name = f"{size[0]}x{size[1]} at {RATE:.0f} Hz, {profile}"
        promised = profile == "our profile"
        yield loss(name, [film for film, *_ in found], promised)
        late = beside_mean(
            [
                (statistics.median(film.latencies), before.latency, after.latency)
                for film, before, after in found
                if film.latencies
            ]
        )
        if not late:
            continue
        row = compared(f"{name}: median latency, beside the engine's", "ms", late)
        yield at_most_added(row, late, TOPIC[size]) if promised else row
        if effort.gate:
            continue
        every = np.concatenate([film.latencies for film, *_ in found])
        for percent in (95, 99):
            yield Row(f"{name}: {percent}th percentile", float(np.percentile(every, percent)), "ms")
        costs = beside_mean([(film.cpu, before.cpu, after.cpu) for film, before, after in found])
        row = compared(f"{name}: processor time of a frame, beside the engine's", "ms", costs)
        yield at_most(row, CPU) if promised and size == SIZES[0] else row


def floor(effort: Effort) -> Iterator[Row]:
    """Yield what the way from a camera through a node to a viewer takes by itself."""
    with contextlib.ExitStack() as stack:
        way = Floor(stack)
        for size in SIZES:
            film = Film(size=size, rate=RATE, count=int(effort.stream * RATE))
            late = [way.latency(film) for _ in effort.each_turn()]
            name = f"{size[0]}x{size[1]} at {RATE:.0f} Hz: a node that looks at nothing, median"
            yield Row(name, statistics.median(late), "ms", low=min(late), high=max(late))


def loss(name: str, shown: list[Shown], promised: bool) -> Row:
    """Return how many images were answered, and what became of the others."""
    sent = sum(film.sent for film in shown)
    arrived = sum(len(film.latencies) for film in shown)
    ways = {
        "on the way in": sum(film.lost_in for film in shown),
        "backend busy": sum(film.dropped for film in shown),
        "on the way out": sum(film.lost_out for film in shown),
    }
    lost = ", ".join(f"{count} {where}" for where, count in ways.items() if count) or "none"
    row = Row(f"{name}: answered (lost: {lost})", arrived, "frames", sent, arrived / sent)
    if not promised:
        return row
    on_the_way = ways["on the way in"] + ways["on the way out"]
    return dataclasses.replace(row, target="lost on the way: 0", met=on_the_way == 0)


def four_cameras(effort: Effort) -> Iterator[Row]:
    """Yield four cameras at 15 Hz: what each gets of the engine, and how old its results are."""
    rate = 15.0
    with contextlib.ExitStack() as stack:
        chain = Chain(stack, Graph(), FOUR).wait()
        shown = chain.show(Film(rate=rate, count=int(effort.flood * rate)))
    found = shown.latencies
    yield Row("answered", len(found), "frames", shown.sent, len(found) / shown.sent)
    least, most = min(chain.shares), max(chain.shares)
    yield Row("the least share beside the largest", least, "frames", most, least / most)
    yield Row("median latency", statistics.median(found), "ms")
    yield Row("99th percentile", float(np.percentile(found, 99)), "ms")


def unwatched(effort: Effort) -> Iterator[Row]:
    """Yield what images cost that nobody looks at, and what they cost whoever takes them.

    Beside a plain subscription in Python, which takes the same images and does nothing.
    """
    for size in SIZES:
        with contextlib.ExitStack() as stack:
            graph = Graph()
            plain = stack.enter_context(Peer(graph, receiver, "image"))
            chain = Chain(stack, graph, watched=False).wait()
            plain.ask()
            film = Film(size=size, rate=RATE, count=int(effort.stream * RATE))
            chain.show(film)  # until both have found the camera
            pairs, ages = [], []
            for _ in effort.each_turn():
                plain.ask("seen")
                cpu = chain.show(film).cpu
                late, plain_cpu = plain.ask("seen")
                pairs.append((cpu, plain_cpu))
                ages.append(late)
        name = f"{size[0]}x{size[1]} at {RATE:.0f} Hz"
        yield compared(f"{name}: processor time of an image that nobody looks at", "ms", pairs)
        yield Row(f"{name}: camera to the plain subscription", statistics.median(ages), "ms")


def start(quick: bool) -> Iterator[Row]:
    """Yield the time from the start of detector_node's process to its first sentence."""
    graph, times = Graph(), []
    with Peer(graph, viewer, (), (SENTENCE,)) as seer, Peer(graph, camera) as source:
        seer.ask()
        source.ask()
        for _ in range(1 if quick else 5):
            # Not in step with what the others announce once a second, from one start to the next.
            time.sleep(random.random())
            seer.ask("forget")
            with Node(graph, "detector_node", model=model(), offline=True) as node:
                # Films until a sentence has come: camera and viewer each find the node by
                # themselves, up to 3 s apart, and what it says before it knows the viewer is lost.
                wait_for(lambda: source.ask(Film(rate=20, count=10)) and seer.ask("seen").first > 0)
                times.append(seer.ask("seen").first - node.started)
    row = Row("process start to first sentence", statistics.median(times), "s",
              low=min(times), high=max(times))  # fmt: skip
    yield at_most(row, START, "value")


def tables(effort: Effort) -> list[Table]:
    found = [show("start", "Start of detector_node", start(effort.gate))]
    with contextlib.ExitStack() as stack:
        bare = stack.enter_context(Peer(Graph(), engine))
        one = Chain(stack, Graph())
        with contextlib.ExitStack() as fewer:
            four = Chain(fewer, Graph(), FOUR)
            bare.ask()
            one.wait()
            four.wait()
            title = "More images than the engine can take (beside the bare engine)"
            found.append(show("floods", title, floods(effort, one, four, bare)))
        title = "Camera topic to detections (beside the bare engine)"
        found.append(show("streams", title, streams(effort, one, stack, bare)))
    if not effort.gate:
        title = "The way alone, through a Python node that answers each image at once"
        found.append(show("floor", title, floor(effort)))
        title = "Four cameras of 15 images a second"
        found.append(show("cameras", title, four_cameras(effort)))
        title = "Images that nobody looks at (beside a plain subscription)"
        found.append(show("unwatched", title, unwatched(effort)))
    return found
