"""`make demo`: shows the whole chain on one photo, with real nodes and topics.

Starts source_node, detector_node and bridge_node as separate processes, with a photo on the image
topic, prints the detections and the sentence that come back over ROS, calls the Describe service,
asks the same over TCP, and saves the annotated picture.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import random
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import rclpy
from i2t_ros.msg import Description
from i2t_ros.srv import Describe
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from rclpy.time import Time
from rclpy.utilities import try_shutdown

from i2t_ros.cli.main import EXIT_INTERRUPTED
from i2t_ros.client import BadReplyError, Client, ServerError
from i2t_ros.errors import DetectorUnreachableError, I2tError, ImageError, TimeLimitError
from i2t_ros.nodes.messages.descriptions import reply_from_response, request_to_msg
from i2t_ros.nodes.processes import (
    NodeProcess,
    node_environment,
    one_that_ended,
    parameter_file,
    signals_wait,
)
from i2t_ros.nodes.signals import Ending, handle
from i2t_ros.types import DescribeRequest, Picture
from i2t_ros.vision.codecs import decode_image

START_LIMIT = 120.0
"""Seconds until the first description; the first start may download a model."""
ANSWER_LIMIT = 30.0
"""Seconds for an answer from the running node."""

say = partial(print, flush=True)  # in order with the lines of the nodes, also in a file


def main() -> int:
    """Run the chain on the photo that the arguments name; return 0 if every step worked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "picture", nargs="?", type=Path, help="default: the photo of Grace Hopper in matplotlib"
    )
    parser.add_argument("--model", default="auto", help="default: auto")
    parser.add_argument("--language", default="en", help="language of the sentence (default: en)")
    parser.add_argument(
        "--save",
        type=Path,
        metavar="FILE",
        help="file for the annotated picture (default: out/demo with the photo's extension)",
    )
    args = parser.parse_args()
    ending = Ending()
    ending.handle()
    try:
        picture = args.picture or sample_photo()
        if picture.is_relative_to(Path.cwd()):  # short lines
            picture = picture.relative_to(Path.cwd())
        save = args.save or Path("out") / f"demo{picture.suffix}"
        data = picture.read_bytes()
        with ending.interruptible():
            return run_demo(picture, data, args.model, args.language, save)
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except (I2tError, OSError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return EXIT_INTERRUPTED if ending.came else 1
    finally:
        handle(signal.SIG_IGN)  # DDS closes after Python has given the signals back


def sample_photo() -> Path:
    """Return the photo of Grace Hopper (US Navy, public domain) in matplotlib."""
    spec = importlib.util.find_spec("matplotlib")
    if spec is None or spec.origin is None:
        raise ImageError("no photo: name one, or pip install matplotlib, which contains one")
    return Path(spec.origin).parent / "mpl-data" / "sample_data" / "grace_hopper.jpg"


def run_demo(picture: Path, data: bytes, model: str, language: str, save: Path) -> int:
    """Show a picture (its path and its bytes) to the nodes and print what comes back.

    Raises I2tError if any step fails; returns 0.
    """
    image = decode_image(data)
    # A random domain, limited to this machine, so that the demo does not talk to a robot.
    os.environ.setdefault("ROS_DOMAIN_ID", str(random.randint(1, 101)))  # noqa: S311
    os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    os.environ.setdefault("RCUTILS_CONSOLE_OUTPUT_FORMAT", "[{severity}] [{name}]: {message}")
    os.environ.update(node_environment())
    say(f"photo       {picture} ({image.shape[1]}x{image.shape[0]})")
    with socket.create_server(("127.0.0.1", 0)) as probe:  # a port on which nothing listens
        port = probe.getsockname()[1]
    parameters: dict[str, dict[str, object]] = {
        "detector_node": {"model": model, "language": language},
        "bridge_node": {"tcp_port": port},
        "source_node": {"source": str(picture), "rate": 5.0},
    }
    with ExitStack() as stack:
        rclpy.init(args=[], signal_handler_options=SignalHandlerOptions.NO)
        stack.callback(try_shutdown)
        nodes = []
        with signals_wait():
            for name, values in parameters.items():
                node = NodeProcess(name, ["--params-file", parameter_file(values)])
                nodes.append(stack.enter_context(node))
                say(f"node        {name}, process {node.pid}")
        viewer = Viewer(nodes)
        stack.callback(viewer.node.destroy_node)
        viewer.show_answer()
        viewer.call_describe(data, save)
        viewer.ask_over_tcp(data, port)
    say("demo        complete")
    return 0


class Viewer:
    """Asks the running nodes, and prints what they answer."""

    def __init__(self, nodes: Sequence[NodeProcess]) -> None:
        """Join the ROS graph; ``nodes`` must not end before the viewer."""
        self.node = Node("i2t_demo")
        self._nodes = nodes

    def show_answer(self) -> None:
        """Wait until the detector has described the photo; print what it found."""
        answers: list[tuple[Description, Time]] = []

        def take(answer: Description) -> None:
            answers.append((answer, self.node.get_clock().now()))

        self.node.create_subscription(Description, "/detector_node/description", take, 10)
        # The first one takes longer: it waits for what is loaded with the first image.
        self._wait(START_LIMIT, "no description came", lambda: len(answers) > 1)
        answer, came = answers[1]
        took = came - Time.from_msg(answer.header.stamp)  # of the frame that was answered
        say(f"sentence    {answer.sentence}")
        for item in answer.detections.detections:
            center, best = item.bbox.center.position, item.results[0].hypothesis
            say(
                f"detection   {best.class_id} {best.score:.2f}, {item.bbox.size_x:.0f}x"
                f"{item.bbox.size_y:.0f} around ({center.x:.0f}, {center.y:.0f})"
            )
        say(f"            {took.nanoseconds / 1e6:.0f} ms from the image topic to the answer")

    def call_describe(self, data: bytes, save: Path) -> None:
        """Send the file to the Describe service, in Spanish, and save the annotated picture."""
        client = self.node.create_client(Describe, "/detector_node/describe")
        self._wait(ANSWER_LIMIT, "Describe is not there", client.service_is_ready)
        request = DescribeRequest(Picture(data), language="es", style="list", annotate=True)
        future = client.call_async(request_to_msg(request))
        self._wait(ANSWER_LIMIT, "Describe did not answer", future.done)
        reply = reply_from_response(future.result())
        say(f"service     {reply.description.sentence}")
        save.parent.mkdir(parents=True, exist_ok=True)
        save.write_bytes(reply.annotated.data if reply.annotated else b"")
        say(f"saved       {save}")

    def ask_over_tcp(self, data: bytes, port: int) -> None:
        """Ask the bridge as a program without ROS does, in version 1 of the protocol."""

        def answered() -> bool:
            try:
                with Client("127.0.0.1", port, protocol=1, timeout=5.0) as client:
                    answer = client.describe(data)
            except (ServerError, BadReplyError, OSError):  # it still starts
                return False
            say(f"TCP         {answer.sentence} ({len(answer.image)} bytes of picture)")
            return True

        self._wait(ANSWER_LIMIT, "no answer over TCP", answered)

    def _wait(self, limit: float, failure: str, done: Callable[[], bool]) -> None:
        """Spin until ``done()``, for at most ``limit`` seconds, or until a process ends."""
        end = time.monotonic() + limit
        while not done():
            if ended := one_that_ended(self._nodes):
                raise DetectorUnreachableError(
                    f"{ended.name} ended with code {ended.returncode}; its last lines say why"
                )
            if time.monotonic() > end:
                raise TimeLimitError(f"{failure} within {limit:g} s")
            rclpy.spin_once(self.node, timeout_sec=0.1)


if __name__ == "__main__":
    raise SystemExit(main())
