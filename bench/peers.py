"""The other ends of a measurement, each in a process of its own: a camera, a viewer, the engine.

Each joins a ROS domain of the bench's own, and takes or leaves the shipped Fast DDS profile.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import random
import statistics
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from material import bare_engine, detector, photo

from i2t_ros.nodes.processes import PROFILES, NodeProcess, parameter_file, profile_variable
from i2t_ros.resources import config_path

LIMIT = 60.0
"""Seconds for a peer or a node to be ready, to answer, or to end."""
PROFILE = profile_variable()
# Not read by this Fast DDS, but it keeps the package from setting its own.
(OTHER_PROFILE,) = set(PROFILES) - {PROFILE}


# No two graphs of a run meet in one domain.
_DOMAINS = iter(random.sample(range(1, 102), 101))


@dataclass(frozen=True)
class Graph:
    """A ROS graph of its own; without ``profile``, Fast DDS as it comes."""

    profile: bool = True
    domain: int = field(default_factory=lambda: next(_DOMAINS))

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
            arguments = ["--params-file", parameter_file(parameters)]
            self._process = NodeProcess(name, arguments, self.lines.append)

    def __enter__(self) -> Node:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.stop()

    def until(self, text: str) -> str:
        """Wait for a line with this text and return it."""
        end = time.monotonic() + LIMIT
        while time.monotonic() < end and self._process.poll() is None:
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
        return processor_time(self._process.pid)


def processor_time(pid: int) -> float:
    """Return what a process has used so far, seconds."""
    with open(f"/proc/{pid}/stat") as file:
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
        theirs.close()  # so that the end of the process is the end of the pipe

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self.pipe.send("end")
        self._process.join(LIMIT)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()

    def cpu(self) -> float:
        """Return the processor time used so far, seconds."""
        assert self._process.pid is not None  # noqa: S101 (started)
        return processor_time(self._process.pid)

    def ask(self, question: object = None, limit: float = LIMIT) -> Any:
        """Send something, unless it is None, and return what comes back.

        Raises TimeoutError, EOFError for a process that has ended, and what comes back if it is an
        exception.
        """
        if question is not None:
            self.pipe.send(question)
        if not self.pipe.poll(limit):
            raise TimeoutError(f"no answer within {limit:g} s to {question!r:.100}")
        answer = self.pipe.recv()
        if isinstance(answer, Exception):
            raise answer
        return answer


@dataclass(frozen=True)
class Film:
    """What a camera shows: ``count`` images of one size at a rate, on all topics at once."""

    topics: tuple[str, ...] = ("image",)
    size: tuple[int, int] = (640, 480)
    rate: float = 30.0
    count: int = 150


@contextlib.contextmanager
def ros_node(name: str) -> Iterator[tuple[Any, Callable[[float], None]]]:
    """Yield a node of this process, and what handles its next message or waits so many seconds."""
    import rclpy  # noqa: PLC0415 (the environment has to be set first)
    from rclpy.executors import SingleThreadedExecutor  # noqa: PLC0415

    rclpy.init(args=[])
    node = rclpy.create_node(name)
    # Kept: rclpy.spin_once would put the node into an executor and take it out with each message.
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    try:
        yield node, executor.spin_once
    finally:
        node.destroy_node()
        rclpy.try_shutdown()


def camera(pipe: Any) -> None:
    """Show each Film that comes through the pipe; send back how many images it was.

    Each image's stamp is the time when it is published. The message is made once: the camera runs
    on the cores that are measured, and publishing 640x480 costs 0.3 ms of them.
    """
    from rclpy.qos import qos_profile_sensor_data  # noqa: PLC0415
    from sensor_msgs.msg import Image  # noqa: PLC0415
    from std_msgs.msg import Header  # noqa: PLC0415

    from i2t_ros.nodes.messages.images import image_to_msg  # noqa: PLC0415

    publishers: dict[str, Any] = {}
    with ros_node("camera") as (node, _):
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


def age(stamp: Any) -> float:
    """Return how long ago a message's stamp is, seconds."""
    return time.time() - stamp.sec - stamp.nanosec / 1e9


def receiver(pipe: Any, topic: str) -> None:
    """Take images and do nothing with them; "seen" sends what that was like since the last time.

    That is (median latency, processor time of an image), in ms: what nobody can save who takes
    images in Python.
    """
    from rclpy.qos import qos_profile_sensor_data  # noqa: PLC0415
    from sensor_msgs.msg import Image  # noqa: PLC0415

    latencies: list[float] = []
    newest = None

    def on_image(msg: Image) -> None:
        # Kept, as detector_node does. If the memory of one image is free before the next comes,
        # glibc gives it back: 4500 page faults and 11 ms for each image of 1920x1080.
        nonlocal newest
        newest = msg
        latencies.append(age(msg.header.stamp))

    with ros_node("receiver") as (node, spin):
        node.create_subscription(Image, topic, on_image, qos_profile_sensor_data)
        pipe.send("ready")
        question, busy = "", time.process_time()
        while question != "end":
            spin(0.05)
            question = pipe.recv() if pipe.poll() else ""
            if question == "seen":
                now = time.process_time()
                pipe.send(
                    (1e3 * statistics.median(latencies), 1e3 * (now - busy) / len(latencies))
                    if latencies
                    else None
                )
                latencies.clear()
                busy = now


