"""The depth images of one camera: which one belongs to an image, and what it says of the objects.

A frame is paired when it is finished, with the image that is nearest by its stamp among those that
have come by then. So a depth image that comes some milliseconds after the picture is not too late,
and none is waited for.
"""

import threading
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from rclpy.lifecycle import LifecycleNode
from rclpy.qos import qos_profile_sensor_data
from rclpy.subscription import Subscription
from sensor_msgs.msg import CameraInfo, CompressedImage
from sensor_msgs.msg import Image as ImageMsg
from std_msgs.msg import Header

from i2t_ros.errors import ImageError, InvalidRequestError
from i2t_ros.nodes.detector.camera_ports import CameraTopics, check_topic
from i2t_ros.nodes.messages.depth import DepthMessage, depth_from_msg, intrinsics_from_msg
from i2t_ros.types import Scene
from i2t_ros.vision.depth import Intrinsics, Located, locate
from i2t_ros.vision.image_messages import camera_info_topic

SUFFIX = "/compressedDepth"
"""What image_transport ends the topics of that transport with."""
MOST_KEPT = 60
"""Depth images of a camera: two seconds at 30 Hz, for frames that take long."""
MOST_BYTES = 64_000_000
"""Of all of them together: 104 of 640x480 with 16 bits, 17 of 1280x720 with 32."""

NO_IMAGE = "no depth image in time"
NO_INFO = "no camera_info"
BAD_IMAGE = "bad depth image"
NO_TRANSFORM = "no transform"
REASONS = (NO_IMAGE, NO_INFO, BAD_IMAGE, NO_TRANSFORM)
"""Why the objects of a frame have no distance; with the last, they have none in target_frame."""


def lacking(reason: str) -> str:
    """Return what an image lacks for one of REASONS."""
    return "detections_3d" if reason == NO_TRANSFORM else "distances"


@dataclass(frozen=True, slots=True)
class DepthTopic:
    """Where the depth images of a camera come from.

    topic       without SUFFIX
    compressed  as sensor_msgs/CompressedImage, on the topic with SUFFIX
    """

    topic: str
    compressed: bool

    @property
    def info(self) -> str:
        """The topic of the camera_info, as image_transport has it: in the same namespace."""
        return camera_info_topic(self.topic)


def parse_depth(entries: Iterable[str], cameras: Sequence[CameraTopics]) -> dict[str, DepthTopic]:
    """Read the ``depth`` parameter: camera -> its topic. Raises InvalidRequestError.

    "front=/car/cam0/depth/image_raw", or the topic alone if there is only one camera.
    """
    names, found = [camera.name for camera in cameras], {}
    for entry in filter(None, entries):
        name, _, topic = entry.rpartition("=")
        if not name and len(names) == 1:
            name = names[0]
        if name not in names:
            raise InvalidRequestError(
                f"depth: expected CAMERA=TOPIC, with CAMERA one of {', '.join(names)}, "
                f"got {entry!r}"
            )
        if name in found:
            raise InvalidRequestError(f"depth: camera {name} may be given once, got {entry!r}")
        check_topic("depth", topic)
        found[name] = DepthTopic(topic.removesuffix(SUFFIX), topic.endswith(SUFFIX))
    return found


class _Kept(NamedTuple):
    stamp: int  # nanoseconds
    size: int  # bytes
    msg: DepthMessage


