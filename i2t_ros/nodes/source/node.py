"""source_node: a camera, video, stream or pictures as an image topic."""

import math
import threading
import time
import traceback
from functools import cache, partial
from typing import Any

from rclpy.lifecycle import LifecycleState, TransitionCallbackReturn
from rclpy.qos import QoSProfile, QoSReliabilityPolicy
from sensor_msgs.msg import CameraInfo, CompressedImage
from sensor_msgs.msg import Image as ImageMsg
from std_msgs.msg import Header

from i2t_ros.errors import I2tError
from i2t_ros.nodes.lifecycle.guard import COMPLAINT_PERIOD
from i2t_ros.nodes.lifecycle.outputs import Outputs
from i2t_ros.nodes.lifecycle.runner import ManagedNode, run_lifecycle_node
from i2t_ros.nodes.messages.camera_info import load_camera_info
from i2t_ros.nodes.messages.images import encoded_to_msg, image_to_msg
from i2t_ros.nodes.parameters.source import SOURCE, SourceSettings
from i2t_ros.options import from_values
from i2t_ros.sources import LazyImage, Source, open_source
from i2t_ros.types import Image
from i2t_ros.vision.codecs import encode_image

STOP_LIMIT = 2.0
"""Seconds for the source's thread to stop; a thread that waits for a stream is left behind."""
LAST_IMAGE_LIMIT = 1.0
"""Seconds for subscribers to receive the last image of a source that has ended."""
SUBSCRIBER_PERIOD = 0.1
"""Seconds between two checks for subscribers."""


class SourceNode(ManagedNode):
    """Reads a source and publishes its images, both in one separate thread."""

    program = "source_node"
    table = SOURCE

    def __init__(self, **node_options: Any) -> None:
        super().__init__(**node_options)
        self._ports: SourcePorts | None = None
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()

    # Lifecycle

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Find the source and create the topics."""
        settings = from_values(SourceSettings, self.values)
        with self.interruptible():
            source = open_source(settings.source, settings.reading)
        url = settings.camera_info_url
        self._ports = SourcePorts(self, source, settings, load_camera_info(url) if url else None)
        self.configured = True
        return TransitionCallbackReturn.SUCCESS

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Open the source and start to publish."""
        ports = self._ports
        assert ports is not None  # noqa: S101 (configured)
        with self.interruptible():
            ports.source.open()
        result = super().on_activate(state)
        self.get_logger().info(f"active: {ports.source.title} to {ports.topic}")
        self._stop = threading.Event()
        self._thread = threading.Thread(
            target=self._run, args=(ports, self._stop), name="i2t-source", daemon=True
        )
        self._thread.start()
        return result

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop publishing and close the source."""
        self._halt()
        return super().on_deactivate(state)

    def release(self) -> None:
        """Stop the thread, then remove the topics. May be called more than once."""
        self._halt()
        if self._ports is not None:
            self._ports.outputs.destroy()
            self._ports = None
        self.configured = False

    def _halt(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(STOP_LIMIT)
            self._thread = None
        if self._ports is not None:
            self._ports.source.close()

    # The source's thread

    def _run(self, ports: "SourcePorts", stop: threading.Event) -> None:
        """Publish until stopped, or until the source has shown everything: then end the node."""
        try:
            count = self._publish_all(ports, stop)
        except Exception as error:
            if not stop.is_set():
                known = isinstance(error, I2tError)
                self.get_logger().fatal(str(error) if known else traceback.format_exc())
                self.end(failed=True)
            return
        if not stop.is_set():
            ports.outputs.wait_for_subscribers(LAST_IMAGE_LIMIT)
            self.get_logger().info(f"{ports.source.title}: ended after {count} images")
            self.end()

    def _publish_all(self, ports: "SourcePorts", stop: threading.Event) -> int:
        count = skipped = 0
        told = -math.inf
        if not ports.settings.reading.loop:  # do not play to nobody what plays only once
            while not ports.outputs.wanted() and not stop.wait(SUBSCRIBER_PERIOD):
                pass
        for image in ports.source.images(stop):
            if stop.is_set():
                break
            stamp = self.get_clock().now().to_msg()
            try:
                ports.publish(Header(stamp=stamp, frame_id=ports.settings.frame_id), image)
                count += 1
            except I2tError as error:
                skipped += 1
                if time.monotonic() - told >= COMPLAINT_PERIOD:
                    more = f" (and {skipped - 1} before)" if skipped > 1 else ""
                    self.get_logger().warning(f"{image.name} skipped: {error}{more}")
                    skipped, told = 0, time.monotonic()
        return count


class SourcePorts:
    """A source and its topics, with the names that image_transport gives those of a camera."""

    def __init__(
        self,
        node: SourceNode,
        source: Source,
        settings: SourceSettings,
        camera_info: CameraInfo | None,
    ) -> None:
        """Create the publishers: no camera_info without a calibration."""
        self.source = source
        self.settings = settings
        self.topic = node.resolve_topic_name("image")
        self._node = node
        self._camera_info = camera_info
        self._last: tuple[Image, ImageMsg] | None = None
        policy = QoSReliabilityPolicy.get_from_short_key(settings.reliability)
        qos = QoSProfile(depth=5, reliability=policy)
        topics = {
            "image": (ImageMsg, self.topic, qos),
            "compressed": (CompressedImage, f"{self.topic}/compressed", qos),
        }
        if camera_info is not None:
            namespace = self.topic.rpartition("/")[0]
            topics["info"] = CameraInfo, f"{namespace}/camera_info", qos
        self.outputs = Outputs(node, topics)

    def publish(self, header: Header, image: LazyImage) -> None:
        """Publish an image on the topics that have subscribers; raises ImageError."""
        pixels = cache(image.read)  # decodes once, and only if a subscriber needs the pixels
        quality = self.settings.jpeg_quality
        publish = self.outputs.publish
        publish("image", lambda: self._image_msg(header, pixels()))
        publish(
            "compressed",
            lambda: encoded_to_msg(
                header, image.picture() or encode_image(pixels(), "jpeg", quality)
            ),
        )
        if self._camera_info is not None:
            publish("info", lambda: self._info_msg(header, pixels()))

    def _image_msg(self, header: Header, image: Image) -> ImageMsg:
        """Return the message of an image, the last one again if the image is the same."""
        if self._last is None or self._last[0] is not image:
            self._last = image, image_to_msg(header, image)
        msg = self._last[1]
        msg.header = header
        return msg

    def _info_msg(self, header: Header, image: Image) -> CameraInfo | None:
        """Return the calibration, or None if it is for images of another size."""
        info = self._camera_info
        assert info is not None  # noqa: S101 (otherwise there is no publisher)
        info.header = header
        if (info.height, info.width) == image.shape[:2]:
            return info
        self._node.get_logger().error(
            f"no camera_info: the calibration is for images of {info.width}x{info.height}, these "
            f"are {image.shape[1]}x{image.shape[0]}",
            once=True,
        )
        return None


main = partial(run_lifecycle_node, SourceNode)
