"""Ends a node once those whom it hears have gone, and all that it has heard is done."""

from collections.abc import Callable, Iterable

from i2t_ros.nodes.lifecycle.runner import ManagedNode

PERIOD = 0.2
"""Seconds between two looks."""
LOOKS = 3
"""Looks in a row that find nothing: a message may wait for the executor at the first one."""


class Departure:
    """Looks whether the topics of a node have publishers, and ends it some time after the last."""

    def __init__(
        self,
        node: ManagedNode,
        topics: Callable[[], Iterable[str]],
        *,
        heard: Callable[[], bool],
        busy: Callable[[], bool],
        farewell: Callable[[], object] = lambda: None,
    ) -> None:
        """Begin to look; all functions are called in the executor.

        topics    returns their full names
        heard     returns whether anything has come, also if its publisher was never seen
        busy      returns whether something of it is still in work
        farewell  is called before the node ends
        """
        self._node = node
        self._topics = topics
        self._heard = heard
        self._busy = busy
        self._farewell = farewell
        self._met = False
        self._quiet = 0
        self._timer = node.every(PERIOD, self._look)

    def close(self) -> None:
        """Look no more. May be called more than once."""
        self._node.destroy_timer(self._timer)

    def _look(self) -> None:
        there = any(map(self._node.count_publishers, self._topics()))
        self._met |= there or self._heard()
        if there or not self._met or self._busy():
            self._quiet = 0
            return
        self._quiet += 1
        if self._quiet == LOOKS:
            self._farewell()
            self._node.end()
