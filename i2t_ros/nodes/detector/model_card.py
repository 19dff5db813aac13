"""Which model is at work and what its classes are, for whoever subscribes at any time."""

from __future__ import annotations

from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from std_msgs.msg import Header
from vision_msgs.msg import LabelInfo, VisionInfo

from i2t_ros.nodes.messages import conversions
from i2t_ros.pipeline.describer import DescribeOptions
from i2t_ros.pipeline.tasks.detect import ObjectDetector

_LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)


class ModelCard:
    """Publishes ~/vision_info and ~/label_info once; late subscribers get them too."""

    def __init__(self, node: Node, detector: ObjectDetector, options: DescribeOptions) -> None:
        """Publish both."""
        self._node = node
        self._vision = node.create_publisher(VisionInfo, "~/vision_info", _LATCHED)
        self._labels = node.create_publisher(LabelInfo, "~/label_info", _LATCHED)
        header = Header(stamp=node.get_clock().now().to_msg())
        min_score = options.detect.min_score or detector.default_min_score
        self._vision.publish(
            conversions.vision_info_to_msg(header, detector.report, self._labels.topic_name)
        )
        self._labels.publish(conversions.label_info_to_msg(header, detector.labels, min_score))

    def destroy(self) -> None:
        """Publish no more."""
        self._node.destroy_publisher(self._vision)
        self._node.destroy_publisher(self._labels)
