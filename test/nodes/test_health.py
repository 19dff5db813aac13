"""What a node says of what is wrong with it and around it."""

import os
from types import SimpleNamespace

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from lifecycle_talk import go_through, in_this_process
from rclpy.lifecycle import LifecycleNode
from rclpy.node import Node
from sensor_msgs.msg import Image
from std_msgs.msg import Header
from vision_msgs.msg import Detection2DArray

from i2t_ros.nodes.detector import camera_ports, troubles
from i2t_ros.nodes.detector.reports import health
from i2t_ros.nodes.lifecycle import surroundings
from i2t_ros.nodes.messages.images import image_to_msg
from i2t_ros.pipeline.frames import CameraCounters
from i2t_ros.pipeline.narrator import Narrator

OK, WARN, ERROR = DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR
KIND = "sensor_msgs/msg/Image"


@pytest.mark.parametrize(
    ("before", "now", "trouble", "level", "said"),
    [
        ((0, 0, 0), {"received": 5, "processed": 5}, "", OK, "5.0 Hz in, 5.0 Hz out"),
        ((5, 5, 0), {"received": 5, "processed": 5}, "", WARN, "no images in the last second"),
        ((5, 5, 0), {"received": 5, "processed": 5}, "no publisher", WARN, "no publisher"),
        (
            (2, 0, 2),
            {"received": 9, "failed": 9, "cause": "no such encoding"},
            "",
            ERROR,
            "failed images: 9, the last: no such encoding; 7.0 Hz in, 0.0 Hz out",
        ),
        ((9, 0, 9), {"received": 9, "failed": 9, "cause": "bad"}, "", ERROR, "failed images: 9,"),
        (
            (0, 0, 0),
            {"received": 9, "processed": 4, "failed": 5},
            "",
            WARN,
            "failed images: 5; 9.0",
        ),
        ((9, 4, 5), {"received": 12, "processed": 7, "failed": 5}, "", OK, "3.0 Hz in, 3.0 Hz out"),
        (
            (0, 0, 0),
            {"received": 3, "processed": 3, "partial": 3, "missing": "text: time limit"},
            "",
            WARN,
            "images without all tasks: 3, the last: text: time limit",
        ),
        ((0, 0, 0), {"received": 3, "processed": 3}, "depth", WARN, "depth; 3.0 Hz in, 3.0 Hz out"),
    ],
)
def test_the_health_of_a_camera(before, now, trouble, level, said):
    counted = CameraCounters(**dict(zip(("received", "processed", "failed"), before, strict=True)))
    found, message = health(counted, CameraCounters(**now), trouble, 1.0)
    assert found == level
    assert message.startswith(said)


@pytest.mark.parametrize(
    ("encoding", "said"),
    [
        ("16UC1", "16UC1: depth in millimeters"),
        ("32FC1", "32FC1: depth in meters"),
        ("16UC1; compressedDepth png", "compressedDepth: depth"),
        ("mono16", ""),
        ("bgr8", ""),
        ("bgr8; jpeg compressed bgr8", ""),
        ("jpeg", ""),
    ],
)
def test_depth_is_no_picture(encoding, said):
    topics = ["/cam/depth/image_raw", "/cam/color/image_raw", "/other", "/me/annotated", "/old"]
    node = SimpleNamespace(
        get_fully_qualified_name=lambda: "/me",
        get_topic_names_and_types=lambda: [*((each, [KIND]) for each in topics), ("/a", ["b"])],
        count_publishers=lambda topic: topic != "/old",
    )
    warning = troubles.no_picture(node, "/cam/depth/image_raw", KIND, encoding)
    assert bool(warning) == bool(said)
    assert said in warning
    if said:
        assert "the color images: there is /cam/color/image_raw, /other" in warning
        assert "annotated" not in warning
    topics.clear()
    assert not said or "such as color/image_raw" in troubles.no_picture(node, "/d", KIND, encoding)


@pytest.mark.parametrize("version", ["fastrtps", "fastdds"])
def test_the_shared_memory_of_another_user_is_named(monkeypatch, tmp_path, ros, version):
    monkeypatch.setattr(troubles, "SHARED_MEMORY", tmp_path)
    assert "Large ones may be lost" in troubles.nothing_arrives("/image", "/camera")
    (tmp_path / f"{version}_0123").touch()
    assert troubles.other_users() == []
    monkeypatch.setattr(os, "geteuid", lambda: tmp_path.stat().st_uid + 1)
    assert len(troubles.other_users()) == 1
    warning = troubles.nothing_arrives("/image", "/camera")
    assert "publishers of /image are there (/camera), but nothing arrives" in warning
    assert troubles.other_users()[0] in warning
    assert "fastdds_udp.xml for both; see docs/guide.md" in warning


