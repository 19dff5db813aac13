"""Spins a node in a thread of its own, until it is told to stop."""

from __future__ import annotations

import threading

from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.executors import MultiThreadedExecutor, SingleThreadedExecutor
from rclpy.node import Node

STOP_LIMIT = 5.0
"""Seconds for the thread to end."""


class SpinningThread:
    """Runs a node's callbacks.

    rclpy's own ways to end a spin from another thread do not serve: shutdown() takes away what
    spin() is still looking at, and spin_until_future_complete() leaves one more callback in its
    future with each turn, 350 bytes for every image that comes.
    """

    def __init__(self, node: Node, threads: int = 1) -> None:
        """Start; ``threads`` callbacks may run at once."""
        self._executor = (
            SingleThreadedExecutor() if threads == 1 else MultiThreadedExecutor(threads)
        )
        self._executor.add_node(node)
        self._stopping = threading.Event()
        # Without a callback to run, no turn would end. Its group lets it run beside all others.
        self._turn_end = node.create_guard_condition(_nothing, ReentrantCallbackGroup())
        self._thread = threading.Thread(target=self._spin, name="i2t-executor", daemon=True)
        self._thread.start()

    def is_alive(self) -> bool:
        """Return whether it still spins: an error in a callback ends it."""
        return self._thread.is_alive()

    def close(self, limit: float = STOP_LIMIT) -> bool:
        """Stop, while the node is still there; return whether the thread ended in time (s)."""
        self._stopping.set()
        self._turn_end.trigger()
        self._thread.join(limit)
        self._executor.shutdown(limit)
        return not self._thread.is_alive()

    def _spin(self) -> None:
        while not self._stopping.is_set():
            self._executor.spin_once()


def _nothing() -> None:
    """Serve as the callback of a turn that does nothing."""
