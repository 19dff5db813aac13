"""A subscription to images that meets whatever publishers there are."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rclpy.node import Node
from rclpy.qos import (
    QoSPolicyKind,
    QoSProfile,
    QoSReliabilityPolicy,
    qos_profile_sensor_data,
)
from rclpy.qos_overriding_options import QoSOverridingOptions
from rclpy.subscription import Subscription
from rclpy.topic_endpoint_info import TopicEndpointInfo
from sensor_msgs.msg import CompressedImage, Image

PATIENCE = 5.0
"""Seconds without a publisher before that is worth a line of the log."""

_POLICIES = {
    "best_effort": QoSReliabilityPolicy.BEST_EFFORT,
    "reliable": QoSReliabilityPolicy.RELIABLE,
}


@dataclass(frozen=True, slots=True)
class InputOptions:
    """How images come.

    compressed   as sensor_msgs/CompressedImage, and not as sensor_msgs/Image
    reliability  "best_effort", which meets every publisher; "reliable", which meets only reliable
                 ones; or "auto": reliable if all publishers are, since large images in many packets
                 then arrive whole over a network, and best effort otherwise
    overridable  whether parameters are declared that override the QoS
    """

    compressed: bool
    reliability: str
    overridable: bool = True


class ImageInput:
    """Subscribes to one image topic with sensor-data QoS."""

    def __init__(
        self,
        node: Node,
        topic: str,
        callback: Callable[[Any], None],
        options: InputOptions,
    ) -> None:
        """Subscribe."""
        self._node = node
        self._kind = CompressedImage if options.compressed else Image
        self._topic = topic
        self._callback = callback
        # Not the reliability: an override is fixed once it is declared, this one adapts.
        policies = [QoSPolicyKind.HISTORY, QoSPolicyKind.DEPTH]
        self._overrides = QoSOverridingOptions(policies) if options.overridable else None
        self._adapts = options.reliability == "auto"
        self._policy = _POLICIES.get(options.reliability, QoSReliabilityPolicy.BEST_EFFORT)
        self._since = time.monotonic()
        self._told: set[str] = set()
        self._subscription: Subscription | None = self._subscribe()

    @property
    def name(self) -> str:
        """The topic's full name, after remapping."""
        return str(self._subscription.topic_name) if self._subscription else self._topic

    def close(self) -> None:
        """Unsubscribe. May be called more than once."""
        if self._subscription is not None:
            self._node.destroy_subscription(self._subscription)
            self._subscription = None

    def watch(self) -> None:
        """Look at the publishers: adapt to them, and say once what keeps images away."""
        if self._subscription is None:
            return
        name = self.name
        publishers = self._node.get_publishers_info_by_topic(name)
        if not publishers:
            if time.monotonic() - self._since > PATIENCE:
                self._tell(
                    f"no publisher on {name} yet; is the camera running, its topic remapped?"
                )
            return
        mine = f"{self._kind.__module__.split('.')[0]}/msg/{self._kind.__name__}"
        for publisher in publishers:
            if publisher.topic_type != mine:
                self._tell(
                    f"{_who(publisher)} publishes {publisher.topic_type} on {name}, expected "
                    f"{mine}; the parameter image_transport chooses between raw and compressed"
                )
        self._meet(name, [item for item in publishers if item.topic_type == mine])

    def _meet(self, name: str, publishers: list[TopicEndpointInfo]) -> None:
        """Take the reliability that suits the publishers, or say who cannot be heard."""
        best_effort = [
            item
            for item in publishers
            if item.qos_profile.reliability == QoSReliabilityPolicy.BEST_EFFORT
        ]
        if self._adapts and publishers:
            wanted = _POLICIES["best_effort" if best_effort else "reliable"]
            if wanted != self._policy:
                self._policy = wanted
                self.close()
                self._subscription = self._subscribe()
                self._node.get_logger().info(
                    f"{name}: now {wanted.name.lower()}, as its publishers are"
                )
        elif self._policy == QoSReliabilityPolicy.RELIABLE:
            for publisher in best_effort:
                self._tell(
                    f"{_who(publisher)} publishes {name} with best effort and is not heard by a "
                    "reliable subscription; set the parameter reliability to auto or best_effort"
                )

    def _subscribe(self) -> Subscription:
        qos = QoSProfile(
            depth=qos_profile_sensor_data.depth,
            history=qos_profile_sensor_data.history,
            reliability=self._policy,
        )
        return self._node.create_subscription(
            self._kind,
            self._topic,
            self._callback,
            qos,
            qos_overriding_options=self._overrides,
        )

    def _tell(self, warning: str) -> None:
        if warning not in self._told:
            self._told.add(warning)
            self._node.get_logger().warning(warning)


def _who(publisher: TopicEndpointInfo) -> str:
    return f"{publisher.node_namespace.rstrip('/')}/{publisher.node_name}"