class CameraDepth:
    """Takes depth images and measures scenes with them.

    counts   frames by why they have no distances
    trouble  what watch() has found that keeps distances away; "" if nothing

    Methods are called by the executor, measure() and count() also by the threads of frames and
    requests.
    """

    def __init__(
        self, node: LifecycleNode, camera: str, source: DepthTopic, tolerance: float
    ) -> None:
        """Take nothing yet; ``tolerance``: seconds between a picture and its depth image."""
        self._node = node
        self._camera = camera
        raw = node.resolve_topic_name(source.topic)
        self.topic: str = node.resolve_topic_name(raw + SUFFIX) if source.compressed else raw
        self.info_topic: str = node.resolve_topic_name(source.info)
        self._kind: type = CompressedImage if source.compressed else ImageMsg
        self._tolerance = round(tolerance * 1e9)
        self._lock = threading.Lock()
        self._subscriptions: list[Subscription] = []
        self.counts = Counter(dict.fromkeys(REASONS, 0))
        self._forget()

    def _forget(self) -> None:
        self._kept: deque[_Kept] = deque()
        self._camera_model: Intrinsics | None = None
        self._bad_info = self._frame = self.trouble = self._told = ""
        self._recent: Counter[str] = Counter()  # since the last watch(); "": frames with distances
        self._causes: dict[str, str] = {}

    def subscribe(self) -> None:
        """Begin to take depth images, with sensor-data QoS."""
        qos = qos_profile_sensor_data
        for kind, topic, take in (
            (self._kind, self.topic, self._take),
            (CameraInfo, self.info_topic, self._take_info),
        ):
            self._subscriptions.append(self._node.create_subscription(kind, topic, take, qos))

    def unsubscribe(self) -> None:
        """Take no more, and forget all: it would be stale later. May be called more than once."""
        while self._subscriptions:
            self._node.destroy_subscription(self._subscriptions.pop())
        with self._lock:
            self._forget()

    def _take(self, msg: DepthMessage) -> None:
        with self._lock:
            self._kept.append(_Kept(_nanoseconds(msg.header), len(msg.data), msg))
            size = sum(kept.size for kept in self._kept)
            while len(self._kept) > MOST_KEPT or (size > MOST_BYTES and len(self._kept) > 1):
                size -= self._kept.popleft().size

    def _take_info(self, msg: CameraInfo) -> None:
        try:
            model = intrinsics_from_msg(msg)
        except ValueError as error:
            with self._lock:
                self._bad_info = str(error)
        else:
            with self._lock:
                self._camera_model = model

    def measure(self, scene: Scene, header: Header) -> tuple[Scene, Located | None]:
        """Return the scene of an image with positions, and where its objects are in space.

        If they cannot be measured: the scene as it was, and None; the reason is counted.
        """
        found = scene.detections
        if found is None:
            return scene, None
        with self._lock:
            model, kept = self._camera_model, self._nearest(_nanoseconds(header))
        if kept is None:
            return scene, None
        if model is None:
            self.count(NO_INFO, self._bad_info)
            return scene, None
        try:
            depth = depth_from_msg(kept.msg) if len(found) else None
        except ImageError as error:
            self.count(BAD_IMAGE, str(error))
            return scene, None
        self.count("", _frames(kept.msg.header, header))
        if depth is None:
            return scene, Located.unknown(0)
        located = locate(found, (scene.width, scene.height), depth, model)
        return scene.with_detections(replace(found, positions=located.positions)), located

    def measured(self, scene: Scene, header: Header) -> Scene:
        """Return the scene of an image with positions, if they can be measured."""
        return self.measure(scene, header)[0]

    def _nearest(self, stamp: int) -> _Kept | None:
        """Return the depth image of a stamp, of several the last; count it if there is none."""
        nearest = min(reversed(self._kept), key=lambda kept: abs(kept.stamp - stamp), default=None)
        if nearest is not None and abs(nearest.stamp - stamp) <= self._tolerance:
            return nearest
        cause = ""
        if nearest is not None:
            away = (nearest.stamp - stamp) / 1e9
            cause = (
                f"the nearest on {self.topic} is {abs(away):.3f} s "
                f"{'later' if away > 0 else 'earlier'} by its stamp; see depth_tolerance"
            )
        self._count(NO_IMAGE, cause)
        return None

    def count(self, reason: str, cause: str = "") -> None:
        """Note why a frame has no distances; "" if it has."""
        with self._lock:
            self._count(reason, cause)

    def _count(self, reason: str, cause: str) -> None:
        self._recent[reason] += 1
        self._causes[reason] = cause
        if reason:
            self.counts[reason] += 1

    def watch(self) -> None:
        """Say once per change what keeps distances away from most frames; called every second."""
        with self._lock:
            recent, self._recent = self._recent, Counter()
            causes = dict(self._causes)
        if not recent:
            return
        logger = self._node.get_logger()
        if (frames := causes.get("")) and frames != self._frame:
            self._frame = frames
            logger.warning(f"camera {self._camera}: {frames}")
        measured = recent.pop("", 0) - recent[NO_TRANSFORM]
        if sum(recent.values()) <= measured:
            if self._told:
                logger.info(f"camera {self._camera}: objects have distances")
            self.trouble = self._told = ""
            return
        reason = recent.most_common(1)[0][0]
        cause = causes[reason]
        if reason in (NO_IMAGE, NO_INFO):
            # Of a publisher that has ended, the last image is far from any picture.
            cause = self._unheard(reason) or cause or f"nothing arrives on {self._topic(reason)}"
        self.trouble = f"no {lacking(reason)}, {reason}{': ' if cause else ''}{cause}"
        if reason != self._told:
            self._told = reason
            logger.warning(f"camera {self._camera}: {self.trouble}")

    def _topic(self, reason: str) -> str:
        return self.topic if reason == NO_IMAGE else self.info_topic

    def _unheard(self, reason: str) -> str:
        """Return why nothing can come on a topic; "" if it can."""
        topic, kind = self._topic(reason), self._kind if reason == NO_IMAGE else CameraInfo
        publishers = self._node.get_publishers_info_by_topic(topic)
        mine = f"sensor_msgs/msg/{kind.__name__}"
        others = {publisher.topic_type for publisher in publishers} - {mine}
        if not publishers:
            return f"no publisher on {topic}"
        if others:
            return f"{topic} is published as {', '.join(sorted(others))}, expected {mine}"
        return ""


def _nanoseconds(header: Header) -> int:
    return int(header.stamp.sec * 10**9 + header.stamp.nanosec)


def _frames(depth: Header, picture: Header) -> str:
    """Return what is odd about two frames, of which there should be one; "" if nothing."""
    if not depth.frame_id or not picture.frame_id or depth.frame_id == picture.frame_id:
        return ""
    frames = f"{depth.frame_id[:80]!r}, the pictures in {picture.frame_id[:80]!r}"
    return (
        f"the depth images are in the frame {frames}; distances are only right if depth is "
        "registered to the pictures"
    )
