"""Spins a node in its own thread."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress

from rclpy.exceptions import InvalidHandle
from rclpy.executors import Executor
from rclpy.node import Node

from i2t_ros.nodes.lifecycle.guard import GuardedExecutor, complain
from i2t_ros.nodes.lifecycle.surroundings import STEADY_CLOCK

STOP_LIMIT = 5.0
"""Seconds to wait for the thread to end."""
BEAT_PERIOD = 1.0
"""Seconds between two beats of a pulse."""
STALLED = 10.0
"""Seconds without a beat after which a node counts as stalled."""


class SpinningThread(threading.Thread):
    """Runs a node's callbacks one after the other, and sleeps while there are none to run.

    Every call of ``spin_once()`` has the same arguments, and none is a future. If the arguments
    change, rclpy restarts its search for work and runs every waiting coroutine again; with a new
    future each time, the thread would never sleep while a coroutine waits (ros2/rclpy issue 1405).
    With the same future each time, every call would add a callback to it: 350 bytes per image.
    """

    def __init__(self, node: Node, on_death: Callable[[], object] = lambda: None) -> None:
        """Spin ``node``; ``on_death`` is called if the thread ends although nobody closed it."""
        super().__init__(name="i2t-executor", daemon=True)
        self._node = node
        self._on_death = on_death
        self._executor = GuardedExecutor(node.get_logger(), node.context)
        self._executor.add_node(node)
        self._stopping = False
        self.start()

    def soon(self, task: Callable[[], object]) -> None:
        """Have the thread call ``task`` between two callbacks; from any thread. See run_soon()."""
        run_soon(self._executor, task)

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
        try:
            while not self._stopping and context.ok():
                try:
                    self._executor.spin_once()
                except InvalidHandle:  # another thread destroyed something it waits for
                    continue
                except Exception as error:  # from a callback; the others must still run
                    complain(self._node.get_logger(), "a callback failed", error)
        finally:
            if not self._stopping:
                self._on_death()


def run_soon(executor: Executor | None, task: Callable[[], object]) -> None:
    """Have an executor call ``task``; not at all if it has been shut down. From any thread.

    Tasks may be called in another order than that in which they came.
    """
    # Of one that is shut down, what wakes it has been destroyed.
    with suppress(InvalidHandle, AttributeError):
        if executor is not None:
            executor.create_task(task)


class Pulse:
    """Beats while the callbacks of a node run: a timer, by a clock that no simulation stops."""

    def __init__(self, node: Node) -> None:
        self._beat()
        node.create_timer(BEAT_PERIOD, self._beat, clock=STEADY_CLOCK)

    def stalled(self) -> str:
        """Return why the node's callbacks do not run, as far as is known; empty if they do."""
        seconds = time.monotonic() - self._last
        return f"the node has been stalled for {seconds:.0f} s" if seconds > STALLED else ""

    def _beat(self) -> None:
        self._last = time.monotonic()
