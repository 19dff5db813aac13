"""Real nodes as real processes, a peer that talks to them, and a ROS domain for both."""

import contextlib
import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest
import rclpy
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from rclpy.signals import SignalHandlerOptions
from rclpy.utilities import try_shutdown
from sensor_msgs.msg import Image

from i2t_ros.nodes.lifecycle.spinning import SpinningThread
from i2t_ros.nodes.processes import profile_variable
from i2t_ros.resources import config_path

START_LIMIT = 60.0
ANSWER_LIMIT = 30.0
STOP_LIMIT = 20.0
LOG_LIMIT = 200_000  # bytes


def claim_domain():
    """Return a ROS domain that no other run on this machine uses, and the socket that claims it.

    The claim is a name of Linux's abstract namespace: it ends with the process and leaves no file.
    """
    for domain in random.sample(range(1, 102), 101):
        claim = socket.socket(socket.AF_UNIX)
        with contextlib.suppress(OSError):
            claim.bind(f"\0i2t_ros test domain {domain}")
            return domain, claim
        claim.close()
    pytest.exit("no free ROS domain: 101 runs of these tests are under way", 1)


@contextlib.contextmanager
def own_domain():
    """Initialise rclpy in a domain of this run's own."""
    domain, claim = claim_domain()
    os.environ["ROS_DOMAIN_ID"] = str(domain)
    os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
    os.environ[profile_variable()] = str(config_path("fastdds.xml"))
    # Signals are pytest's: rclpy's handlers would end the context under running tests.
    rclpy.init(args=[], signal_handler_options=SignalHandlerOptions.NO)
    try:
        yield
    finally:
        try_shutdown()
        claim.close()


class NotYetError(AssertionError):
    """What was waited for did not happen in time."""


class Peer:
    """A node of the test's own; its callbacks run in a thread, the test waits for what they see."""

    def __init__(self):
        self.node = Node("peer")
        self.changed = threading.Condition()
        self.processes = []
        self._clients = {}
        # Woken by a timer too, for what nothing announces, such as a service that has appeared.
        self.node.create_timer(0.05, self._notify)
        self._spinning = SpinningThread(self.node)

    def close(self):
        assert self._spinning.close(STOP_LIMIT)
        self.node.destroy_node()

    def until(self, condition, what, limit=ANSWER_LIMIT):
        """Wait until ``condition()`` holds; fail at once if a node has ended meanwhile."""
        end = time.monotonic() + limit
        with self.changed:
            while not condition():
                for process in self.processes:
                    assert process.running(), f"{what}: the node ended:\n{process.log()}"
                if time.monotonic() > end:
                    raise NotYetError(f"{what}: not within {limit} s")
                self.changed.wait(0.1)

    def collect(self, kind, topic, qos=10):
        """Return the list into which a topic's messages will come."""
        seen = []

        def callback(msg):
            with self.changed:
                seen.append(msg)
                self.changed.notify_all()

        self.node.create_subscription(kind, topic, callback, qos)
        return seen

    def camera(self, topic="image", kind=Image, qos=qos_profile_sensor_data):
        """Return a publisher of images."""
        return self.node.create_publisher(kind, topic, qos)

    def call(self, kind, name, request, limit=ANSWER_LIMIT):
        """Call a service, once, and return its response."""
        return self.result(self.call_async(kind, name, request), limit)

    def call_async(self, kind, name, request):
        """Call a service, once, and return the future of its response."""
        future = self.client(kind, name).call_async(request)
        future.add_done_callback(lambda _: self._notify())
        return future

    def client(self, kind, name):
        """Return a client that the service has answered.

        A server that has not discovered its caller yet throws its response away after 100 ms
        (rmw_fastrtps, "client will not receive response"). So send empty requests until one comes;
        to SetBool they say false.
        """
        if client := self._clients.get(name):
            return client
        client = self.node.create_client(kind, name)
        self.until(client.service_is_ready, f"service {name}", START_LIMIT)
        end = time.monotonic() + ANSWER_LIMIT
        futures = []
        while not any(future.done() for future in futures):
            assert time.monotonic() < end, f"{name}: no response within {ANSWER_LIMIT} s"
            futures.append(client.call_async(kind.Request()))
            futures[-1].add_done_callback(lambda _: self._notify())
            with contextlib.suppress(NotYetError):
                self.until(lambda: any(future.done() for future in futures), name, 1)
        self._clients[name] = client
        return client

    def meet_again(self):
        """Note that a process has been started, whose services know no caller yet."""
        self._clients.clear()

    def result(self, future, limit=ANSWER_LIMIT):
        self.until(future.done, "service response", limit)
        return future.result()

    def _notify(self):
        with self.changed:
            self.changed.notify_all()


