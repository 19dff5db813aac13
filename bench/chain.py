"""detector_node between a camera and a viewer, and what became of the images shown."""

from __future__ import annotations

import contextlib
import dataclasses
import statistics
import time

from material import model
from peers import Film, Graph, Node, Peer, Seen, camera, mirror, viewer, wait_for

LAST = 0.3
"""Seconds after a film in which its last detections have come."""
COUNTERS = ("received", "dropped (backend busy)", "processed")


@dataclasses.dataclass
class Shown:
    """What became of a film.

    lost_in, lost_out  images and detections lost on the way
    latencies          from image to detections, ms
    cpu                the node's processor time of an image, ms
    """

    sent: int
    dropped: int
    lost_in: int
    lost_out: int
    latencies: list[float]
    cpu: float


class Chain:
    """detector_node between a camera and a viewer, in a graph of their own."""

    def __init__(
        self,
        stack: contextlib.ExitStack,
        graph: Graph,
        names: tuple[str, ...] = (),
        watched: bool = True,
    ) -> None:
        """Start all three; they are ready once ``wait`` has returned.

        names    of cameras; none: one camera on the topic ``image``
        watched  whether the viewer listens to detections, or only to diagnostics
        """
        self.topics = tuple(f"{name}/image" for name in names) or ("image",)
        self._cameras = names or ("image",)
        self._found = (
            [f"/detector_node/{name}detections" for name in _prefixes(names)] if watched else []
        )
        self._viewer = stack.enter_context(Peer(graph, viewer, self._found))
        self._camera = stack.enter_context(Peer(graph, camera))
        self.node = stack.enter_context(
            Node(graph, "detector_node", model=model(), offline=True, cameras=list(names) or [""])
        )

    def wait(self) -> Chain:
        """Return this when images come through."""
        self._viewer.ask()
        self._camera.ask()
        self.node.until("active: ")
        wait_for(lambda: self._viewer.ask("matched"))
        # That one side has found the other does not say that the other has found it too.
        wait_for(lambda: set(self._found) <= set(self.play(Film(count=5)).latencies))
        return self

    def play(self, film: Film) -> Seen:
        """Show a film and return what the viewer saw of it."""
        self._play(film)
        time.sleep(LAST)
        return self._viewer.ask("seen")

    def show(self, film: Film) -> Shown:
        """Show a film and return what became of its images."""
        before, cpu = self._sums(self._reported()), self.node.cpu()
        sent = self._play(film)
        cpu = self.node.cpu() - cpu
        seen = self._reported()
        after = self._sums(seen)
        received, dropped, processed = (after[key] - before[key] for key in COUNTERS)
        latencies = [1e3 * late for topic in seen.latencies.values() for late in topic]
        self.shares = [len(topic) for topic in seen.latencies.values()]
        lost_in, lost_out = sent - received, processed - seen.count
        return Shown(sent, dropped, lost_in, lost_out, latencies, 1e3 * cpu / sent)

    def _play(self, film: Film) -> int:
        self._viewer.ask("forget")
        film = dataclasses.replace(film, topics=self.topics)
        sent = self._camera.ask(film, limit=600) * len(self.topics)
        self._ended = time.time()
        return sent

    def _reported(self) -> Seen:
        """Return what the viewer has seen when the node has reported all of the last film."""
        wait_for(lambda: self._viewer.ask("seen").reported > self._ended + LAST)
        return self._viewer.ask("seen")

    def _sums(self, seen: Seen) -> dict[str, int]:
        """Return what the node's last report said of all cameras together."""
        mine = [seen.counters[name] for name in self._cameras if name in seen.counters]
        return {key: sum(counters[key] for counters in mine) for key in COUNTERS}


class Floor:
    """A node that looks at nothing between a camera and a viewer: what the way alone takes."""

    def __init__(self, stack: contextlib.ExitStack) -> None:
        """Start all three, and return when images come through."""
        graph, found = Graph(), "/mirror/detections"
        self._viewer = stack.enter_context(Peer(graph, viewer, [found]))
        self._camera = stack.enter_context(Peer(graph, camera))
        node = stack.enter_context(Peer(graph, mirror, "image", found))
        for peer in (self._viewer, self._camera, node):
            peer.ask()
        wait_for(lambda: self._play(Film(count=5)).count)

    def latency(self, film: Film) -> float:
        """Show a film and return the median time from an image to its answer, ms."""
        latencies = self._play(film).latencies.values()
        return 1e3 * statistics.median(late for topic in latencies for late in topic)

    def _play(self, film: Film) -> Seen:
        self._viewer.ask("forget")
        self._camera.ask(film, limit=600)
        time.sleep(LAST)
        return self._viewer.ask("seen")


def _prefixes(names: tuple[str, ...]) -> list[str]:
    return [f"{name}/" for name in names] or [""]
