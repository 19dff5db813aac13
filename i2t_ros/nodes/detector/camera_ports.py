"""One camera of a detector_node: its images in, and what was found in them out."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from rclpy.exceptions import InvalidTopicNameException
from rclpy.expand_topic_name import expand_topic_name
from rclpy.lifecycle import LifecycleNode
from rclpy.node import Node
from rclpy.qos import QoSPolicyKind, QoSProfile, QoSReliabilityPolicy, qos_profile_sensor_data
from rclpy.qos_overriding_options import QoSOverridingOptions
from rclpy.subscription import Subscription
from rclpy.validate_full_topic_name import validate_full_topic_name
from sensor_msgs.msg import CompressedImage
from sensor_msgs.msg import Image as ImageMsg
from std_msgs.msg import String
from vision_msgs.msg import Detection2DArray, Detection3DArray
from visualization_msgs.msg import ImageMarker, Marker, MarkerArray

from i2t_ros.errors import InvalidRequestError
from i2t_ros.msg import Description as DescriptionMsg
from i2t_ros.msg import PersonPoseArray
from i2t_ros.nodes.detector.troubles import no_picture, nothing_arrives
from i2t_ros.nodes.lifecycle.outputs import Outputs
from i2t_ros.nodes.messages.annotations import annotation_types
from i2t_ros.pipeline.late_tasks import LateTasks
from i2t_ros.pipeline.narrator import Narrator
from i2t_ros.pipeline.rate_limit import RateLimit
from i2t_ros.types import CAMERA_NAME

if TYPE_CHECKING:
    from i2t_ros.nodes.detector.depth import CameraDepth

ImageMessage: TypeAlias = ImageMsg | CompressedImage

TopicEndpointInfo: TypeAlias = Any
"""rclpy's class of this name, whose module differs between distributions."""
PATIENCE = 10.0
"""Seconds without a publisher, or an image, before the log says so. When all nodes are stopped, the
source ends first, and the bridge may answer requests for 5 s before the detector ends."""
MOST_GAPS = 3
"""A camera whose images are rare is only missed after this many times its usual pause."""
LONGEST_TOPIC = 247
"""Characters of a topic's full name; more are refused by rmw."""
UNKNOWN_NODE = "_NODE_NAME_UNKNOWN_"
"""What rmw says of a publisher whose node it has not heard of."""

RESULTS = {
    "detections": (Detection2DArray, 10),
    "sentence": (String, 10),
    "description": (DescriptionMsg, 10),
    "boxes": (ImageMarker, 10),
    "masks": (ImageMsg, 1),
    "poses": (PersonPoseArray, 10),
    "skeletons": (ImageMarker, 10),
    "sentence_marker": (Marker, 10),
    "annotated": (ImageMsg, 1),
    "annotated/compressed": (CompressedImage, 1),
}
"""Topic -> type and QoS depth; all reliable, which suits reliable and best-effort subscribers."""
ANNOTATIONS = annotation_types()
if ANNOTATIONS is not None:
    RESULTS["annotations"] = (ANNOTATIONS.ImageAnnotations, 10)
DEPTH_RESULTS = {"detections_3d": (Detection3DArray, 10), "object_markers": (MarkerArray, 10)}
"""The same, of a camera with depth images in addition."""
LONGEST_RESULT = max(RESULTS, key=len)


@dataclass(frozen=True, slots=True)
class CameraTopics:
    """A camera, and how its images come.

    topic        of its images, without the suffix ``/compressed``
    prefix       what its results' topics begin with, below the node's own name
    compressed   as sensor_msgs/CompressedImage, and not as sensor_msgs/Image
    reliability  "best_effort", which suits every publisher; "reliable", which suits only reliable
                 ones; or "auto": reliable if all publishers are, since large images in many packets
                 then arrive whole over a network, and best effort otherwise
    overridable  whether parameters are declared that override the QoS
    """

    name: str
    topic: str
    prefix: str
    compressed: bool = False
    reliability: str = "auto"
    overridable: bool = True


