"""Several cameras, what their publishers offer, and what happens to a node that lives long."""

import os
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from i2t_ros.srv import Describe
from lifecycle_talk import DOWN, UP, change, go_through, in_this_process, set_parameters
from rclpy.lifecycle import LifecycleNode
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CompressedImage
from std_msgs.msg import Header, String
from std_srvs.srv import SetBool
from vision_msgs.msg import Detection2DArray, LabelInfo, VisionInfo
from visualization_msgs.msg import ImageMarker, Marker

from i2t_ros.errors import InvalidRequestError, ModelMissingError
from i2t_ros.nodes.detector import camera_ports, reports
from i2t_ros.nodes.detector import node as detector_node
from i2t_ros.nodes.lifecycle import runner
from i2t_ros.nodes.messages.images import image_to_msg
from i2t_ros.pipeline.narrator import Narrator
from i2t_ros.pipeline.tasks.detect import DetectTask

NODE = "/detector_node"
BEST_EFFORT = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
RELIABLE = QoSProfile(depth=5, reliability=ReliabilityPolicy.RELIABLE)
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)


def picture(stamp=1, width=64, height=48, value=128):
    msg = image_to_msg(Header(frame_id="camera"), np.full((height, width, 3), value, np.uint8))
    msg.header.stamp.sec, msg.header.stamp.nanosec = divmod(stamp, 10**9)
    return msg


def stamp_of(msg):
    return msg.header.stamp.sec * 10**9 + msg.header.stamp.nanosec


def show(peer, camera, msg, answered, limit=60):
    end = time.monotonic() + limit
    while not answered():
        camera.publish(msg)
        with peer.changed:
            peer.changed.wait(0.1)
        assert time.monotonic() < end, "no answer"


class Stream:
    """A camera: publishes at its rate until it is stopped; each stamp is the time of its image."""

    def __init__(self, camera, rate):
        self._camera = camera
        self._rate = rate
        self._stop = threading.Event()
        self.sent = 0
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        begun = time.monotonic()
        while not self._stop.wait(max(0, begun + self.sent / self._rate - time.monotonic())):
            self._camera.publish(picture(time.monotonic_ns()))
            self.sent += 1

    def stop(self):
        self._stop.set()
        self._thread.join(10)
        assert not self._thread.is_alive()


def test_four_cameras_each_get_their_share(peer, start):
    names = ["front", "rear", "left", "right"]
    start(model="fake", cameras=f"[{','.join(names)}]")
    seen = {
        name: peer.collect(Detection2DArray, f"{NODE}/{name}/detections", 500) for name in names
    }
    ages = {name: [] for name in names}
    for name in names:
        peer.node.create_subscription(
            Detection2DArray,
            f"{NODE}/{name}/detections",
            lambda msg, name=name: ages[name].append((time.monotonic_ns() - stamp_of(msg)) / 1e9),
            500,
        )
    cameras = {name: peer.camera(f"{name}/image") for name in names}
    for name in names:
        show(peer, cameras[name], picture(), lambda name=name: seen[name])
    before = {name: len(seen[name]) for name in names}
    for name in names:
        ages[name].clear()
    streams = {name: Stream(cameras[name], 100 if name == "rear" else 15) for name in names}
    peer.until(lambda: all(len(seen[n]) > before[n] + 45 for n in names), "each camera's share")
    streams["left"].stop()  # goes silent
    count = len(seen["left"])
    others = {name: len(seen[name]) for name in names}
    peer.until(
        lambda: all(len(seen[n]) > others[n] + 15 for n in names if n != "left"), "the others go on"
    )
    assert len(seen["left"]) <= count + 5
    back = Stream(cameras["left"], 15)
    peer.until(lambda: len(seen["left"]) > count + 15, "back again")
    for stream in (*streams.values(), back):
        stream.stop()
    for name in names:
        # Newest frame only: no result is older than a few turns of the engine, whatever the load.
        assert np.percentile(ages[name], 95) < 0.5, name


