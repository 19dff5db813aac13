"""Which model is at work and what its classes are, for whoever subscribes at any time."""

from __future__ import annotations

import zlib
from dataclasses import replace

from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from std_msgs.msg import Header
from vision_msgs.msg import LabelInfo, VisionInfo

from i2t_ros.nodes.messages.status import label_info_to_msg, vision_info_to_msg
from i2t_ros.pipeline.describer import STAGED, DescribeOptions
from i2t_ros.pipeline.object_detector import ObjectDetector
from i2t_ros.pipeline.reply_cache import frozen

_LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)


class ModelCard:
    """Publishes ~/vision_info and ~/label_info; late subscribers get them too."""

    def __init__(self, node: Node, detector: ObjectDetector, options: DescribeOptions) -> None:
        """Publish both."""
        self._node = node
        self._detector = detector
        self._vision = node.create_publisher(VisionInfo, "~/vision_info", _LATCHED)
        self._labels = node.create_publisher(LabelInfo, "~/label_info", _LATCHED)
        self.publish(options)

    def publish(self, options: DescribeOptions) -> None:
        """Publish both with what the options of the moment change.

        The version is a hash of all options, so that whoever keeps answers knows when another
        answer may come for the same image.
        """
        header = Header(stamp=self._node.get_clock().now().to_msg())
        folders = options.languages.folders if options.languages else ()
        told = frozen(replace(options, languages=None)), folders
        version = zlib.crc32(repr(told).encode()) & 0x7FFFFFFF
        self._vision.publish(
            vision_info_to_msg(header, self._detector.report, self._labels.topic_name, version)
        )
        min_score = options.task_options[STAGED].min_score or self._detector.default_min_score
        self._labels.publish(label_info_to_msg(header, self._detector.labels, min_score))

    def destroy(self) -> None:
        """Publish no more."""
        self._node.destroy_publisher(self._vision)
        self._node.destroy_publisher(self._labels)