def parse_cameras(
    entries: Iterable[str], image_transport: str, reliability: str = "auto"
) -> list[CameraTopics]:
    """Read the ``cameras`` parameter; the others are parameters, too. Raises InvalidRequestError.

    No entry: one camera on the topic ``image``. "front": the topic ``front/image``.
    "front=/car/cam0/image_raw": that topic.
    """
    how = image_transport == "compressed", reliability
    cameras = []
    for entry in filter(None, entries):
        name, _, topic = entry.partition("=")
        if not CAMERA_NAME.fullmatch(name):
            raise InvalidRequestError(
                f"cameras: expected NAME or NAME=TOPIC with up to 64 letters, digits and "
                f"underscores in NAME, no digit first, got {entry!r}"
            )
        topic = topic or f"{name}/image"
        check_topic("cameras", topic)
        cameras.append(CameraTopics(name, topic, f"~/{name}/", *how))
    names = [camera.name for camera in cameras]
    if len(set(names)) < len(names):
        raise InvalidRequestError(f"cameras: each name may be given once, got {', '.join(names)}")
    return cameras or [CameraTopics("image", "image", "~/", *how)]


def check_topic(parameter: str, topic: str) -> None:
    """Raise InvalidRequestError if a parameter's value is not the name of a topic or service."""
    try:
        validate_full_topic_name(expand_topic_name(topic, "node", "/"))
    except (ValueError, InvalidTopicNameException) as error:
        raise InvalidRequestError(f"{parameter}: not a topic's name: {topic!r}") from error


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

    topic     full name of the topic of its images, as image_transport names it: a remapping of
              ``image`` holds for ``image/compressed`` as well
    narrator  knows what the camera has shown
    depth     measures where objects are; None: the camera has no depth images
    late_tasks  give some of its images to the tasks that take seconds
    trouble   what watch() has found that keeps images away, or makes them useless; "" if nothing
    """

    def __init__(
        self,
        node: LifecycleNode,
        camera: CameraTopics,
        narrator: Narrator,
        on_image: "Callable[[CameraPorts, ImageMessage], None]",
        depth: "CameraDepth | None" = None,
    ) -> None:
        self._raw: str = node.resolve_topic_name(camera.topic)
        suffix = "/compressed" if camera.compressed else ""
        self.topic: str = node.resolve_topic_name(self._raw + suffix)
        self.name = camera.name
        self.narrator = narrator
        self.depth = depth
        self.late_tasks = LateTasks()
        self.newest: ImageMessage | None = None
        self._node = node
        self._on_image = on_image
        self._rate = RateLimit(burst=2.0)
        self._kind = CompressedImage if camera.compressed else ImageMsg
        # Not the reliability: an override is fixed once it is declared, this one adapts.
        policies = [QoSPolicyKind.HISTORY, QoSPolicyKind.DEPTH]
        self._overrides = QoSOverridingOptions(policies) if camera.overridable else None
        self._adapts = camera.reliability == "auto"
        self._reliable = camera.reliability == "reliable"
        self._told: set[str] = set()
        self._encoding = ""
        self._came = False  # whether an image has come, since a trouble that has been told
        self._lived = False  # whether one had come before that trouble
        self._gap = 0.0  # seconds between two images, the last ones weighing most
        self.trouble = ""
        self._subscription: Subscription | None = None
        results = RESULTS if depth is None else RESULTS | DEPTH_RESULTS
        topics = {name: (kind, camera.prefix + name, qos) for name, (kind, qos) in results.items()}
        self.outputs = Outputs(node, topics, overridable=camera.overridable)

    def subscribe(self) -> None:
        """Begin to take images, with sensor-data QoS; what is wrong will be said again."""
        self._told.clear()
        self._published_at = self._silent_since = time.monotonic()
        self._encoding = ""
        self._came = self._lived = False
        self._gap = 0.0
        self._listen()
        if self.depth is not None:
            self.depth.subscribe()

    def _listen(self) -> None:
        policies = QoSReliabilityPolicy
        self._subscription = self._node.create_subscription(
            self._kind,
            self.topic,
            self._take,
            QoSProfile(
                depth=qos_profile_sensor_data.depth,
                reliability=policies.RELIABLE if self._reliable else policies.BEST_EFFORT,
            ),
            qos_overriding_options=self._overrides,
        )

    def unsubscribe(self) -> None:
        """Take no more images, and forget the newest: it would be stale when asked for.

        May be called more than once.
        """
        self._listen_no_more()
        self.newest = None
        if self.depth is not None:
            self.depth.unsubscribe()

    def _listen_no_more(self) -> None:
        if self._subscription is not None:
            self._node.destroy_subscription(self._subscription)
            self._subscription = None

    def accept(self, max_rate: float) -> bool:
        """Return whether a frame that came now keeps to ``max_rate`` a second (0: no limit)."""
        return self._rate.allows(time.monotonic(), max_rate)

    def destroy(self) -> None:
        """Release everything."""
        self.unsubscribe()
        self.outputs.destroy()

    def watch(self) -> None:
        """Look at the publishers: adapt to them, and say once per change what keeps images away."""
        self.trouble = ""
        if self._subscription is None:
            return
        if self.depth is not None:
            self.depth.watch()
        troubles = self._troubles(self._node.get_publishers_info_by_topic(self.topic))
        logger = self._node.get_logger()
        for key, trouble in troubles.items():
            if key not in self._told:
                logger.warning(trouble)
        if troubles:
            self._told |= troubles.keys()
            self._lived |= self._came
            self._came = False
        elif self._told and self._came:
            self._told.clear()
            logger.info(f"{self.topic}: images come{' again' if self._lived else ''}")
        self.trouble = "; ".join(troubles.values())

    def _troubles(self, publishers: list[TopicEndpointInfo]) -> dict[str, str]:
        """Adapt to the publishers; return what is wrong: a key, said once, -> what to say.

        A camera that stops and whose publisher ends later is one change.
        """
        now = time.monotonic()
        lived = self._lived or self._came
        found = {}
        if publishers:
            self._published_at = now
        elif now - self._published_at > PATIENCE:
            if lived:
                found["ended"] = f"no publisher on {self.topic} any more; has the camera stopped?"
            else:
                found["absent"] = (
                    f"no publisher on {self.topic}; is the camera running, its topic remapped?"
                )
        mine = f"sensor_msgs/msg/{self._kind.__name__}"
        for publisher in publishers:
            if publisher.topic_type != mine:
                said = (
                    f"{_who(publisher)} publishes {publisher.topic_type} on {self.topic}, expected "
                    f"{mine}; the parameter image_transport chooses between raw and compressed"
                )
                found[said] = said
        fitting = [item for item in publishers if item.topic_type == mine]
        found |= {said: said for said in self._suit(fitting)}
        if not fitting:
            if not lived:
                self._silent_since = now
        elif not found and now - self._silent_since > max(PATIENCE, MOST_GAPS * self._gap):
            key = "ended" if lived else "silent"
            names = ", ".join(sorted(set(map(_who, fitting))))
            found[key] = nothing_arrives(self.topic, names, lived=lived)
        if self._encoding and (odd := no_picture(self._node, self._raw, mine, self._encoding)):
            found["no picture"] = odd
        return found

    def _suit(self, publishers: list[TopicEndpointInfo]) -> list[str]:
        """Take the reliability that suits the publishers, or return who cannot be heard."""
        best_effort = [
            item
            for item in publishers
            if item.qos_profile.reliability == QoSReliabilityPolicy.BEST_EFFORT
        ]
        if self._adapts:
            if publishers and self._reliable == bool(best_effort):
                self._reliable = not best_effort
                self._listen_no_more()
                self._listen()
                now = "reliable" if self._reliable else "best_effort"
                self._node.get_logger().info(f"{self.topic}: now {now}, as its publishers are")
        elif self._reliable:
            return [
                f"{_who(publisher)} publishes {self.topic} with best effort and is not heard "
                "by a reliable subscription; set the parameter reliability to auto or best_effort"
                for publisher in best_effort
            ]
        return []

    def _take(self, msg: ImageMessage) -> None:
        self.newest = msg
        now = time.monotonic()
        if self._came or self._lived:
            self._gap = (self._gap + now - self._silent_since) / 2
        self._came = True
        self._silent_since = now
        self._encoding = msg.encoding if isinstance(msg, ImageMsg) else msg.format
        self._on_image(self, msg)


def _who(publisher: TopicEndpointInfo) -> str:
    if publisher.node_name == UNKNOWN_NODE:
        return "a node whose name does not arrive either"
    return f"{publisher.node_namespace.rstrip('/')}/{publisher.node_name}"
