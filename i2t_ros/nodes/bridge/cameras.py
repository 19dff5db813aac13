"""The cameras of a bridge: topics, subscribed to while somebody looks, and WebSocket cameras."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, TypeAlias, get_args

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
from i2t_ros.nodes.detector.camera_ports import LONGEST_RESULT, Camera, check_topics
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

Watched: TypeAlias = tuple[str, View]
Topic: TypeAlias = tuple[type, str, Callable[[Any], object]]
"""The type and name of a topic, and what makes of its message what a view shows."""


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
        cameras: Iterable[Camera],
        results: str,
    ) -> None:
        """Know ``cameras``, whose results are published below ``results`` ("detector_node/")."""
        self._node = node
        self._loop = loop
        self._results = results
        self._own = {camera.name: camera for camera in cameras}
        # The topics that should be open: feeds to subscribe to, and cameras whose frames are sent.
        self._wanted: tuple[set[Watched], set[str]] = set(), set()
        self._subscriptions: dict[Watched, Subscription] = {}
        self._publishers: dict[str, Publisher] = {}
        self._lock = threading.Lock()  # on these two: the loop publishes, the executor opens
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
            self._wanted = set(), set()
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
                header = Header(stamp=self._node.get_clock().now().to_msg(), frame_id=camera)
                picture = Picture(jpeg, PictureHeader("jpeg", 0, 0))
                publisher.publish(encoded_to_msg(header, picture))

    def _on_change(self) -> None:
        """Open what somebody looks at, at once; close what nobody looks at a little later."""
        self._want(self._wanted[0] | self._watched())
        loop = asyncio.get_running_loop()
        loop.call_later(LINGER, lambda: self._want(self._watched()))

    def _watched(self) -> set[Watched]:
        """Return what somebody looks at that comes over a topic."""
        return {
            (camera.name, view)
            for camera in self.hub.online
            for view in get_args(View)
            if getattr(camera, view).viewers
            and not (view == "raw" and camera.transport == "websocket")
        }

    def _want(self, watched: set[Watched]) -> None:
        sent = {camera.name for camera in self.hub.online if camera.transport == "websocket"}
        wanted = watched, sent
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
            watched, sent = self._wanted
            for key in self._subscriptions.keys() - watched:
                self._node.destroy_subscription(self._subscriptions.pop(key))
            for name in self._publishers.keys() - sent:
                self._node.destroy_publisher(self._publishers.pop(name))
            for key in watched - self._subscriptions.keys():
                self._subscriptions[key] = self._subscribe(*key)
            for name in sent - self._publishers.keys():
                publisher = self._node.create_publisher(
                    CompressedImage, _frames_topic(name), qos_profile_sensor_data
                )
                self._publishers[name] = publisher
                self._node.get_logger().info(f"camera {name}: frames go to {publisher.topic_name}")

    def _subscribe(self, camera: str, view: View) -> Subscription:
        kind, topic, read = self._topic(camera, view)

        def callback(msg: Any) -> None:
            try:
                news: dict[str, Any] = {view: read(msg)}
            except I2tError as error:
                self._node.get_logger().warning(
                    f"{topic}: {error}", throttle_duration_sec=COMPLAINT_PERIOD
                )
                return
            with contextlib.suppress(NotActiveError):  # the loop has ended: nobody looks any more
                self._loop.post(partial(self.hub.publish, camera, **news))

        return self._node.create_subscription(kind, topic, callback, qos_profile_sensor_data)

    def _topic(self, name: str, view: View) -> Topic:
        own = self._own.get(name)
        results = self._results + (own.prefix.removeprefix("~/") if own else f"{name}/")
        if view == "words":
            return DescriptionMsg, f"{results}description", description_from_msg
        if view == "annotated":
            return CompressedImage, f"{results}annotated/compressed", _jpeg_of
        assert own is not None  # noqa: S101 (the hub has the pictures of the others)
        raw = self._node.resolve_topic_name(own.topic)
        if own.compressed:
            return CompressedImage, f"{raw}/compressed", _jpeg_of
        return ImageMsg, raw, _jpeg_of


def _frames_topic(camera: str) -> str:
    """Return the topic of a WebSocket camera's frames; detector_node looks for such names."""
    return f"~/{camera}/image/compressed"


def _jpeg_of(msg: ImageMsg | CompressedImage) -> bytes:
    if isinstance(msg, CompressedImage):
        picture = Picture(bytes(memoryview(msg.data).cast("B")))
        if read_header(picture).format == "jpeg":
            return bytes(picture)
        image = decode_image(picture)
    else:
        image = image_from_msg(msg, max_pixels=2**31)
    return bytes(encode_image(image, "jpeg", QUALITY))
