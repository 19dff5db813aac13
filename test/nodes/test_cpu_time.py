"""What nodes cost while there is nothing to compute: CPU time, which no busy machine changes."""

import contextlib
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import hostile_vlm
import numpy as np
import pytest
import sleeping_detector_node
from ask_talk import Asker, goal
from detector_talk import GREY, picture, show
from diagnostic_msgs.msg import DiagnosticArray
from i2t_ros.srv import Describe
from ros_nodes import cpu_seconds
from sensor_msgs.msg import CompressedImage
from std_msgs.msg import Header, String

from i2t_ros.client import Client, ServerError
from i2t_ros.nodes.detector.work import MOST_ANSWERS
from i2t_ros.nodes.messages.images import image_to_msg

LIMIT = 60.0
SCRIPT = Path(sleeping_detector_node.__file__)
PICTURE = cv2.imencode(".png", np.full((48, 64, 3), 128, np.uint8))[1].tobytes()
WAITING = 0.1
"""CPU seconds in a second in which all requests wait, their arrival and what a node does anyway
(reports, a look at the topics) included. A thread that does not sleep takes about 0.9."""
FRAME = 0.005
"""CPU seconds for a camera image of 640x480 that nobody wants: its way through DDS into Python."""


def request():
    msg = Describe.Request(image=CompressedImage(format="png"))
    msg.image.data.frombytes(PICTURE)
    return msg


@contextlib.contextmanager
def watched(peer, detector, *processes):
    """Yield the CPU seconds of each process from when the backend sleeps until it wakes."""
    peer.until(lambda: "the backend sleeps" in detector.log(), "the first request is at work")
    spent = [-process.cpu_seconds() for process in processes]
    begun = time.monotonic()
    yield spent
    lasted = time.monotonic() - begun
    for i, process in enumerate(processes):
        spent[i] = (spent[i] + process.cpu_seconds()) / max(lasted, sleeping_detector_node.SECONDS)


@pytest.mark.parametrize("count", [1, 16])
def test_a_detector_sleeps_while_requests_are_pending(peer, start, count):
    detector = start(script=SCRIPT, model="fake")
    client = peer.client(Describe, "/detector_node/describe")
    futures = [client.call_async(request()) for _ in range(count)]
    with watched(peer, detector, detector) as spent:
        peer.until(lambda: any(future.done() for future in futures), "the first answer")
    assert spent[0] < WAITING


@contextlib.contextmanager
def server_that_waits():
    """Serve as a language model does that begins no answer until the block ends."""
    gate = threading.Event()
    with hostile_vlm.serving(hostile_vlm.slow(gate)) as server:
        try:
            yield server
        finally:
            gate.set()


def spent_in_a_second(pid):
    before, begun = cpu_seconds(pid), time.monotonic()
    threading.Event().wait(1.0)  # what is measured is what passes meanwhile
    return (cpu_seconds(pid) - before) / (time.monotonic() - begun)


@pytest.mark.parametrize("count", [1, 16])
def test_a_detector_sleeps_while_questions_are_pending(peer, start, count):
    with server_that_waits() as server:
        detector = start(model="fake", caption_url=server.url, caption_timeout=60.0)
        asker = Asker(peer)
        asked = [asker.send(goal()) for _ in range(count)]
        for each in asked:
            asker.taken(each)
        for _ in asked[:MOST_ANSWERS]:
            server.next_asked()
        assert spent_in_a_second(detector.pid) < WAITING
        assert not any(each.status for each in asked), "all are pending"
        asker.close()


def test_who_asks_a_camera_sleeps_until_the_answer_comes(peer, start):
    with server_that_waits() as server:
        start(model="fake", caption_url=server.url, caption_timeout=60.0)
        sentences = peer.collect(String, "/detector_node/sentence")
        show(peer, peer.camera(), picture(GREY), lambda: sentences)
        code = "from i2t_ros.nodes.ask import ask_camera; ask_camera('', 'Who?')"
        with subprocess.Popen(
            [sys.executable, "-c", code], cwd="/", stderr=subprocess.DEVNULL
        ) as process:
            try:
                server.next_asked()
                assert spent_in_a_second(process.pid) < WAITING
                assert process.poll() is None, "it waits"
            finally:
                process.terminate()


@pytest.mark.parametrize("count", [1, 16])
def test_a_bridge_sleeps_while_requests_are_pending(peer, start, count):
    detector = start(script=SCRIPT, model="fake")
    bridge = start("bridge_node", tcp_port=0)
    answered = threading.Event()

    def ask():
        end = time.monotonic() + LIMIT
        with Client("127.0.0.1", bridge.port, protocol=2) as client:
            while not answered.is_set() and time.monotonic() < end:
                with contextlib.suppress(ServerError):  # the bridge has not found the detector yet
                    client.describe(PICTURE)
                    answered.set()

    with ThreadPoolExecutor(count) as clients:
        for _ in range(count):
            clients.submit(ask)
        with watched(peer, detector, detector, bridge) as spent:
            assert answered.wait(LIMIT), "no answer"
        detector.end()  # so that the others' requests end at once
    assert max(spent) < WAITING


@pytest.mark.parametrize("name", ["image", "door"], ids=["on a topic", "over WebSocket"])
def test_images_that_nobody_looks_at_cost_little(peer, start, name):
    detector = start(model="fake")
    reports = peer.collect(DiagnosticArray, "/diagnostics")
    msg = image_to_msg(Header(frame_id="camera"), np.zeros((480, 640, 3), np.uint8))
    camera = peer.camera()
    if name == "door":  # as bridge_node publishes it; decoding it would fail, and be seen
        msg = CompressedImage(format="jpeg")
        msg.data.frombytes(bytes(50_000))
        camera = peer.camera("/bridge_node/door/image/compressed", CompressedImage)

    def counted(what):
        values = {
            pair.key: pair.value
            for report in reports[-1:]
            for status in report.status
            if status.name == f"detector_node: {name}"
            for pair in status.values
        }
        return int(values.get(what, 0))

    def received():
        return counted("unwanted (no subscriber)")

    def show(count):
        tick, begun = threading.Event(), time.monotonic()
        for i in range(count):
            tick.wait(max(0, begun + i / 30 - time.monotonic()))
            camera.publish(msg)

    # A best-effort camera is not heard until both sides have found each other.
    while not received():
        show(10)
    seen, before = received(), detector.cpu_seconds()
    show(90)
    peer.until(lambda: received() >= seen + 60, "the images have come")
    assert (detector.cpu_seconds() - before) / (received() - seen) < FRAME
    assert counted("failed (bad image)") == 0
