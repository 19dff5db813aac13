"""The cameras of a bridge: topics, subscribed to while somebody looks, and WebSocket cameras."""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Literal, TypeAlias, get_args

from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import qos_profile_sensor_data
from rclpy.subscription import Subscription
from sensor_msgs.msg import CompressedImage
from sensor_msgs.msg import Image as ImageMsg
from std_msgs.msg import Header

from i2t_ros.bridges.camera_hub import CameraHub, View
from i2t_ros.bridges.loop_thread import LoopThread
from i2t_ros.errors import I2tError, ImageTooLargeError, NotActiveError
from i2t_ros.msg import Description as DescriptionMsg
from i2t_ros.nodes.detector.camera_ports import LONGEST_RESULT, CameraTopics, check_topics
from i2t_ros.nodes.lifecycle.guard import COMPLAINT_PERIOD, complain
from i2t_ros.nodes.messages.descriptions import description_from_msg
from i2t_ros.nodes.messages.images import encoded_to_msg, image_from_msg, picture_from_msg
from i2t_ros.types import Picture, PictureHeader
from i2t_ros.vision.codecs import decode_image, encode_image, is_heavy, read_header

LINGER = 5.0
"""Seconds for which a topic stays subscribed after its last viewer has left."""
QUALITY = 80
"""Of the JPEG pictures that raw images become."""

Wanted: TypeAlias = "tuple[str, View | Literal['frames']]"
"""A camera, and what of it goes over a topic: a view of it, or the frames of a WebSocket camera."""
Topic: TypeAlias = tuple[type, str, Callable[[Any], object]]
"""The type and name of a topic, and what makes of its message what a view shows."""


class BridgeCameras:
    """Feeds a CameraHub from topics, and publishes the frames of its WebSocket cameras on others.

    The hub lives on the loop, topics belong to the executor. Whatever changes in the hub, the loop
    writes down which topics are wanted now, and a task of the executor opens and closes them.
    Messages go back to the loop by ``post``.
    """

    def __init__(
        self, node: Node, loop: LoopThread, cameras: Iterable[CameraTopics], results: str
    ) -> None:
        """Know ``cameras``, whose results are published below ``results`` ("detector_node/")."""
        self._node = node
        self._loop = loop
        self._results = results
        self._own = {camera.name: camera for camera in cameras}
        self._wanted: set[Wanted] = set()
        self._open: dict[Wanted, Subscription | Publisher] = {}
        self._lock = threading.Lock()  # on these two: the loop publishes, the executor opens
        self._closed = False
        self._closing: asyncio.TimerHandle | None = None
        self.hub = CameraHub(on_change=self._on_change)

    def open(self) -> None:
        """Make the cameras known; called on the loop. Raises InvalidRequestError."""
        for name in self._own:
            self.hub.add(name, "topic")

    def close(self) -> None:
        """Let go of all topics, once the loop calls no more."""
        with self._lock:
            self._closed = True
            self._wanted = set()
        self._update()

    # On the loop

    def check(self, camera: str) -> None:
        """Raise InvalidRequestError if the name makes a topic's name longer than ROS allows."""
        results = f"{self._results}{camera}/{LONGEST_RESULT}"
        check_topics(self._node, camera, _frames_topic(camera), results)

    def publish(self, camera: str, jpeg: bytes) -> None:
        """Publish a WebSocket camera's frame, if anybody subscribes to its topic."""
        with self._lock:
            publisher = self._open.get((camera, "frames"))
            if isinstance(publisher, Publisher) and publisher.get_subscription_count():
                header = Header(stamp=self._node.get_clock().now().to_msg(), frame_id=camera)
                picture = Picture(jpeg, PictureHeader("jpeg", 0, 0))
                publisher.publish(encoded_to_msg(header, picture))

    def _on_change(self) -> None:
        """Open at once what has a viewer; close what has none any more a little later."""
        self._want({wanted for wanted in self._wanted if wanted[1] != "frames"})
        if self._closing is not None:
            self._closing.cancel()  # what has lost its viewer just now lingers as long as the rest
        self._closing = asyncio.get_running_loop().call_later(LINGER, self._want, set())

    def _want(self, lingering: set[Wanted]) -> None:
        """Have the executor open what has a viewer, and keep what lingers."""
        wanted = lingering.copy()
        for camera in self.hub.online:
            views: set[Any] = {view for view in get_args(View) if getattr(camera, view).viewers}
            if camera.transport == "websocket":
                views = views - {"raw"} | {"frames"}
            wanted |= {(camera.name, view) for view in views}
        for name, view in self._wanted - wanted:
            if view != "frames" and (closed := self.hub.known(name)):
                getattr(closed, view).clear()  # or it would be what the next viewer sees first
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
            for key in self._open.keys() - self._wanted:
                old = self._open.pop(key)
                if isinstance(old, Publisher):
                    self._node.destroy_publisher(old)
                else:
                    self._node.destroy_subscription(old)
            for name, view in self._wanted - self._open.keys():
                try:
                    self._open[name, view] = self._opened(name, view)
                except Exception as error:  # the others must open all the same
                    complain(self._node.get_logger(), f"camera {name}: no topic for {view}", error)

    def _opened(self, name: str, view: "View | Literal['frames']") -> Subscription | Publisher:
        if view != "frames":
            return self._subscribe(name, view)
        new = self._node.create_publisher(
            CompressedImage, _frames_topic(name), qos_profile_sensor_data
        )
        self._node.get_logger().info(f"camera {name}: frames go to {new.topic_name}")
        return new

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
        picture = picture_from_msg(msg)
        fmt, width, height = read_header(picture)
        if fmt == "jpeg":
            return bytes(picture)
        if is_heavy(picture):  # it would keep the executor from all else
            raise ImageTooLargeError(
                f"a {fmt} picture of {width}x{height} is too large to be shown live; publish JPEG"
            )
        image = decode_image(picture)
    else:
        image = image_from_msg(msg, max_pixels=2**31)
    return bytes(encode_image(image, "jpeg", QUALITY))
