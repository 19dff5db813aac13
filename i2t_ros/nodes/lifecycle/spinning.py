"""Spins a node in its own thread."""

import threading
import traceback

from rclpy.exceptions import InvalidHandle
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node

STOP_LIMIT = 5.0
"""Seconds to wait for the thread to end."""


class SpinningThread(threading.Thread):
    """Runs a node's callbacks one after the other, and sleeps while there are none to run.

    Every call of ``spin_once()`` has the same arguments, and none is a future. If the arguments
    change, rclpy restarts its search for work and runs every waiting coroutine again; with a new
    future each time, the thread would never sleep while a coroutine waits (ros2/rclpy issue 1405).
    With the same future each time, every call would add a callback to it: 350 bytes per image.
    """

    def __init__(self, node: Node) -> None:
        super().__init__(name="i2t-executor", daemon=True)
        self._node = node
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(node)
        self._stopping = False
        self.start()

    def close(self, limit: float = STOP_LIMIT) -> bool:
        """Stop before the node is destroyed; return whether that took at most ``limit`` seconds."""
        if not self._stopping:
            self._stopping = True
            # A task ends the current spin_once(). shutdown() alone would destroy what it waits for.
            self._executor.create_task(lambda: None)
        self.join(limit)
        if self.is_alive():
            return False
        self._executor.shutdown(limit)
        return True

    def run(self) -> None:
        """Spin until close()."""
        context = self._executor.context
        while not self._stopping and context.ok():
            try:
                self._executor.spin_once()
            except InvalidHandle:  # another thread destroyed something it waits for
                continue
            except Exception:  # from a callback; the others must still run
                self._node.get_logger().error(f"a callback failed: {traceback.format_exc()}")