def mirror(pipe: Any, images: str, detections: str) -> None:
    """Answer each image at once, having looked at nothing: what the way alone takes in Python."""
    from rclpy.qos import qos_profile_sensor_data  # noqa: PLC0415
    from sensor_msgs.msg import Image  # noqa: PLC0415
    from vision_msgs.msg import Detection2DArray  # noqa: PLC0415

    newest = None

    def on_image(msg: Image) -> None:
        nonlocal newest
        newest = msg  # kept, for the reason that receiver() has
        publisher.publish(Detection2DArray(header=msg.header))

    with ros_node("mirror") as (node, spin):
        publisher = node.create_publisher(Detection2DArray, detections, 10)
        node.create_subscription(Image, images, on_image, qos_profile_sensor_data)
        pipe.send("ready")
        while not (pipe.poll() and pipe.recv() == "end"):
            spin(0.05)


@dataclass
class Seen:
    """What a viewer has seen.

    latencies  from an image's stamp to the arrival of its detections, by topic, seconds
    first      when the first sentence came, 0 if none has
    arrivals   when the first and the last detections came
    counters   the numbers of the newest diagnostics, by camera; ``reported`` is when they came
    """

    latencies: dict[str, list[float]] = field(default_factory=dict)
    first: float = 0.0
    arrivals: tuple[float, float] = (0.0, 0.0)
    counters: dict[str, dict[str, int]] = field(default_factory=dict)
    reported: float = 0.0

    @property
    def count(self) -> int:
        """How many detections came."""
        return sum(len(latencies) for latencies in self.latencies.values())

    @property
    def rate(self) -> float:
        """How many came in a second, between the first and the last."""
        first, last = self.arrivals
        return (self.count - 1) / (last - first) if last > first else 0.0


def viewer(pipe: Any, topics: Sequence[str], sentences: Sequence[str] = ()) -> None:
    """Listen to detections and sentences; "seen" through the pipe asks for all since "forget"."""
    from diagnostic_msgs.msg import DiagnosticArray  # noqa: PLC0415
    from std_msgs.msg import String  # noqa: PLC0415
    from vision_msgs.msg import Detection2DArray  # noqa: PLC0415

    seen = Seen()

    def on_detections(topic: str, msg: Detection2DArray) -> None:
        now = time.time()
        seen.latencies.setdefault(topic, []).append(age(msg.header.stamp))
        seen.arrivals = (seen.arrivals[0] or now, now)

    def on_sentence(msg: String) -> None:
        seen.first = seen.first or time.time()

    def on_diagnostics(msg: DiagnosticArray) -> None:
        for status in msg.status:
            numbers = {v.key: int(v.value) for v in status.values if v.value.isdecimal()}
            seen.counters[status.name.rpartition(": ")[2]] = numbers
        seen.reported = time.time()

    with ros_node("viewer") as (node, spin):
        for topic in topics:
            node.create_subscription(Detection2DArray, topic, partial(on_detections, topic), 100)
        for topic in sentences:
            node.create_subscription(String, topic, on_sentence, 10)
        node.create_subscription(DiagnosticArray, "/diagnostics", on_diagnostics, 10)
        pipe.send("ready")
        question = ""
        while question != "end":
            spin(0.05)
            question = pipe.recv() if pipe.poll() else ""
            if question == "matched":
                pipe.send(all(node.count_publishers(topic) for topic in (*topics, *sentences)))
            elif question == "seen":
                pipe.send(seen)
            elif question == "forget":
                seen = Seen(counters=seen.counters, reported=seen.reported)
                pipe.send(None)


@dataclass(frozen=True)
class Calls:
    """Calls of the bare engine: median latency and processor time of one, ms; calls a second."""

    latency: float
    cpu: float
    rate: float


def engine(pipe: Any) -> None:
    """Call the bare engine so often and at such a rate (0: back to back) as the pipe says.

    Sends back Calls.
    """
    call = bare_engine(detector(), photo())
    for _ in range(20):
        call()
    pipe.send("ready")
    while (question := pipe.recv()) != "end":
        count, rate = question
        times, busy, start = [], time.process_time(), time.perf_counter()
        for i in range(count):
            if rate:
                time.sleep(max(0.0, start + i / rate - time.perf_counter()))
            began = time.perf_counter()
            call()
            times.append(time.perf_counter() - began)
        elapsed, busy = time.perf_counter() - start, time.process_time() - busy
        pipe.send(Calls(1e3 * statistics.median(times), 1e3 * busy / count, count / elapsed))


def wait_for(condition: Callable[[], bool], limit: float = LIMIT) -> None:
    """Wait until something holds, looking twenty times a second; raises TimeoutError."""
    end = time.monotonic() + limit
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"not within {limit:g} s")
        time.sleep(0.05)
