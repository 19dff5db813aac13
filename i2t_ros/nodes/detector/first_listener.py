"""Lets a detector_node wait for those who listen: what is shown once would pass them by."""

import time
from collections.abc import Callable

from i2t_ros.nodes.detector.cameras import DetectorCameras
from i2t_ros.nodes.lifecycle.runner import ManagedNode

PERIOD = 0.1
"""Seconds between two looks."""


class FirstListener:
    """Waits until each camera has a publisher of images and a subscriber of sentences.

    The publisher is awaited as well so that the subscription has its reliability from the start: to
    change it later could lose an image.
    """

    def __init__(
        self, node: ManagedNode, cameras: DetectorCameras, limit: float, then: Callable[[], object]
    ) -> None:
        """Begin to wait; call ``then``, once, in the executor, after ``limit`` seconds at most."""
        self._node = node
        self._cameras = cameras
        self._limit = limit
        self._end = time.monotonic() + limit
        self._then = then
        self._timer = node.every(PERIOD, self._look)

    def close(self) -> None:
        """Wait no more. May be called more than once."""
        self._node.destroy_timer(self._timer)

    def _look(self) -> None:
        complete = all(
            ports.outputs.wanted("sentence") and self._node.count_publishers(ports.topic)
            for ports in self._cameras.ports.values()
        )
        if not complete and time.monotonic() < self._end:
            return
        if not complete:
            self._node.get_logger().warning(
                f"await_listener: nobody listens to the sentences, or shows images, after "
                f"{self._limit:g} s; images are taken all the same"
            )
        self.close()
        self._then()