class NodeProcess:
    """detector_node, or another module of i2t_ros.nodes, or a script, as a process."""

    def __init__(self, folder, module, parameters, arguments, script=None):
        code = f"from i2t_ros.nodes.start import {module}; exit({module}())"
        program = [str(script)] if script else ["-c", code]
        command = [sys.executable, *program, "--ros-args", *arguments]
        for name, value in parameters.items():
            command += ["-p", f"{name}:={value}"]
        self._log_path = folder / f"{module}-{time.monotonic_ns()}.log"
        with self._log_path.open("wb") as log:
            self._process = subprocess.Popen(command, cwd="/", stdout=log, stderr=log)
        self.pid = self._process.pid

    def running(self):
        return self._process.poll() is None

    def log(self):
        """Return what it has written, of a very long text the end."""
        with self._log_path.open("rb") as log:
            log.seek(max(0, self._log_path.stat().st_size - LOG_LIMIT))
            return log.read().decode(errors="replace")

    @property
    def port(self):
        """The port on which a bridge listens for TCP."""
        return int(re.search(r"listening on 127\.0\.0\.1 port (\d+)", self.log())[1])

    @property
    def url(self):
        """The URL at which a bridge listens for HTTP."""
        return re.findall(r"listening on (http://127\.0\.0\.1:\d+)/", self.log())[-1]

    def wait(self, limit=STOP_LIMIT):
        """Wait for the end and return the exit code."""
        return self._process.wait(limit)

    def stop(self, sign=signal.SIGINT):
        """End it as a user would; it has to end cleanly and in time."""
        if self.running():
            self._process.send_signal(sign)
        try:
            code = self.wait()
        except subprocess.TimeoutExpired:
            self.kill()
            pytest.fail(f"still running {STOP_LIMIT} s after {sign!r}:\n{self.log()}")
        assert "Traceback" not in self.log(), self.log()
        return code

    def end(self):
        """End it whatever its state, softly where it lets itself.

        A killed process leaves its shared memory segment of 32 MB behind.
        """
        if self.running():
            self._process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.wait()
        self.kill()

    def kill(self):
        if self.running():
            self._process.kill()
            self._process.wait()

    def resident_bytes(self):
        with open(f"/proc/{self.pid}/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def cpu_seconds(self):
        """Return the CPU time that all of its threads have used."""
        return cpu_seconds(self.pid)


def cpu_seconds(pid):
    """Return the CPU time that all threads of a process have used."""
    return time.clock_gettime(~pid << 3 | 2)  # the clock of a process: clock_getcpuclockid


@contextlib.contextmanager
def node_processes(peer, folder):
    """Yield a function that starts a node process with its log in a folder; all end with the block.

    It returns once the node is active, unless ``ready`` is false. A ``script`` runs the module.
    """
    processes = []

    def start(module="detector_node", arguments=(), *, ready=True, script=None, **parameters):
        process = NodeProcess(folder, module, parameters, arguments, script)
        processes.append(process)
        peer.meet_again()
        if ready:
            peer.processes.append(process)
            peer.until(lambda: "active: " in process.log(), f"{module} starts", START_LIMIT)
        return process

    try:
        yield start
    finally:
        for process in processes:
            process.end()