def test_cameras_may_name_their_topics(peer, start):
    node = start(model="fake", cameras="['front=/car/cam0/image_raw']")
    assert "images from /car/cam0/image_raw" in node.log()
    seen = peer.collect(Detection2DArray, f"{NODE}/front/detections")
    show(peer, peer.camera("/car/cam0/image_raw"), picture(), lambda: seen)
    request = Describe.Request(camera="front")
    assert peer.call(Describe, f"{NODE}/describe", request).success


@pytest.mark.parametrize("qos", [BEST_EFFORT, RELIABLE], ids=["best effort", "reliable"])
def test_publishers_of_either_reliability_are_heard(peer, start, qos):
    start(model="fake")
    seen = peer.collect(Detection2DArray, f"{NODE}/detections")
    show(peer, peer.camera(qos=qos), picture(), lambda: seen)


def test_the_subscription_becomes_what_its_publishers_are(peer, start):
    node = start(model="fake")
    seen = peer.collect(Detection2DArray, f"{NODE}/detections")
    reliable = peer.camera(qos=RELIABLE)
    peer.until(lambda: "/image: now reliable" in node.log(), "reliable")
    show(peer, reliable, picture(1), lambda: seen)
    best_effort = peer.camera(qos=BEST_EFFORT)
    peer.until(lambda: "/image: now best_effort" in node.log(), "best effort")
    show(peer, best_effort, picture(2), lambda: stamp_of(seen[-1]) == 2)


def test_a_publisher_that_cannot_be_heard_is_named(peer, start):
    node = start(model="fake", reliability="reliable")
    peer.camera(qos=BEST_EFFORT)
    peer.until(lambda: "/peer publishes /image with best effort" in node.log(), "the warning")
    assert "set the parameter reliability" in node.log()


def test_a_publisher_of_another_type_is_named(peer, start):
    node = start(model="fake")
    peer.camera(kind=CompressedImage)
    expected = "/peer publishes sensor_msgs/msg/CompressedImage on /image, expected sensor_msgs"
    peer.until(lambda: expected in node.log(), "the warning")


def test_size_and_encoding_may_change_and_the_clock_jump_back(peer, start):
    start(model="fake")
    seen = peer.collect(Detection2DArray, f"{NODE}/detections")
    camera = peer.camera()
    stamps = [10**12, 10**12 + 1, 5, 6]
    sizes = [(64, 48), (640, 480), (32, 20), (64, 48)]
    for stamp, (width, height) in zip(stamps, sizes, strict=True):
        msg = picture(stamp, width, height)
        if width == 640:
            msg.encoding = "rgb8"
        show(peer, camera, msg, lambda stamp=stamp: seen and stamp_of(seen[-1]) == stamp)
        assert seen[-1].detections[0].bbox.center.position.x == width / 2


def test_enable_switches_images_off_and_on(peer, start):
    start(model="fake")
    seen = peer.collect(Detection2DArray, f"{NODE}/detections")
    camera = peer.camera()
    show(peer, camera, picture(), lambda: seen)

    def enable(data):
        return peer.call(SetBool, f"{NODE}/enable", SetBool.Request(data=data))

    assert enable(False).success
    peer.until(lambda: camera.get_subscription_count() == 0, "unsubscribed")
    response = peer.call(Describe, f"{NODE}/describe", Describe.Request())
    assert response.error_code == "no_frame"
    assert "/detector_node/enable has switched images off; switch them on" in response.message
    assert "no image has come" not in response.message
    response = peer.call(Describe, f"{NODE}/describe", Describe.Request(camera="other"))
    assert response.error_code == "unknown_camera"
    assert "no others are looked for: /detector_node/enable has switched" in response.message
    assert enable(True).success
    count = len(seen)
    show(peer, camera, picture(9), lambda: len(seen) > count)


def test_model_and_labels_are_told_to_who_comes_late(peer, start):
    start(model="fake")
    vision = peer.collect(VisionInfo, f"{NODE}/vision_info", LATCHED)
    labels = peer.collect(LabelInfo, f"{NODE}/label_info", LATCHED)
    peer.until(lambda: vision and labels, "latched")
    assert "fake on fake" in vision[0].method
    assert vision[0].database_location == f"{NODE}/label_info"
    names = {item.class_id: item.class_name for item in labels[0].class_map}
    assert names == {0: "person", 1: "bicycle"}


