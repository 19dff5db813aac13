"""Which model is at work and what its classes are, for whoever subscribes at any time."""

from __future__ import annotations

import zlib
from dataclasses import fields

from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from std_msgs.msg import Header
from vision_msgs.msg import LabelInfo, VisionInfo

from i2t_ros.nodes.messages.status import label_info_to_msg
from i2t_ros.pipeline.describer import STAGED, DescribeOptions
from i2t_ros.pipeline.object_detector import ObjectDetector
from i2t_ros.pipeline.reply_cache import frozen

LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)


def options_version(options: DescribeOptions) -> int:
    """Return a hash of all options, the same in every process.

    So whoever keeps answers knows when another answer may come for the same image.
    """
    names = [field.name for field in fields(DescribeOptions) if field.name != "languages"]
    told = [frozen(getattr(options, name)) for name in names]
    folders = options.languages.folders if options.languages else ()
    return zlib.crc32(repr((told, folders)).encode()) & 0x7FFFFFFF


class ModelCard:
    """Publishes ~/vision_info and ~/label_info; late subscribers get them too."""

    def __init__(self, node: Node, detector: ObjectDetector, options: DescribeOptions) -> None:
        """Publish both."""
        self._node = node
        self._detector = detector
        self._vision = node.create_publisher(VisionInfo, "~/vision_info", LATCHED)
        self._labels = node.create_publisher(LabelInfo, "~/label_info", LATCHED)
        self.publish(options)

    def publish(self, options: DescribeOptions) -> None:
        """Publish both with what the options of the moment change."""
        header = Header(stamp=self._node.get_clock().now().to_msg())
        self._vision.publish(
            VisionInfo(
                header=header,
                method=self._detector.report,
                database_location=self._labels.topic_name,
                database_version=options_version(options),
            )
        )
        min_score = options.task_options[STAGED].min_score or self._detector.default_min_score
        self._labels.publish(label_info_to_msg(header, self._detector.labels, min_score))

    def destroy(self) -> None:
        """Publish no more."""
        self._node.destroy_publisher(self._vision)
        self._node.destroy_publisher(self._labels)
