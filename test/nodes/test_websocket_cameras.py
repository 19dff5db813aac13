"""WebSocket cameras as detector_node meets them: topics of a bridge, which come and go."""

import threading

import cv2
import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from i2t_ros.srv import Describe
from lifecycle_talk import go_through, in_this_process
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import CompressedImage
from std_msgs.msg import String
from vision_msgs.msg import Detection2DArray

from i2t_ros.nodes.detector import cameras as detector_cameras
from i2t_ros.pipeline import reply_cache
from i2t_ros.types import Picture

NODE = "/detector_node"
LIMIT = 60.0
GONE = "camera door has gone"
GREY, BLACK = (
    cv2.imencode(".jpg", np.full((48, 64, 3), value, np.uint8))[1].tobytes() for value in (128, 0)
)


class BridgeCamera:
    """Publishes frames as bridge_node does for a WebSocket camera, 20 a second, until closed.

    The fake model sees a person in a grey frame, and nothing in a black one.
    """

    def __init__(self, peer, name="door", frame=GREY, bridge="/bridge_node"):
        self._node = peer.node
        self.frame = frame
        topic = f"{bridge}/{name}/image/compressed"
        self.publisher = self._node.create_publisher(
            CompressedImage, topic, qos_profile_sensor_data
        )
        self._timer = self._node.create_timer(0.05, self._publish)

    def _publish(self):
        msg = CompressedImage(format="jpeg")
        msg.header.stamp = self._node.get_clock().now().to_msg()
        msg.header.frame_id = "door"
        msg.data.frombytes(self.frame)
        self.publisher.publish(msg)

    def close(self):
        self._node.destroy_timer(self._timer)
        self._node.destroy_publisher(self.publisher)


def describe(peer, camera):
    return peer.call(Describe, f"{NODE}/describe", Describe.Request(camera=camera))


def counters(reports, camera="door"):
    """Return what the newest report says of a camera; nothing if it is not in there."""
    return {
        pair.key: pair.value
        for report in reports[-1:]
        for status in report.status
        if status.name == f"detector_node: {camera}"
        for pair in status.values
    }


def test_it_has_what_a_camera_on_a_topic_has(peer, start):
    node = start(model="fake", style="changes", change_hold=0.1)
    said = peer.collect(String, f"{NODE}/door/sentence", 100)
    found = peer.collect(Detection2DArray, f"{NODE}/door/detections", 100)
    drawn = peer.collect(CompressedImage, f"{NODE}/door/annotated/compressed", 1)
    reports = peer.collect(DiagnosticArray, "/diagnostics")
    camera = BridgeCamera(peer)
    peer.until(lambda: "camera door has come: images from /bridge_node/door" in node.log(), "it")
    peer.until(lambda: said and found and drawn, "results", LIMIT)
    assert found[0].header.frame_id == "door"
    assert found[0].detections[0].results[0].hypothesis.class_id == "person"
    assert bytes(drawn[0].data) != GREY
    camera.frame = BLACK
    peer.until(lambda: len(said) > 1, "the person leaves", LIMIT)
    assert [msg.data for msg in said] == [
        "A person has come into view.",
        "A person has gone out of view.",
    ]
    peer.until(lambda: int(counters(reports).get("processed", 0)) > 5, "counters", LIMIT)
    response = describe(peer, "door")
    assert (response.success, response.description.header.frame_id) == (True, "door")
    assert response.description.sentence


def test_its_objects_keep_their_numbers(peer, start):
    pytest.importorskip("trackers")
    start(model="fake", tracking="true")
    found = peer.collect(Detection2DArray, f"{NODE}/door/detections", 100)
    BridgeCamera(peer)
    peer.until(lambda: len(found) > 5, "detections", LIMIT)
    assert found[-1].detections[0].id.isdigit()
    assert found[-1].detections[0].id == found[-2].detections[0].id


def test_one_that_leaves_is_forgotten_and_may_come_back(peer, start):
    node = start(model="fake", style="changes", change_hold=0.1)
    said = peer.collect(String, f"{NODE}/door/sentence", 100)
    reports = peer.collect(DiagnosticArray, "/diagnostics")
    for visit in (1, 2):
        camera = BridgeCamera(peer)
        peer.until(lambda visit=visit: len(said) == visit, "it tells anew what it shows", LIMIT)
        assert describe(peer, "door").success
        camera.close()
        peer.until(lambda visit=visit: node.log().count(GONE) == visit, "it has gone", LIMIT)
        response = describe(peer, "door")
        assert response.error_code == "unknown_camera"
        assert response.message.endswith("cameras are image")
        peer.until(lambda: reports and not counters(reports), "its counters have gone")
    assert peer.node.count_publishers(f"{NODE}/door/sentence") == 0
    assert {msg.data for msg in said} == {"A person has come into view."}


def test_one_that_connects_again_at_once_is_still_the_same(peer, start):
    node = start(model="fake")
    found = peer.collect(Detection2DArray, f"{NODE}/door/detections", 100)
    for visit in (1, 2, 3):
        camera = BridgeCamera(peer)
        peer.until(lambda visit=visit: len(found) > 5 * visit, "frames", LIMIT)
        camera.close()
    assert node.log().count("camera door has come") == 1
    assert "has gone" not in node.log()