def test_markers_for_foxglove_and_rviz(peer, start):
    start(model="fake")
    boxes = peer.collect(ImageMarker, f"{NODE}/boxes")
    texts = peer.collect(Marker, f"{NODE}/sentence_marker")
    show(peer, peer.camera(), picture(), lambda: boxes and texts)
    assert boxes[0].type == ImageMarker.LINE_LIST
    assert len(boxes[0].points) == len(boxes[0].outline_colors) == 8
    assert {(point.x, point.y) for point in boxes[0].points} == {
        (16, 12), (48, 12), (48, 36), (16, 36),
    }  # fmt: skip
    assert texts[0].text == "I can see a person."
    assert texts[0].header.frame_id == "camera"


def test_diagnostics_have_what_one_needs(peer, start):
    start(model="fake")
    seen = peer.collect(Detection2DArray, f"{NODE}/detections")
    diagnostics = peer.collect(DiagnosticArray, "/diagnostics")
    show(peer, peer.camera(), picture(), lambda: seen)
    count = len(diagnostics)
    peer.until(lambda: len(diagnostics) > count + 1, "a report")
    statuses = {status.name: status for status in diagnostics[-1].status}
    model = {pair.key: pair.value for pair in statuses["detector_node: model"].values}
    assert (model["model"], model["backend"]) == ("fake", "fake")
    camera = {pair.key: pair.value for pair in statuses["detector_node: image"].values}
    assert {"rate in (Hz)", "rate out (Hz)", "dropped (backend busy)", "latency p95 (ms)"} <= set(
        camera
    )
    assert int(camera["processed"]) >= 1


