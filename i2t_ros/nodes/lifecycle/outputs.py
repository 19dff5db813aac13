"""The topics that a lifecycle node publishes on, which cost nothing while nobody listens."""

from collections.abc import Callable, Mapping
from typing import Any

from rclpy.duration import Duration
from rclpy.lifecycle import LifecycleNode
from rclpy.qos import QoSProfile
from rclpy.qos_overriding_options import QoSOverridingOptions


class Outputs:
    """Publishers by name."""

    def __init__(
        self,
        node: LifecycleNode,
        topics: Mapping[str, tuple[type, str, QoSProfile | int]],
        *,
        overridable: bool = True,
    ) -> None:
        """Create a publisher for each name of ``topics``: message type, topic, QoS or its depth.

        ``overridable`` declares parameters that override the QoS.
        """
        self._node = node
        overrides = QoSOverridingOptions.with_default_policies() if overridable else None
        self._publishers: dict[str, Any] = {
            name: node.create_lifecycle_publisher(
                kind, topic, qos, qos_overriding_options=overrides
            )
            for name, (kind, topic, qos) in topics.items()
        }

    def activate(self) -> None:
        """Let them publish, in a node that is active already."""
        for publisher in self._publishers.values():
            publisher.on_activate(None)

    def wanted(self, *names: str) -> bool:
        """Return whether any of these topics has a subscriber; no name: any of all."""
        asked = [self._publishers[name] for name in names] or self._publishers.values()
        return any(each.get_subscription_count() for each in asked)

    def publish(self, name: str, make: Callable[[], Any]) -> Any:
        """Make and publish a message if the topic has a subscriber; return it.

        If it has none, or ``make`` returns None, nothing is published, and None is returned.
        """
        publisher = self._publishers[name]
        if not publisher.get_subscription_count():
            return None
        msg = make()
        if msg is not None:
            publisher.publish(msg)
        return msg

    def wait_for_subscribers(self, limit: float) -> None:
        """Wait until reliable subscribers have received everything, at most ``limit`` seconds."""
        for publisher in self._publishers.values():
            publisher.wait_for_all_acked(Duration(seconds=limit))

    def destroy(self) -> None:
        """Remove the topics."""
        for publisher in self._publishers.values():
            self._node.destroy_lifecycle_publisher(publisher)
        self._publishers = {}