def test_names_that_the_node_has_already(peer, start):
    cameras = "['door', 'rear=/bridge_node/rear/image']"
    node = start(model="fake", cameras=cameras, image_transport="compressed")
    rear = peer.collect(Detection2DArray, f"{NODE}/rear/detections", 100)
    BridgeCamera(peer, "door")
    BridgeCamera(peer, "rear")
    BridgeCamera(peer, "side")
    peer.until(lambda: "camera side has come" in node.log(), "the one with a name of its own")
    ignored = "the WebSocket camera door is ignored: the topic /door/image/compressed is the camera"
    assert node.log().count(ignored) == 1
    assert "rear is ignored" not in node.log()
    peer.until(lambda: rear, "the topic that the parameter names", LIMIT)


def test_another_bridge_or_none(peer, start):
    node = start(model="fake", bridge="/robot/web")
    BridgeCamera(peer, "front", bridge="/robot/web")
    BridgeCamera(peer, "door")
    peer.until(lambda: "camera front has come" in node.log(), "its bridge's camera")
    assert "door" not in node.log()
    node.end()
    peer.processes.remove(node)
    without = start(model="fake", bridge="''")
    reports = peer.collect(DiagnosticArray, "/diagnostics")
    peer.until(lambda: len(reports) > 3, "some looks")
    assert "has come" not in without.log()


def test_a_bridge_that_cannot_be(start):
    node = start(model="fake", bridge="my bridge", ready=False)
    assert node.wait() == 1
    assert "bridge: expected a node's name, got 'my bridge'" in node.log()
    assert "Traceback" not in node.log()


def test_only_so_many_and_another_when_one_has_left(peer, start, ros, monkeypatch):
    monkeypatch.setattr(detector_cameras, "MOST_BRIDGED", 2)
    with in_this_process(model="fake", autostart=False) as node:
        go_through(node, "configure", "activate")
        cameras = {}
        for name in ("a", "b"):
            cameras[name] = BridgeCamera(peer, name)
            peer.until(lambda name=name: name in node._work.cameras.ports, name, LIMIT)
        BridgeCamera(peer, "c")
        peer.until(lambda: "c" in node._work.cameras._refused, "one more is refused")
        assert set(node._work.cameras.ports) == {"image", "a", "b"}
        cameras["a"].close()
        peer.until(lambda: set(node._work.cameras.ports) == {"image", "b", "c"}, "its turn", LIMIT)


def test_a_name_whose_topics_would_be_too_long_is_ignored(peer, start):
    namespace = "/".join(["n" * 45] * 4)
    remapped = ["-r", f"__ns:=/{namespace}"]
    node = start(model="fake", arguments=remapped)
    BridgeCamera(peer, "d" * 30, bridge=f"/{namespace}/bridge_node")
    BridgeCamera(peer, "door", bridge=f"/{namespace}/bridge_node")
    peer.until(lambda: "camera door has come" in node.log(), "a shorter one")
    assert f"camera {'d' * 30} is ignored: " in node.log()
    assert "would have 250 characters, and ROS allows 247" in node.log()
    assert "Traceback" not in node.log()


def test_an_inactive_node_looks_for_none_and_nothing_is_left_of_those_it_had(peer, ros):
    with in_this_process(model="fake", autostart=False) as node:
        for _ in range(2):
            go_through(node, "configure", "activate")
            camera = BridgeCamera(peer)
            ports = node._work.cameras.ports
            peer.until(lambda ports=ports: "door" in ports, "it has come", LIMIT)
            peer.until(lambda ports=ports: ports["door"].newest, "a frame", LIMIT)
            go_through(node, "deactivate")
            assert ports["door"].newest is None
            go_through(node, "activate")
            peer.until(lambda ports=ports: ports["door"].newest, "frames again", LIMIT)
            go_through(node, "deactivate", "cleanup")
            assert not ports
            camera.close()


def test_frames_are_neither_hashed_nor_kept_as_answers(peer, ros, monkeypatch):
    hashed, kept = [], []
    monkeypatch.setattr(Picture, "sha256", property(lambda self: hashed.append(1) or "0" * 64))
    monkeypatch.setattr(reply_cache.ReplyCache, "put", lambda *_: kept.append(1))
    with in_this_process(model="fake", autostart=False) as node:
        go_through(node, "configure", "activate")
        found = peer.collect(Detection2DArray, f"{NODE}/door/detections", 100)
        drawn = peer.collect(CompressedImage, f"{NODE}/door/annotated/compressed", 1)
        BridgeCamera(peer)
        peer.until(lambda: len(found) > 20 and drawn, "frames with results", LIMIT)
        assert describe(peer, "door").success
        request = Describe.Request()
        request.image.data.frombytes(GREY)
        assert peer.call(Describe, f"{NODE}/describe", request).success
    assert len(hashed) >= 1, "the picture of a request is hashed"
    assert len(hashed) == len(kept) <= 2, "and nothing else is"


def test_cameras_that_come_and_go_at_once_with_frames_in_progress(peer, ros, monkeypatch):
    monkeypatch.setattr("i2t_ros.nodes.detector.node.WATCH_PERIOD", 0.01)
    failed = threading.Event()
    monkeypatch.setattr("i2t_ros.nodes.detector.work.Work.failed", lambda *_: failed.set())
    with in_this_process(model="fake", autostart=False) as node:
        go_through(node, "configure", "activate")
        ports = node._work.cameras.ports
        found = peer.collect(Detection2DArray, f"{NODE}/door/detections", 100)
        for _ in range(10):
            before = len(found)
            camera = BridgeCamera(peer)
            peer.until(lambda before=before: len(found) > before, "a result", LIMIT)
            camera.close()
            peer.until(lambda: "door" not in ports, "it has gone", LIMIT)
    assert not failed.is_set()
