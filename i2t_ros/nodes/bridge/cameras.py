"""The cameras of a bridge: topics, subscribed to while somebody looks, and WebSocket cameras."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

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
from i2t_ros.nodes.detector.camera_ports import CameraName
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


class BridgeCameras:
    """Feeds a CameraHub from the topics of a detector's cameras, and is the sink of its frames.

    The hub lives on the loop, subscriptions belong to the executor. What the loop wants goes into
    ``_wanted`` and is put into effect by a task of the executor; messages go back by ``post``.
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
        self._topics = {
            camera.name: _topics_of(
                camera, node.resolve_topic_name(camera.topic), results, compressed
            )
            for camera in cameras
        }
        self._wanted: dict[tuple[str, View], bool] = {}
        self._subscriptions: dict[tuple[str, View], Subscription] = {}
        self._lock = threading.Lock()  # on the publishers: the loop uses them, the executor opens
        self._publishers: dict[str, Publisher] = {}
        self._leaving: set[str] = set()
        self._complained = 0.0
        self._closed = False
        self.hub = CameraHub(on_viewers_changed=self._on_viewers_changed)

    def open(self) -> None:
        """Make the cameras known; called on the loop. Raises InvalidRequestError."""
        for name in self._topics:
            self.hub.add(name, "topic")

    def close(self) -> None:
        """Let go of all topics, once the loop calls no more."""
        self._closed = True
        for subscription in self._subscriptions.values():
            self._node.destroy_subscription(subscription)
        for publisher in self._publishers.values():
            self._node.destroy_publisher(publisher)
        self._subscriptions, self._publishers = {}, {}

    # On the loop

    def publish(self, camera: str, jpeg: bytes) -> None:
        """Publish a WebSocket camera's frame, if anybody subscribes to its topic."""
        with self._lock:
            self._leaving.discard(camera)
            publisher = self._publishers.get(camera)
            if publisher is None:
                self._in_executor(partial(self._open_publisher, camera))
            elif publisher.get_subscription_count():
                stamp = self._node.get_clock().now().to_msg()
                header = Header(stamp=stamp, frame_id=camera)
                publisher.publish(
                    encoded_to_msg(header, Picture(jpeg, PictureHeader("jpeg", 0, 0)))
                )

    def closed(self, camera: str) -> None:
        """Take the topic of a WebSocket camera away."""
        with self._lock:
            self._leaving.add(camera)
        self._in_executor(partial(self._close_publisher, camera))

    def _on_viewers_changed(self, camera: str, view: View, count: int) -> None:
        if camera not in self._topics:
            return
        self._wanted[camera, view] = count > 0
        if count > 0:
            self._in_executor(self._update)
        else:
            asyncio.get_running_loop().call_later(LINGER, self._in_executor, self._update)

    def _in_executor(self, task: Callable[[], None]) -> None:
        if self._node.executor is not None and not self._closed:
            self._node.executor.create_task(task)

    # In the executor

    def _update(self) -> None:
        """Subscribe to what somebody looks at and to nothing else."""
        for key, wanted in list(self._wanted.items()):
            if wanted and key not in self._subscriptions and not self._closed:
                self._subscriptions[key] = self._subscribe(*key)
            elif not wanted and key in self._subscriptions:
                self._node.destroy_subscription(self._subscriptions.pop(key))

    def _subscribe(self, camera: str, view: View) -> Subscription:
        kind, topic, read = self._topics[camera][view]

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

    def _open_publisher(self, camera: str) -> None:
        with self._lock:
            if camera in self._publishers or camera in self._leaving or self._closed:
                return
            topic = f"~/{camera}/image/compressed"
            publisher = self._node.create_publisher(CompressedImage, topic, qos_profile_sensor_data)
            self._publishers[camera] = publisher
        self._node.get_logger().info(f"camera {camera}: frames go to {publisher.topic_name}")

    def _close_publisher(self, camera: str) -> None:
        with self._lock:
            if camera in self._leaving:
                self._leaving.discard(camera)
                publisher = self._publishers.pop(camera, None)
                if publisher is not None:
                    self._node.destroy_publisher(publisher)


def _topics_of(
    camera: CameraName, topic: str, results: str, compressed: bool
) -> dict[View, tuple[type, str, Callable[[Any], object]]]:
    """Return for each view the type and name of its topic, and what makes of a message a view."""
    prefix = results + camera.prefix.removeprefix("~/")
    raw: tuple[type, str, Callable[[Any], object]] = (ImageMsg, topic, _jpeg_of_image)
    if compressed:
        raw = (CompressedImage, f"{topic}/compressed", _jpeg_of_compressed)
    return {
        "raw": raw,
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
