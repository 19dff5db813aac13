"""What is wrong around a node: another one has its name, or simulated time does not come."""

import time

from rclpy.clock import Clock, ClockType
from rclpy.node import Node

STEADY_CLOCK = Clock(clock_type=ClockType.STEADY_TIME)
"""For timers that must run whatever time the node is told."""


class Surroundings:
    """Looks at the ROS graph from time to time, and warns once of what is wrong, until it is over.

    troubles  what was wrong at the last look
    """

    PERIOD = 2.0
    """Seconds between two looks."""
    PATIENCE = 5.0
    """Seconds for which something may be wrong: a node that has just ended is still listed."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._since: dict[str, float] = {}
        self._told: set[str] = set()
        self.troubles: list[str] = []

    def look(self) -> None:
        """Look now."""
        now = time.monotonic()
        found = [*self._namesakes(), *self._no_clock()]
        self._since = {each: self._since.get(each, now) for each in found}
        self.troubles = [each for each in found if now - self._since[each] >= self.PATIENCE]
        for trouble in self.troubles:
            if trouble not in self._told:
                self._node.get_logger().warning(trouble)
        self._told = set(self.troubles)

    def _namesakes(self) -> list[str]:
        name, namespace = self._node.get_name(), self._node.get_namespace()
        if self._node.get_node_names_and_namespaces().count((name, namespace)) < 2:
            return []
        return [
            f"another node is named {self._node.get_fully_qualified_name()}, too: their topics, "
            "services and parameters mix; end one, or give one another name (-r __node:=NAME, or "
            "__ns:=/NAMESPACE). One that was killed is listed for some seconds more"
        ]

    def _no_clock(self) -> list[str]:
        simulated = self._node.has_parameter("use_sim_time") and (
            self._node.get_parameter("use_sim_time").value
        )
        if not simulated or self._node.count_publishers("/clock"):
            return []
        return [
            "use_sim_time is true, but nothing publishes /clock, so the node's time stands still; "
            "start the simulator, play the recording with --clock, or set use_sim_time to false"
        ]
