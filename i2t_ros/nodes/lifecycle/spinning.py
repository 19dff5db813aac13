"""Spins a node in a thread of its own, until it is told to stop."""

from __future__ import annotations

import threading
import traceback

from rclpy.exceptions import InvalidHandle
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node

STOP_LIMIT = 5.0
"""Seconds for the thread to end."""


class SpinningThread:
    """Runs a node's callbacks one after the other; it sleeps while there is nothing to call.

    Each turn calls ``spin_once()`` with the same arguments. rclpy restarts its search for work if
    they change, and each restart runs every waiting coroutine again: with a new future in each turn
    the thread would never sleep while a coroutine waits (ros2/rclpy issue 1405). With the same
    future in each turn, each turn would add a callback to it: 350 bytes for every image.
    """

    def __init__(self, node: Node) -> None:
        """Start."""
        self._node = node
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(node)
        self._stopping = False
        self._thread = threading.Thread(target=self._spin, name="i2t-executor", daemon=True)
        self._thread.start()

    def is_alive(self) -> bool:
        """Return whether it still spins."""
        return self._thread.is_alive()

    def close(self, limit: float = STOP_LIMIT) -> bool:
        """Stop, while the node is still there; return whether the thread ended in time (s)."""
        if not self._stopping:
            self._stopping = True
            # A task ends the turn that the thread is in. shutdown() alone would take away what
            # that turn is still looking at.
            self._executor.create_task(lambda: None)
        self._thread.join(limit)
        if self._thread.is_alive():
            return False
        self._executor.shutdown(limit)
        return True

    def _spin(self) -> None:
        context = self._executor.context
        while not self._stopping and context.ok():
            try:
                self._executor.spin_once()
            except InvalidHandle:  # another thread destroyed what was to be waited for: look anew
                continue
            except Exception:  # a callback's: the other callbacks must go on being called
                self._node.get_logger().error(f"a callback failed: {traceback.format_exc()}")
