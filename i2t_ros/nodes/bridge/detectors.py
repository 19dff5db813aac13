"""Which detectors are there, as the ROS graph knows it."""

import math
import time
from collections.abc import Callable

from rclpy.node import Node

LOOK_AGAIN = 0.25
"""Seconds between two checks which detectors are there for a pending request."""
STARTING = 10.0
"""Seconds for which a detector that takes the place of another may say that it is not active."""
NEW = 2.0
"""Seconds for which a detector is new, and after which a request to a new one is sent again."""


class Detectors:
    """All that offer one service, told apart by what sends their responses.

    With a middleware that does not call these topics as DDS does, all detectors are one.
    """

    def __init__(self, node: Node, service: str, ready: Callable[[], bool]) -> None:
        """Look for those that offer ``service``, a full name; ``ready`` says whether one does."""
        self._node, self._topic, self._ready = node, f"rr{service}Reply", ready
        self._there: frozenset[bytes] = frozenset()
        self._looked = self._appeared = -math.inf

    def look(self) -> frozenset[bytes]:
        """Return which detectors are there, as of LOOK_AGAIN ago at most."""
        now = time.monotonic()
        if now - self._looked > LOOK_AGAIN:
            senders = self._node.get_publishers_info_by_topic(self._topic, no_mangle=True)
            there = frozenset(bytes(sender.endpoint_gid) for sender in senders)
            if not there and self._ready():
                there = frozenset([b""])
            if there - self._there:
                self._appeared = now
            self._there, self._looked = there, now
        return self._there

    def one_is_new(self) -> bool:
        """Return whether one of those that look() returned last has just appeared."""
        return time.monotonic() - self._appeared < NEW
