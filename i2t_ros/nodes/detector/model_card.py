"""Which model is at work and what its classes are, for whoever subscribes at any time."""

from __future__ import annotations

import zlib
from dataclasses import fields

from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from std_msgs.msg import Header
from vision_msgs.msg import LabelInfo, VisionInfo

from i2t_ros.nodes.messages.status import label_info_to_msg, vision_info_to_msg
from i2t_ros.pipeline.describer import STAGED, DescribeOptions
from i2t_ros.pipeline.reply_cache import frozen
from i2t_ros.pipeline.tasks.detect import ObjectDetector

_TOLD = tuple(field.name for field in fields(DescribeOptions) if field.name != "languages")
_LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)


def options_version(options: DescribeOptions) -> int:
    """Return a hash of all options, the same in every process.

    So whoever keeps answers knows when another answer may come for the same image.
    """
    told = [frozen(getattr(options, name)) for name in _TOLD]
    folders = options.languages.folders if options.languages else ()
    return zlib.crc32(repr((told, folders)).encode()) & 0x7FFFFFFF


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
        """Publish both with what the options of the moment change."""
        header = Header(stamp=self._node.get_clock().now().to_msg())
        labels_at, version = self._labels.topic_name, options_version(options)
        self._vision.publish(vision_info_to_msg(header, self._detector.report, labels_at, version))
        min_score = self._detector.min_score(options.task_options[STAGED])
        self._labels.publish(label_info_to_msg(header, self._detector.labels, min_score))

    def destroy(self) -> None:
        """Publish no more."""
        self._node.destroy_publisher(self._vision)
        self._node.destroy_publisher(self._labels)
