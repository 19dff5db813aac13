"""Shows the whole chain on one photo: nodes, topics, service, TCP, annotated picture."""

from __future__ import annotations

import io
import os
import random
import socket
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from rclpy.task import Future
from rclpy.utilities import try_shutdown
from sensor_msgs.msg import CompressedImage
from sensor_msgs.msg import Image as ImageMsg
from std_msgs.msg import Header, String
from vision_msgs.msg import Detection2DArray

from i2t_ros.client import Client, ServerError
from i2t_ros.errors import DetectorUnreachableError, I2tError, TimeLimitError
from i2t_ros.nodes.messages.images import image_to_msg
from i2t_ros.nodes.processes import NodeProcess, node_environment, parameter_arguments
from i2t_ros.srv import Describe
from i2t_ros.vision.codecs import decode_image

START_LIMIT = 120.0
"""Seconds for the node to be ready; the first start may download a model."""
ANSWER_LIMIT = 30.0
"""Seconds for an answer from the running node."""


def run_demo(picture: Path, data: bytes, model: str, language: str, save: Path) -> int:
    """Show a picture (its path and its bytes) to a detector_node and print what comes back.

    Raises I2tError if any step fails; returns 0.
    """
    image = decode_image(data)
    # A random domain, limited to this machine, so that the demo does not talk to a robot.
    os.environ.setdefault("ROS_DOMAIN_ID", str(random.randint(1, 101)))  # noqa: S311
    os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    os.environ.update(node_environment())
    if isinstance(sys.stdout, io.TextIOWrapper):
        # So that these lines and those of the nodes come in order, also in a file.
        sys.stdout.reconfigure(line_buffering=True)
    print(f"photo       {picture} ({image.shape[1]}x{image.shape[0]})")
    rclpy.init(args=[])
    try:
        with ExitStack() as nodes:
            detector = nodes.enter_context(
                node_process("detector_node", model=model, language=language)
            )
            port = free_port()
            bridge = nodes.enter_context(node_process("bridge_node", tcp_port=port))
            viewer = Viewer([detector, bridge])
            nodes.callback(viewer.close)
            viewer.show_photo(image_to_msg(Header(frame_id="camera"), image))
            viewer.call_describe(data, save)
            ask_over_tcp(data, port)
    finally:
        try_shutdown()
    print("demo        complete")
    return 0


def node_process(name: str, **values: object) -> NodeProcess:
    """Start a node as a separate process; leaving the context ends it."""
    process = NodeProcess(name, parameter_arguments(values))
    print(f"node        {name}, process {process.pid}")
    return process


def free_port() -> int:
    """Return a port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def ask_over_tcp(data: bytes, port: int) -> None:
    """Ask the bridge as a program without ROS does, in version 1 of the protocol."""
    end = time.monotonic() + ANSWER_LIMIT
    while True:
        try:
            with Client("127.0.0.1", port, protocol=1) as client:
                answer = client.describe(data)
            break
        except (
            ServerError,
            OSError,
        ) as error:  # the bridge is still starting, or looking for the detector
            if time.monotonic() > end:
                raise DetectorUnreachableError(f"no answer over TCP: {error}") from error
            time.sleep(0.2)
    print(f"TCP         {answer.sentence} ({len(answer.image)} bytes of picture)")


class Viewer:
    """Publishes the photo like a camera, and receives the answers."""

    def __init__(self, processes: Sequence[NodeProcess]) -> None:
        """Create the topics and the service client."""
        self._processes = processes
        self._node = Node("i2t_demo")
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self._node)
        self._camera = self._node.create_publisher(ImageMsg, "image", qos_profile_sensor_data)
        self._describe = self._node.create_client(Describe, "/detector_node/describe")
        self._detections: list[Detection2DArray] = []
        self._sentences: list[String] = []
        for kind, topic, seen in (
            (Detection2DArray, "detections", self._detections),
            (String, "sentence", self._sentences),
        ):
            self._node.create_subscription(kind, f"/detector_node/{topic}", seen.append, 10)

    def close(self) -> None:
        """Leave the ROS graph."""
        self._executor.shutdown()
        self._node.destroy_node()

    def show_photo(self, msg: ImageMsg) -> None:
        """Publish the photo until the node has answered it, and print the answer."""
        self._wait(START_LIMIT, "the node is not ready", self._ready)
        msg.header.stamp = self._node.get_clock().now().to_msg()
        published = []

        def publish() -> None:
            if not self._answered():
                published.append(time.monotonic())
                self._camera.publish(msg)

        # Again and again, like a camera: the first frames are lost until all are connected.
        repeat = self._node.create_timer(0.2, publish)
        self._wait(ANSWER_LIMIT, "no detections or no sentence came", self._answered)
        took = 1000 * (time.monotonic() - published[-1])
        self._node.destroy_timer(repeat)
        detections, sentence = self._detections[0], self._sentences[0]
        if detections.header != msg.header:
            raise I2tError("the detections do not have the header of the image")
        print(f"sentence    {sentence.data}")
        for item in detections.detections:
            center, best = item.bbox.center.position, item.results[0].hypothesis
            print(
                f"detection   {best.class_id} {best.score:.2f}, {item.bbox.size_x:.0f}x"
                f"{item.bbox.size_y:.0f} around ({center.x:.0f}, {center.y:.0f})"
            )
        print(f"            {took:.0f} ms from the image topic to the answer")

    def call_describe(self, data: bytes, save: Path) -> None:
        """Send the file to the Describe service, in Spanish, and save the annotated picture."""
        picture = CompressedImage(format="jpeg")
        picture.data.frombytes(data)
        request = Describe.Request(image=picture, language="es", style="list", annotate=True)
        future: Future = self._describe.call_async(request)
        self._wait(ANSWER_LIMIT, "Describe did not answer", future.done)
        response = future.result()
        if not response.success:
            raise I2tError(f"Describe failed: {response.message} [{response.error_code}]")
        print(f"service     {response.description.sentence}")
        save.parent.mkdir(parents=True, exist_ok=True)
        save.write_bytes(response.annotated.data)
        print(f"saved       {save.resolve()}")

    def _ready(self) -> bool:
        return (
            self._describe.service_is_ready()
            and self._camera.get_subscription_count() > 0
            and self._node.count_publishers("/detector_node/sentence") > 0
        )

    def _answered(self) -> bool:
        return bool(self._detections and self._sentences)

    def _wait(self, limit: float, failure: str, done: Callable[[], bool]) -> None:
        end = time.monotonic() + limit
        while not done():
            for process in self._processes:
                if process.code() is not None:
                    raise DetectorUnreachableError(
                        f"{process.name} ended with code {process.code()}; "
                        "its last lines above say why"
                    )
            if time.monotonic() > end:
                raise TimeLimitError(f"{failure} within {limit:g} s")
            self._executor.spin_once(timeout_sec=0.1)
