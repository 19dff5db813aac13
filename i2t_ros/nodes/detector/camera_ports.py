"""The topics of one camera: its images in, and what was found in them out."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

from rclpy.expand_topic_name import expand_topic_name
from rclpy.lifecycle import LifecycleNode
from rclpy.node import Node
from sensor_msgs.msg import CompressedImage
from sensor_msgs.msg import Image as ImageMsg
from std_msgs.msg import String
from vision_msgs.msg import Detection2DArray
from visualization_msgs.msg import ImageMarker, Marker

from i2t_ros.errors import InvalidRequestError
from i2t_ros.msg import Description as DescriptionMsg
from i2t_ros.nodes.detector.image_input import ImageInput, InputOptions
from i2t_ros.nodes.lifecycle.outputs import Outputs
from i2t_ros.pipeline.narrator import Narrator
from i2t_ros.types import CAMERA_NAME

ImageMessage: TypeAlias = ImageMsg | CompressedImage

LONGEST_TOPIC = 247
"""Characters of a topic's full name; more are refused by rmw."""

RESULTS = {
    "detections": (Detection2DArray, 10),
    "sentence": (String, 10),
    "description": (DescriptionMsg, 10),
    "boxes": (ImageMarker, 10),
    "sentence_marker": (Marker, 10),
    "annotated": (ImageMsg, 1),
    "annotated/compressed": (CompressedImage, 1),
}
"""Topic -> type and QoS depth; all reliable, so that they reach subscribers of either reliability.
"""
LONGEST_RESULT = max(RESULTS, key=len)


@dataclass(frozen=True, slots=True)
class CameraName:
    """A camera and the topic that its images come from.

    ``prefix`` is what its results' topics begin with, below the node's own name.
    """

    name: str
    topic: str
    prefix: str


def parse_cameras(entries: Iterable[str]) -> list[CameraName]:
    """Read the ``cameras`` parameter; raises InvalidRequestError.

    No entry: one camera on the topic ``image``. "front": the topic ``front/image``.
    "front=/car/cam0/image_raw": that topic.
    """
    cameras = []
    for entry in filter(None, entries):
        name, _, topic = entry.partition("=")
        if not CAMERA_NAME.fullmatch(name):
            raise InvalidRequestError(
                f"cameras: expected NAME or NAME=TOPIC with up to 64 letters, digits and "
                f"underscores in NAME, no digit first, got {entry!r}"
            )
        cameras.append(CameraName(name, topic or f"{name}/image", f"~/{name}/"))
    names = [camera.name for camera in cameras]
    if len(set(names)) < len(names):
        raise InvalidRequestError(f"cameras: each name may be given once, got {', '.join(names)}")
    return cameras or [CameraName("image", "image", "~/")]


def check_topics(node: Node, camera: str, *topics: str) -> None:
    """Raise InvalidRequestError if a camera's name makes the name of one of its topics too long."""
    who = node.get_name(), node.get_namespace()
    full = max((expand_topic_name(topic, *who) for topic in topics), key=len)
    if len(full) > LONGEST_TOPIC:
        raise InvalidRequestError(
            f"camera {camera}: expected a shorter name, its topic {full} would have {len(full)} "
            f"characters, and ROS allows {LONGEST_TOPIC}"
        )


class CameraPorts:
    """The topics of one camera, and its newest image.

    ``narrator`` knows what the camera has shown.
    """

    def __init__(
        self,
        node: LifecycleNode,
        camera: CameraName,
        narrator: Narrator,
        options: InputOptions,
        on_image: Callable[[CameraPorts, ImageMessage], None],
    ) -> None:
        """Create the publishers; ``on_image`` gets each image."""
        self.name = camera.name
        self.narrator = narrator
        self.newest: ImageMessage | None = None
        self._accepted_at = -math.inf
        self._on_image = on_image
        self.input = ImageInput(node, camera.topic, self._take, options)
        topics = {name: (kind, camera.prefix + name, qos) for name, (kind, qos) in RESULTS.items()}
        self.outputs = Outputs(node, topics, overridable=options.overridable)

    def unsubscribe(self) -> None:
        """Take no more images, and forget the newest: it would be stale when asked for."""
        self.input.close()
        self.newest = None

    def accept(self, max_rate: float) -> bool:
        """Return whether a frame that came now keeps to ``max_rate`` a second (0: no limit)."""
        now = time.monotonic()
        # A tenth of a period early is on time: cameras are not that regular.
        if max_rate and now - self._accepted_at < 0.9 / max_rate:
            return False
        self._accepted_at = now
        return True

    def destroy(self) -> None:
        """Release everything."""
        self.unsubscribe()
        self.outputs.destroy()

    def _take(self, msg: ImageMessage) -> None:
        self.newest = msg
        self._on_image(self, msg)