def test_a_publisher_from_which_nothing_arrives_is_told_once(peer, monkeypatch, capfd):
    now = 0.0
    monkeypatch.setattr(camera_ports, "time", SimpleNamespace(monotonic=lambda: now))
    node = LifecycleNode("listening")
    ports = camera_ports.CameraPorts(
        node, camera_ports.CameraTopics("image", "image", "~/"), Narrator(), lambda *_: None
    )
    ports.subscribe()
    peer.camera()
    peer.until(lambda: node.count_publishers("/image") == 1, "the publisher")
    now = 5.0
    ports.watch()
    assert ports.trouble == ""
    now = 5.0 + camera_ports.PATIENCE + 1
    ports.watch()
    ports.watch()
    assert "publishers of /image are there (/peer), but nothing arrives" in ports.trouble
    assert capfd.readouterr().err.count("nothing arrives") == 1
    unknown = SimpleNamespace(node_namespace="_", node_name=camera_ports.UNKNOWN_NODE)
    assert camera_ports._who(unknown) == "a node whose name does not arrive either"
    ports._take(image_to_msg(Header(), np.zeros((4, 4, 3), np.uint8)))
    ports.watch()
    assert ports.trouble == ""
    taken = 0
    for now in np.arange(100, 110, 1 / 30):  # noqa: B007 (the clock reads it)
        taken += ports.accept(20.0)
    assert taken == pytest.approx(200, abs=2)
    ports.destroy()
    node.destroy_node()


@pytest.fixture
def around(monkeypatch):
    """Return a Surroundings, the node around which it looks, and its clock."""
    node = SimpleNamespace(
        simulated=False,
        clocks=0,
        names=[("me", "/robot")],
        warnings=[],
        get_name=lambda: "me",
        get_namespace=lambda: "/robot",
        get_fully_qualified_name=lambda: "/robot/me",
        get_node_names_and_namespaces=lambda: node.names,
        has_parameter=lambda _: True,
        get_parameter=lambda _: SimpleNamespace(value=node.simulated),
        count_publishers=lambda _: node.clocks,
        get_logger=lambda: SimpleNamespace(warning=node.warnings.append),
    )
    clock = SimpleNamespace(now=0.0, monotonic=lambda: clock.now)
    monkeypatch.setattr(surroundings, "time", clock)
    return surroundings.Surroundings(node), node, clock


def look(looking, clock, seconds=2 * surroundings.Surroundings.PATIENCE):
    looking.look()
    clock.now += seconds
    looking.look()
    return looking.troubles


def test_a_node_of_the_same_name_is_told_once_while_it_is_there(around):
    looking, node, clock = around
    node.names += [("me", "/other"), ("you", "/robot")]
    assert look(looking, clock) == []
    node.names.append(("me", "/robot"))
    assert look(looking, clock, 1.0) == [], "it may have just ended"
    (trouble,) = look(looking, clock)
    assert "another node is named /robot/me, too" in trouble
    look(looking, clock)
    assert node.warnings == [trouble]
    node.names.pop()
    assert look(looking, clock) == []
    node.names.append(("me", "/robot"))
    look(looking, clock)
    assert node.warnings == [trouble, trouble], "another time"


def test_simulated_time_that_nobody_publishes_is_told(around):
    looking, node, clock = around
    node.simulated = True
    (trouble,) = look(looking, clock)
    assert "nothing publishes /clock" in trouble
    node.clocks = 1
    assert look(looking, clock) == []
    assert node.warnings == [trouble]


def test_a_node_without_time_reports_what_is_wrong(peer, ros, monkeypatch):
    monkeypatch.setattr(surroundings.Surroundings, "PERIOD", 0.1)
    monkeypatch.setattr(surroundings.Surroundings, "PATIENCE", 0.0)
    reports = peer.collect(DiagnosticArray, "/diagnostics")
    peer.collect(Detection2DArray, "/detector_node/detections")

    def status(name):
        found = {each.name: each for each in reports[-1].status} if reports else {}
        return found.get(f"detector_node: {name}", DiagnosticStatus())

    twin = Node("detector_node")
    with in_this_process(model="fake", autostart=False, use_sim_time=True) as node:
        go_through(node, "configure", "activate")
        peer.until(lambda: "nothing publishes /clock" in status("node").message, "no time")
        peer.until(lambda: "another node is named" in status("node").message, "the twin")
        assert status("image").level == WARN, "a camera without an image yet"
        camera = peer.camera()
        images = {
            "bgr8": (OK, "Hz out"),
            "16UC1": (WARN, "16UC1: depth in millimeters"),
            "32FC1": (ERROR, "the last: image encoding '32FC1'"),
        }
        for encoding, (level, said) in images.items():
            msg = Image(height=4, width=4, encoding=encoding, step=16)
            msg.data.frombytes(bytes(64))
            peer.until(
                lambda msg=msg, level=level, said=said: (
                    camera.publish(msg)
                    or (status("image").level == level and said in status("image").message)
                ),
                said,
            )
    twin.destroy_node()
