"""The other ends of a measurement, each in a process of its own: a camera, a viewer, clients.

Each joins a ROS domain of the bench's own, and takes or leaves the shipped Fast DDS profile.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import random
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from material import photo

from i2t_ros.processes import NodeProcess, parameter_arguments
from i2t_ros.resources import config_path

LIMIT = 60.0
"""Seconds for a peer or a node to be ready, to answer, or to end."""
# Fast DDS 2 reads the first of them; either keeps the package from setting its own.
PROFILE, OTHER_PROFILE = "FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE"


@dataclass(frozen=True)
class Graph:
    """A ROS graph of its own; without ``profile``, Fast DDS as it comes."""

    profile: bool = True
    domain: int = field(default_factory=lambda: random.randint(1, 101))

    @contextlib.contextmanager
    def joined(self) -> Iterator[None]:
        """Have the processes that are started meanwhile join it."""
        wanted = {
            "ROS_DOMAIN_ID": str(self.domain),
            "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST",
            PROFILE if self.profile else OTHER_PROFILE: str(config_path("fastdds.xml")),
        }
        before = {name: os.environ.get(name) for name in wanted}
        os.environ.update(wanted)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value


class Node:
    """A node of the package as a process; its lines are kept."""

    def __init__(self, graph: Graph, name: str, **parameters: object) -> None:
        """Start it and note when; as a context it has ended when the context ends."""
        self.lines: deque[str] = deque(maxlen=200)
        self.started = time.time()
        with graph.joined():
            self._process = NodeProcess(name, parameter_arguments(parameters), self.lines.append)

    def __enter__(self) -> Node:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.stop()

    def until(self, text: str) -> str:
        """Wait for a line with this text and return it."""
        end = time.monotonic() + LIMIT
        while time.monotonic() < end and self._process.code() is None:
            for line in list(self.lines):
                if text in line:
                    return line
            time.sleep(0.02)
        raise RuntimeError(f"no line with {text!r}:\n" + "\n".join(self.lines))

    def resident(self) -> float:
        """Return the resident memory, MB."""
        with open(f"/proc/{self._process.pid}/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6

    def cpu(self) -> float:
        """Return the processor time used so far, seconds."""
        with open(f"/proc/{self._process.pid}/stat") as file:
            words = file.read().rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


class Peer:
    """A function in a process of its own, which it talks to through a pipe."""

    def __init__(self, graph: Graph, work: Callable[..., None], *arguments: object) -> None:
        """Start ``work(pipe, *arguments)``; as a context it has ended when the context ends."""
        self.pipe, theirs = multiprocessing.Pipe()
        context = multiprocessing.get_context("spawn")
        self._process = context.Process(target=work, args=(theirs, *arguments), daemon=True)
        with graph.joined():
            self._process.start()

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self.pipe.send("end")
        self._process.join(LIMIT)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()

    def ask(self, question: object = None, limit: float = LIMIT) -> Any:
        """Send something, unless it is None, and return what comes back."""
        if question is not None:
            self.pipe.send(question)
        if not self.pipe.poll(limit):
            raise TimeoutError(f"no answer to {question!r} within {limit:g} s")
        return self.pipe.recv()


@dataclass(frozen=True)
class Film:
    """What a camera shows: ``count`` images of one size at a rate, on each topic in turn."""

    topics: tuple[str, ...] = ("image",)
    size: tuple[int, int] = (640, 480)
    rate: float = 30.0
    count: int = 150


def camera(pipe: Any) -> None:
    """Show each Film that comes through the pipe; send back how many images it was.

    Each image's stamp is the time when it is published.
    """
    import rclpy  # noqa: PLC0415 (the environment has to be set first)
    from rclpy.qos import qos_profile_sensor_data  # noqa: PLC0415
    from sensor_msgs.msg import Image  # noqa: PLC0415
    from std_msgs.msg import Header  # noqa: PLC0415

    from i2t_ros.nodes.conversions import image_to_msg  # noqa: PLC0415

    rclpy.init(args=[])
    node = rclpy.create_node("camera")
    publishers: dict[str, Any] = {}
    pipe.send("ready")
    while (film := pipe.recv()) != "end":
        for topic in film.topics:
            if topic not in publishers:
                publishers[topic] = node.create_publisher(Image, topic, qos_profile_sensor_data)
        wait_for(lambda: all(publishers[t].get_subscription_count() for t in film.topics))
        msg = image_to_msg(Header(frame_id="camera"), photo(*film.size))
        start = time.perf_counter()
        for i in range(film.count):
            time.sleep(max(0.0, start + i / film.rate - time.perf_counter()))
            for topic in film.topics:
                now = time.time_ns()
                msg.header.stamp.sec, msg.header.stamp.nanosec = divmod(now, 10**9)
                publishers[topic].publish(msg)
        pipe.send(film.count)
    node.destroy_node()
    rclpy.try_shutdown()


@dataclass
class Seen:
    """What a viewer has seen: latencies by topic, seconds, and when the first one came."""

    latencies: dict[str, list[float]] = field(default_factory=dict)
    first: float = 0.0
    counters: dict[str, dict[str, int]] = field(default_factory=dict)


def viewer(pipe: Any, topics: Sequence[str], sentences: Sequence[str] = ()) -> None:
    """Listen to detections and sentences; "seen" through the pipe asks for all since then.

    A latency is from an image's stamp to the arrival of its detections.
    """
    import rclpy  # noqa: PLC0415 (the environment has to be set first)
    from diagnostic_msgs.msg import DiagnosticArray  # noqa: PLC0415
    from std_msgs.msg import String  # noqa: PLC0415
    from vision_msgs.msg import Detection2DArray  # noqa: PLC0415

    rclpy.init(args=[])
    node = rclpy.create_node("viewer")
    seen = Seen()

    def on_detections(topic: str, msg: Detection2DArray) -> None:
        now = time.time()
        stamp = msg.header.stamp
        seen.latencies.setdefault(topic, []).append(now - stamp.sec - stamp.nanosec / 1e9)

    def on_sentence(msg: String) -> None:
        seen.first = seen.first or time.time()

    def on_diagnostics(msg: DiagnosticArray) -> None:
        for status in msg.status:
            numbers = {v.key: int(v.value) for v in status.values if v.value.isdecimal()}
            seen.counters[status.name.rpartition(": ")[2]] = numbers

    for topic in topics:
        node.create_subscription(
            Detection2DArray, topic, lambda msg, topic=topic: on_detections(topic, msg), 100
        )
    for topic in sentences:
        node.create_subscription(String, topic, on_sentence, 10)
    node.create_subscription(DiagnosticArray, "/diagnostics", on_diagnostics, 10)
    pipe.send("ready")
    question = ""
    while question != "end":
        rclpy.spin_once(node, timeout_sec=0.05)
        question = pipe.recv() if pipe.poll() else ""
        if question == "matched":
            pipe.send(all(node.count_publishers(topic) for topic in (*topics, *sentences)))
        elif question == "seen":
            pipe.send(seen)
        elif question == "forget":
            seen = Seen(counters=seen.counters)
            pipe.send(None)
    node.destroy_node()
    rclpy.try_shutdown()


def wait_for(condition: Callable[[], bool], limit: float = LIMIT) -> None:
    """Wait until something holds, looking twenty times a second; raises TimeoutError."""
    end = time.monotonic() + limit
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"not within {limit:g} s")
        time.sleep(0.05)


def ask_service(pipe: Any, name: str, clients: int, seconds: float, picture: bytes) -> None:
    """Call Describe with so many requests in flight at once; send the count and the seconds."""
    import rclpy  # noqa: PLC0415 (the environment has to be set first)
    from i2t_ros.srv import Describe  # noqa: PLC0415

    from i2t_ros.nodes.describe_messages import SERVICE_QOS, request_to_msg  # noqa: PLC0415
    from i2t_ros.types import DescribeRequest  # noqa: PLC0415

    rclpy.init(args=[])
    node = rclpy.create_node("clients")
    client = node.create_client(Describe, name, qos_profile=SERVICE_QOS)
    wait_for(client.service_is_ready)
    request = request_to_msg(DescribeRequest(picture, language="es", style="list", annotate=True))
    start, count = time.perf_counter(), 0
    waiting = [client.call_async(request) for _ in range(clients)]
    while waiting:
        rclpy.spin_once(node, timeout_sec=1.0)
        over = time.perf_counter() - start >= seconds
        for future in [future for future in waiting if future.done()]:
            waiting.remove(future)
            response = future.result()
            if not response.success:
                raise RuntimeError(response.message)
            count += 1
            if not over:
                waiting.append(client.call_async(request))
    pipe.send((count, time.perf_counter() - start))
    node.destroy_node()
    rclpy.try_shutdown()
