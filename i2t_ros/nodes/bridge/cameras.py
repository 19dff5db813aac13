"""The cameras of a bridge: topics, subscribed to while somebody looks, and WebSocket cameras."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import qos_profile_sensor_data
from rclpy.subscription import Subscription
from sensor_msgs.msg import CompressedImage
from sensor_msgs.msg import Image as ImageMsg
from std_msgs.msg import Header

from i2t_ros.bridges.camera_hub import CameraHub, View
from i2t_ros.bridges.loop_thread import LoopThread
from i2t_ros.errors import I2tError, NotActiveError
from i2t_ros.msg import Description as DescriptionMsg
from i2t_ros.nodes.detector.camera_ports import LONGEST_RESULT, CameraName, check_topics
from i2t_ros.nodes.messages.descriptions import description_from_msg
from i2t_ros.nodes.messages.images import encoded_to_msg, image_from_msg
from i2t_ros.types import Picture, PictureHeader
from i2t_ros.vision.codecs import decode_image, encode_image, read_header

LINGER = 5.0
"""Seconds for which a topic stays subscribed after its last viewer has left."""
COMPLAINT_PERIOD = 1.0
"""Seconds between two log lines about images that cannot be used."""
QUALITY = 80
"""Of the JPEG pictures that raw images become."""
VIEWS: tuple[View, ...] = ("raw", "annotated", "words")

Watched: TypeAlias = tuple[str, View]
Topic: TypeAlias = tuple[type, str, Callable[[Any], object]]
"""The type and name of a topic, and what makes of its message what a view shows."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """The topics that should be open: feeds to subscribe to, and cameras whose frames are sent."""

    watched: frozenset[Watched] = frozenset()
    sent: frozenset[str] = frozenset()


class BridgeCameras:
    """Feeds a CameraHub from topics, and publishes the frames of its WebSocket cameras on others.

    The hub lives on the loop, topics belong to the executor. Whatever changes in the hub, the loop
    writes down which topics are wanted now, and a task of the executor opens and closes them.
    Messages go back to the loop by ``post``.
    """

    def __init__(
        self,
        node: Node,
        loop: LoopThread,
        cameras: list[CameraName],
        results: str,
        compressed: bool,
    ) -> None:
        """Know ``cameras``, whose results are published below ``results`` ("detector_node/")."""
        self._node = node
        self._loop = loop
        self._results = results
        self._own = {
            camera.name: {
                "raw": _raw_topic(node.resolve_topic_name(camera.topic), compressed),
                **_result_topics(results + camera.prefix.removeprefix("~/")),
            }
            for camera in cameras
        }
        self._wanted = _Wanted()
        self._subscriptions: dict[Watched, Subscription] = {}
        self._publishers: dict[str, Publisher] = {}
        self._lock = threading.Lock()  # on these two: the loop publishes, the executor opens
        self._complained = 0.0
        self._closed = False
        self.hub = CameraHub(on_change=self._on_change)

    def open(self) -> None:
        """Make the cameras known; called on the loop. Raises InvalidRequestError."""
        for name in self._own:
            self.hub.add(name, "topic")

    def close(self) -> None:
        """Let go of all topics, once the loop calls no more."""
        with self._lock:
            self._closed = True
            self._wanted = _Wanted()
        self._update()

    # On the loop

    def check(self, camera: str) -> None:
        """Raise InvalidRequestError if the name makes a topic's name longer than ROS allows."""
        results = f"{self._results}{camera}/{LONGEST_RESULT}"
        check_topics(self._node, camera, _frames_topic(camera), results)

    def publish(self, camera: str, jpeg: bytes) -> None:
        """Publish a WebSocket camera's frame, if anybody subscribes to its topic."""
        with self._lock:
            publisher = self._publishers.get(camera)
            if publisher is not None and publisher.get_subscription_count():
                stamp = self._node.get_clock().now().to_msg()
                header = Header(stamp=stamp, frame_id=camera)
                publisher.publish(
                    encoded_to_msg(header, Picture(jpeg, PictureHeader("jpeg", 0, 0)))
                )

    def _on_change(self) -> None:
        """Open what somebody looks at, at once; close what nobody looks at a little later."""
        self._want(self._wanted.watched | self._watched())
        loop = asyncio.get_running_loop()
        loop.call_later(LINGER, lambda: self._want(self._watched()))

    def _watched(self) -> frozenset[Watched]:
        """Return what somebody looks at that comes over a topic."""
        return frozenset(
            (camera.name, view)
            for camera in self.hub.online
            for view in VIEWS
            if getattr(camera, view).viewers
            and not (view == "raw" and camera.transport == "websocket")
        )

    def _want(self, watched: frozenset[Watched]) -> None:
        sent = (camera.name for camera in self.hub.online if camera.transport == "websocket")
        wanted = _Wanted(watched, frozenset(sent))
        with self._lock:
            changed = wanted != self._wanted and not self._closed
            if changed:
                self._wanted = wanted
        if changed and self._node.executor is not None:
            self._node.executor.create_task(self._update)

    # In the executor

    def _update(self) -> None:
        """Open and close topics until there are those that are wanted."""
        with self._lock:
            wanted = self._wanted
            for key in self._subscriptions.keys() - wanted.watched:
                self._node.destroy_subscription(self._subscriptions.pop(key))
            for name in self._publishers.keys() - wanted.sent:
                self._node.destroy_publisher(self._publishers.pop(name))
            for key in wanted.watched - self._subscriptions.keys():
                self._subscriptions[key] = self._subscribe(*key)
            for name in wanted.sent - self._publishers.keys():
                topic = _frames_topic(name)
                self._publishers[name] = self._node.create_publisher(
                    CompressedImage, topic, qos_profile_sensor_data
                )
                full = self._publishers[name].topic_name
                self._node.get_logger().info(f"camera {name}: frames go to {full}")

    def _subscribe(self, camera: str, view: View) -> Subscription:
        topics = self._own.get(camera) or _result_topics(f"{self._results}{camera}/")
        kind, topic, read = topics[view]

        def callback(msg: Any) -> None:
            try:
                news: dict[str, Any] = {view: read(msg)}
            except I2tError as error:
                self._complain(f"{topic}: {error}")
                return
            with contextlib.suppress(NotActiveError):  # the loop has ended: nobody looks any more
                self._loop.post(partial(self.hub.publish, camera, **news))

        return self._node.create_subscription(kind, topic, callback, qos_profile_sensor_data)

    def _complain(self, text: str) -> None:
        if time.monotonic() - self._complained > COMPLAINT_PERIOD:
            self._complained = time.monotonic()
            self._node.get_logger().warning(text)


def _frames_topic(camera: str) -> str:
    """Return the topic of a WebSocket camera's frames; detector_node looks for such names."""
    return f"~/{camera}/image/compressed"


def _raw_topic(topic: str, compressed: bool) -> Topic:
    if compressed:
        return CompressedImage, f"{topic}/compressed", _jpeg_of_compressed
    return ImageMsg, topic, _jpeg_of_image


def _result_topics(prefix: str) -> dict[View, Topic]:
    """Return where a detector publishes what it found in a camera's images."""
    return {
        "annotated": (CompressedImage, f"{prefix}annotated/compressed", _jpeg_of_compressed),
        "words": (DescriptionMsg, f"{prefix}description", description_from_msg),
    }


def _jpeg_of_image(msg: ImageMsg) -> bytes:
    image = image_from_msg(msg, max_pixels=2**31)
    return bytes(encode_image(image, "jpeg", QUALITY).data)


def _jpeg_of_compressed(msg: CompressedImage) -> bytes:
    picture = Picture(bytes(memoryview(msg.data).cast("B")))
    if read_header(picture).format == "jpeg":
        return bytes(picture)
    return bytes(encode_image(decode_image(picture), "jpeg", QUALITY))
