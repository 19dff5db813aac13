"""A subscription to images that suits whatever publishers there are."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rclpy.node import Node
from rclpy.qos import QoSPolicyKind, QoSProfile, QoSReliabilityPolicy, qos_profile_sensor_data
from rclpy.qos_overriding_options import QoSOverridingOptions
from rclpy.subscription import Subscription
from rclpy.topic_endpoint_info import TopicEndpointInfo
from sensor_msgs.msg import CompressedImage, Image

PATIENCE = 5.0
"""Seconds without a publisher before a line of the log says so."""


@dataclass(frozen=True, slots=True)
class InputOptions:
    """How images come.

    compressed   as sensor_msgs/CompressedImage, and not as sensor_msgs/Image
    reliability  "best_effort", which suits every publisher; "reliable", which suits only reliable
                 ones; or "auto": reliable if all publishers are, since large images in many packets
                 then arrive whole over a network, and best effort otherwise
    overridable  whether parameters are declared that override the QoS
    """

    compressed: bool
    reliability: str
    overridable: bool = True


class ImageInput:
    """Subscribes to one image topic with sensor-data QoS, between open() and close().

    topic  its full name, as image_transport names it: a remapping of ``image`` holds for
           ``image/compressed`` as well
    """

    def __init__(
        self, node: Node, topic: str, callback: Callable[[Any], None], options: InputOptions
    ) -> None:
        """Find the topic."""
        raw: str = node.resolve_topic_name(topic)
        suffix = "/compressed" if options.compressed else ""
        self.topic: str = node.resolve_topic_name(raw + suffix)
        self._node = node
        self._kind = CompressedImage if options.compressed else Image
        self._callback = callback
        # Not the reliability: an override is fixed once it is declared, this one adapts.
        policies = [QoSPolicyKind.HISTORY, QoSPolicyKind.DEPTH]
        self._overrides = QoSOverridingOptions(policies) if options.overridable else None
        self._adapts = options.reliability == "auto"
        self._reliable = options.reliability == "reliable"
        self._told: set[str] = set()
        self._subscription: Subscription | None = None

    def open(self) -> None:
        """Subscribe."""
        self._since = time.monotonic()
        self._subscription = self._node.create_subscription(
            self._kind,
            self.topic,
            self._callback,
            QoSProfile(
                depth=qos_profile_sensor_data.depth,
                history=qos_profile_sensor_data.history,
                reliability=QoSReliabilityPolicy.RELIABLE
                if self._reliable
                else QoSReliabilityPolicy.BEST_EFFORT,
            ),
            qos_overriding_options=self._overrides,
        )

    def close(self) -> None:
        """Unsubscribe. May be called more than once."""
        if self._subscription is not None:
            self._node.destroy_subscription(self._subscription)
            self._subscription = None

    def watch(self) -> None:
        """Look at the publishers: adapt to them, and say once what keeps images away."""
        if self._subscription is None:
            return
        publishers = self._node.get_publishers_info_by_topic(self.topic)
        if not publishers and time.monotonic() - self._since > PATIENCE:
            self._tell(
                f"no publisher on {self.topic} yet; is the camera running, its topic remapped?"
            )
        mine = f"sensor_msgs/msg/{self._kind.__name__}"
        for publisher in publishers:
            if publisher.topic_type != mine:
                self._tell(
                    f"{_who(publisher)} publishes {publisher.topic_type} on {self.topic}, expected "
                    f"{mine}; the parameter image_transport chooses between raw and compressed"
                )
        self._suit([item for item in publishers if item.topic_type == mine])

    def _suit(self, publishers: list[TopicEndpointInfo]) -> None:
        """Take the reliability that suits the publishers, or say who cannot be heard."""
        best_effort = [
            item
            for item in publishers
            if item.qos_profile.reliability == QoSReliabilityPolicy.BEST_EFFORT
        ]
        if self._adapts:
            if publishers and self._reliable == bool(best_effort):
                self._reliable = not best_effort
                self.close()
                self.open()
                now = "reliable" if self._reliable else "best_effort"
                self._node.get_logger().info(f"{self.topic}: now {now}, as its publishers are")
        elif self._reliable:
            for publisher in best_effort:
                self._tell(
                    f"{_who(publisher)} publishes {self.topic} with best effort and is not heard "
                    "by a reliable subscription; set the parameter reliability to auto or "
                    "best_effort"
                )

    def _tell(self, warning: str) -> None:
        if warning not in self._told:
            self._told.add(warning)
            self._node.get_logger().warning(warning)


def _who(publisher: TopicEndpointInfo) -> str:
    return f"{publisher.node_namespace.rstrip('/')}/{publisher.node_name}"
