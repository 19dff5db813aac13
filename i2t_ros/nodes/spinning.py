"""Spins a node in a thread of its own, until it is told to stop."""

from __future__ import annotations

import threading

from rclpy.executors import MultiThreadedExecutor, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.task import Future

STOP_LIMIT = 5.0
"""Seconds for the thread to end."""


class SpinningThread:
    """Runs a node's callbacks.

    A turn of the executor ends with a callback, or by a future that is done. shutdown() in another
    thread would take away what the turn is still looking at. The future is a new one for each turn,
    since a turn adds a callback to it: for every image that comes 350 bytes that stay.
    """

    def __init__(self, node: Node, threads: int = 1) -> None:
        """Start; ``threads`` callbacks may run at once."""
        self._executor = (
            SingleThreadedExecutor() if threads == 1 else MultiThreadedExecutor(threads)
        )
        self._executor.add_node(node)
        self._stopping = False
        self._turn_ends: Future = Future()
        self._thread = threading.Thread(target=self._spin, name="i2t-executor", daemon=True)
        self._thread.start()

    def is_alive(self) -> bool:
        """Return whether it still spins: an error in a callback ends it."""
        return self._thread.is_alive()

    def close(self, limit: float = STOP_LIMIT) -> bool:
        """Stop, while the node is still there; return whether the thread ended in time (s)."""
        self._stopping = True
        self._turn_ends.set_result(None)
        self._thread.join(limit)
        self._executor.shutdown(limit)
        return not self._thread.is_alive()

    def _spin(self) -> None:
        while True:
            # This before the look: close() does it the other way round, so one sees the other.
            self._turn_ends = Future()
            if self._stopping:
                return
            self._executor.spin_once_until_future_complete(self._turn_ends)