def test_the_makeshift_model_is_degraded(peer, start, monkeypatch, tmp_path):
    monkeypatch.setenv("I2T_MODEL_PATH", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    node = start(offline="true")
    assert "DEGRADED" in node.log()
    diagnostics = peer.collect(DiagnosticArray, "/diagnostics")
    peer.until(lambda: diagnostics, "a report")
    status = diagnostics[0].status[0]
    assert status.level == b"\x01"
    assert "degraded" in status.message


def test_sentences_may_be_few(peer, start):
    start(model="fake", sentence_on_change="true")
    sentences = peer.collect(String, f"{NODE}/sentence", 100)
    seen = peer.collect(Detection2DArray, f"{NODE}/detections", 100)
    camera = peer.camera()
    show(peer, camera, picture(1), lambda: sentences)
    count = len(seen)
    show(peer, camera, picture(2), lambda: len(seen) > count + 5)
    assert len(sentences) == 1
    show(peer, camera, picture(3, value=0), lambda: len(sentences) > 1)


def test_tracked_objects_have_ids(peer, start):
    start(model="fake", tracking="true")
    seen = peer.collect(Detection2DArray, f"{NODE}/detections", 100)
    show(peer, peer.camera(), picture(), lambda: len(seen) > 4)
    assert seen[-1].detections[0].id.isdigit()
    assert seen[-1].detections[0].id == seen[-2].detections[0].id


def test_a_thousand_activations_leave_nothing_behind(peer, ros):
    with in_this_process(model="fake", autostart=False) as node:
        go_through(node, "configure")
        memory, threads = 0, 0
        for cycle in range(1000):
            go_through(node, "activate", "deactivate")
            if cycle == 200:
                memory, threads = resident_bytes(), threading.active_count()
        assert resident_bytes() - memory < 15e6
        assert threading.active_count() <= threads
        go_through(node, "activate")
        seen = peer.collect(Detection2DArray, f"{NODE}/detections")
        show(peer, peer.camera(), picture(7), lambda: seen)
        assert stamp_of(seen[0]) == 7, "a stale result"


def test_another_model_by_configuring_again_while_images_stream(peer, start):
    start(model="fake")
    seen = peer.collect(Detection2DArray, f"{NODE}/detections", 100)
    vision = peer.collect(VisionInfo, f"{NODE}/vision_info", LATCHED)
    stream = Stream(peer.camera(), 30)
    for model, name in (("opencv_people_faces", "opencv"), ("fake", "fake"), ("nope", "")):
        peer.until(lambda: seen, "a result")
        assert change(peer, *DOWN)
        swapped = time.monotonic_ns()
        vision.clear()
        assert set_parameters(peer, model=model).successful
        assert change(peer, UP[0]) == bool(name)
        seen.clear()
        if not name:
            break
        assert change(peer, UP[1])
        peer.until(lambda: vision and seen, "a result of the new model")
        assert f"{model} on {name}" in vision[-1].method
        # A picture of one grey: the model that OpenCV brings sees nothing in it, the fake one does.
        assert all(bool(msg.detections) == (model == "fake") for msg in seen)
        assert min(map(stamp_of, seen)) > swapped, "a stale result"
    stream.stop()
    assert not seen


def test_reconfiguring_leaves_nothing_behind(peer, ros, monkeypatch):
    # Reports that are due all the time: none may meet what a transition has just taken away.
    monkeypatch.setattr(detector_node, "WATCH_PERIOD", 0.001)
    monkeypatch.setattr(reports, "PERIOD", 0.001)
    with in_this_process(model="fake", autostart=False) as node:
        for cycle in range(120):
            go_through(node, "configure", "activate", "deactivate", "cleanup")
            if cycle == 40:
                memory, threads = resident_bytes(), threading.active_count()
        assert resident_bytes() - memory < 15e6
        peer.until(lambda: threading.active_count() <= threads, "the threads' end")


def test_the_end_does_not_wait_for_a_transition_that_hangs(peer, ros, monkeypatch):
    monkeypatch.setattr(runner, "STOP_LIMIT", 0.05)
    begun, gate = threading.Event(), threading.Event()

    def download(*_, **__):
        begun.set()
        gate.wait(60)
        raise ModelMissingError("not there after all")

    monkeypatch.setattr(DetectTask, "open", download)
    with in_this_process(autostart=False) as node:
        configuring = threading.Thread(target=node.trigger_configure)
        configuring.start()
        assert begun.wait(60)
        node.end_work()
        assert configuring.is_alive()
        gate.set()
        configuring.join(60)
    assert not configuring.is_alive()


def resident_bytes():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_a_publisher_that_has_just_gone_is_not_missed_yet(peer, monkeypatch, capfd):
    now = 0.0
    monkeypatch.setattr(camera_ports, "time", SimpleNamespace(monotonic=lambda: now))
    node = LifecycleNode("watching")
    camera = camera_ports.CameraTopics("image", "image", "~/")
    ports = camera_ports.CameraPorts(node, camera, Narrator(None), lambda *_: None)
    ports.subscribe()
    publisher = peer.camera()
    peer.until(lambda: node.count_publishers("/image") == 1, "the publisher")
    now = 1000.0
    ports.watch()
    peer.node.destroy_publisher(publisher)
    peer.until(lambda: node.count_publishers("/image") == 0, "its end")
    now += camera_ports.PATIENCE
    ports.watch()
    assert "no publisher" not in capfd.readouterr().err
    now += 1.0
    ports.watch()
    ports.watch()
    assert capfd.readouterr().err.count("no publisher on /image;") == 1
    ports.unsubscribe()  # as when the node is disabled, or deactivated
    ports.subscribe()
    now += camera_ports.PATIENCE + 1
    ports.watch()
    assert capfd.readouterr().err.count("no publisher on /image;") == 1
    ports.destroy()
    node.destroy_node()


@pytest.mark.parametrize("topic", ["/bad topic", "/a//b", "a/", "1a"])
def test_what_is_no_topics_name_is_refused(topic):
    with pytest.raises(InvalidRequestError, match="cameras: not a topic's name"):
        camera_ports.parse_cameras([f"front={topic}"], "raw")
