"""Which detector would answer now, and with which models and options."""

from __future__ import annotations

import json

from rclpy.event_handler import QoSSubscriptionMatchedInfo, SubscriptionEventCallbacks
from rclpy.node import Node
from vision_msgs.msg import VisionInfo

from i2t_ros.nodes.messages.describe import LATCHED


class DetectorConfiguration:
    """Follows the latched ``vision_info`` of a detector, which has a new one for every change."""

    def __init__(self, node: Node, topic: str) -> None:
        """Subscribe to ``topic``."""
        self._node = node
        self._text = ""
        events = SubscriptionEventCallbacks(matched=self._matched)
        self._subscription = node.create_subscription(
            VisionInfo, topic, self._take, LATCHED, event_callbacks=events
        )

    def text(self) -> str:
        """Return what tells one configuration from another; "" if no detector is there.

        May be called in any thread.
        """
        return self._text

    def close(self) -> None:
        """Unsubscribe."""
        self._node.destroy_subscription(self._subscription)
        self._text = ""

    def _take(self, info: VisionInfo) -> None:
        self._text = json.dumps([info.method, info.database_location, info.database_version])

    def _matched(self, info: QoSSubscriptionMatchedInfo) -> None:
        if info.current_count_change < 0:  # the one that told it has gone
            self._text = ""
