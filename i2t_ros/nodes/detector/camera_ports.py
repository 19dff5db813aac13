"""The topics of one camera: its images in, and what was found in them out."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

from rclpy.expand_topic_name import expand_topic_name
from rclpy.lifecycle import LifecycleNode, LifecyclePublisher
from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.qos_overriding_options import QoSOverridingOptions
from sensor_msgs.msg import CompressedImage
from sensor_msgs.msg import Image as ImageMsg
from std_msgs.msg import Header, String
from vision_msgs.msg import Detection2DArray
from visualization_msgs.msg import ImageMarker, Marker

from i2t_ros.errors import InvalidRequestError
from i2t_ros.msg import Description as DescriptionMsg
from i2t_ros.nodes.detector.image_input import ImageInput, InputOptions
from i2t_ros.nodes.messages.descriptions import description_to_msg
from i2t_ros.nodes.messages.images import (
    encoded_to_msg,
    image_from_compressed_msg,
    image_from_msg,
    image_to_msg,
)
from i2t_ros.nodes.messages.markers import boxes_to_marker, sentence_to_marker
from i2t_ros.nodes.messages.tasks import detections_to_msg
from i2t_ros.pipeline.narrator import Narrator, SpeechOptions
from i2t_ros.types import CAMERA_NAME, Description, Detections, Image, Picture

ImageMessage: TypeAlias = ImageMsg | CompressedImage

LONGEST_TOPIC = 247
"""Characters of a topic's full name; more are refused by rmw."""
LONGEST_RESULT = "annotated/compressed"
"""The longest of the names of the topics below."""

# Results are reliable, so that they reach subscribers of either reliability.
_RESULTS = QoSProfile(depth=10)
_PICTURES = QoSProfile(depth=1)


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
    entries = [entry for entry in entries if entry]
    if not entries:
        return [CameraName("image", "image", "~/")]
    cameras = []
    for entry in entries:
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
    return cameras


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
    """Publishers of one camera, and while the node is active its subscription."""

    def __init__(
        self,
        node: LifecycleNode,
        camera: CameraName,
        narrator: Narrator,
        options: InputOptions,
    ) -> None:
        """Create the publishers; ``narrator`` knows what this camera has shown."""
        self.camera = camera
        self.narrator = narrator
        self.newest: ImageMessage | None = None
        self._accepted_at = -math.inf
        self._node = node
        self._options = options
        self._input: ImageInput | None = None
        overrides = QoSOverridingOptions.with_default_policies() if options.overridable else None

        def publisher(kind: type, topic: str, qos: QoSProfile) -> LifecyclePublisher:
            return node.create_lifecycle_publisher(
                kind,
                camera.prefix + topic,
                qos,
                qos_overriding_options=overrides,
            )

        self._detections = publisher(Detection2DArray, "detections", _RESULTS)
        self._sentence = publisher(String, "sentence", _RESULTS)
        self._description = publisher(DescriptionMsg, "description", _RESULTS)
        self._boxes = publisher(ImageMarker, "boxes", _RESULTS)
        self._sentence_marker = publisher(Marker, "sentence_marker", _RESULTS)
        self._annotated = publisher(ImageMsg, "annotated", _PICTURES)
        self._annotated_compressed = publisher(CompressedImage, LONGEST_RESULT, _PICTURES)
        self._publishers = [
            self._detections,
            self._sentence,
            self._description,
            self._boxes,
            self._sentence_marker,
            self._annotated,
            self._annotated_compressed,
        ]

    @property
    def topic(self) -> str:
        """The topic that is subscribed to, named as image_transport names it.

        A remapping of ``image`` holds for ``image/compressed`` as well.
        """
        raw: str = self._node.resolve_topic_name(self.camera.topic)
        return raw + ("/compressed" if self._options.compressed else "")

    def activate(self) -> None:
        """Let the publishers publish, in a node that is active already."""
        for publisher in self._publishers:
            publisher.on_activate(None)

    def subscribe(self, on_image: Callable[[CameraPorts, ImageMessage], None]) -> str:
        """Begin to take images; return the topic's full name."""

        def callback(msg: ImageMessage) -> None:
            self.newest = msg
            on_image(self, msg)

        self._input = ImageInput(self._node, self.topic, callback, self._options)
        return self._input.name

    def unsubscribe(self) -> None:
        """Take no more images, and forget the newest: it would be stale when asked for."""
        if self._input is not None:
            self._input.close()
            self._input = None
        self.newest = None

    def watch(self) -> None:
        """Adapt to the publishers there are, and say what stands in the way of images."""
        if self._input is not None:
            self._input.watch()

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
        for publisher in self._publishers:
            self._node.destroy_lifecycle_publisher(publisher)
        self._publishers = []

    def wanted(self) -> bool:
        """Return whether anybody listens to anything that comes of this camera's images."""
        return any(publisher.get_subscription_count() for publisher in self._publishers)

    def image_from(self, msg: ImageMessage, max_pixels: int) -> Image:
        """Return the pixels of one of this camera's messages; raises ImageError."""
        if self._options.compressed:
            return image_from_compressed_msg(msg, max_pixels)
        return image_from_msg(msg, max_pixels)

    def publish_detections(
        self, header: Header, found: Detections | None
    ) -> Detection2DArray | None:
        """Publish the objects that were found to whoever listens; return the message, if any."""
        detections = None
        if _heard(self._detections):
            detections = detections_to_msg(header, found)
            self._detections.publish(detections)
        if _heard(self._boxes) and found is not None:
            self._boxes.publish(boxes_to_marker(header, found))
        return detections

    def publish_words(
        self,
        header: Header,
        description: Description,
        time_: float,
        speech: SpeechOptions,
        detections: Detection2DArray | None,
    ) -> None:
        """Publish sentence and description to whoever listens.

        ``detections`` is the description's message of them if there is one already.
        """
        sentence = description.sentence
        if self.narrator.is_due(sentence, time_, speech):
            if _heard(self._sentence):
                self._sentence.publish(String(data=sentence))
            if _heard(self._sentence_marker):
                self._sentence_marker.publish(sentence_to_marker(header, sentence))
        if _heard(self._description):
            self._description.publish(description_to_msg(header, description, detections))

    def publish_pictures(
        self, header: Header, draw: Callable[[], Image], encode: Callable[[Image], Picture]
    ) -> None:
        """Draw, encode and publish the annotated image, each only if somebody looks at it."""
        raw, compressed = _heard(self._annotated), _heard(self._annotated_compressed)
        if not (raw or compressed):
            return
        drawn = draw()
        if raw:
            self._annotated.publish(image_to_msg(header, drawn))
        if compressed:
            self._annotated_compressed.publish(encoded_to_msg(header, encode(drawn)))


def _heard(publisher: LifecyclePublisher) -> bool:
    return bool(publisher.get_subscription_count())
