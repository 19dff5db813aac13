"""Where depth comes from and goes to: parameters, transports, pairing, and the frame by tf2."""

import threading
from types import SimpleNamespace

import numpy as np
import pytest
from depth_scenes import inverse, millimeters
from depth_talk import DepthCamera, compressed_msg, depth_msg, info, scene, stamped, usual
from project import ROOT
from sensor_msgs.msg import CompressedImage
from std_msgs.msg import Header, String
from vision_msgs.msg import Detection2DArray, Detection3DArray
from visualization_msgs.msg import Marker, MarkerArray

from i2t_ros.errors import InvalidRequestError
from i2t_ros.nodes.detector import depth as camera_depth
from i2t_ros.nodes.detector.camera_ports import parse_cameras
from i2t_ros.nodes.detector.depth import CameraDepth, DepthTopic, parse_depth
from i2t_ros.types import Detections, Scene

NODE = "/detector_node"
MILLISECOND = 10**6


def position(msg):
    at = msg.detections[0].results[0].pose.pose.position
    return at.x, at.y, at.z


# The parameter


def parsed(entries, cameras=()):
    return parse_depth(entries, parse_cameras(cameras, "raw"))


def test_topics_are_read_with_and_without_a_camera():
    raw, packed = DepthTopic("/c/depth/image_raw", False), DepthTopic("/c/depth/image_raw", True)
    assert parsed(["/c/depth/image_raw"]) == {"image": raw}
    assert parsed(["/c/depth/image_raw/compressedDepth"], ["front"]) == {"front": packed}
    assert parsed(["rear=/c/depth/image_raw"], ["front", "rear"]) == {"rear": raw}
    assert parsed([""]) == {}
    assert raw.info == packed.info == "/c/depth/camera_info"
    assert DepthTopic("depth", False).info == "camera_info"


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        (["left=/depth"], "one of front, rear, got 'left=/depth'"),
        (["/depth"], "expected CAMERA=TOPIC"),
        (["front=/a", "front=/b"], "front may be given once"),
        (["front=no topic"], "not a topic's name"),
        (["front="], "not a topic's name"),
    ],
)
def test_what_makes_no_sense_is_named(entries, said):
    with pytest.raises(InvalidRequestError, match="depth") as error:
        parsed(entries, ["front", "rear"])
    assert said in str(error.value)


# Pairing


class Quiet:
    """A node of which nothing is asked but names."""

    resolve_topic_name = staticmethod(lambda name: name)
    create_subscription = staticmethod(lambda *_: object())
    destroy_subscription = staticmethod(lambda _: None)


def camera(tolerance=0.05):
    found = CameraDepth(Quiet(), "front", DepthTopic("/depth", False), tolerance)
    found._take_info(info())
    return found


def shown(depth, milliseconds, meters):
    """Let a depth image of a wall come."""
    wall = depth_msg(np.full((48, 64), round(1000 * meters), np.uint16))
    depth._take(stamped(wall, milliseconds * MILLISECOND))


def measured(depth, milliseconds):
    """Return the distance of an object in an image of that time; None: no distance."""
    header = stamped(SimpleNamespace(header=Header()), milliseconds * MILLISECOND).header
    found = Detections([(100, 100, 300, 300)], [0.9], [0], ("person",))
    scene, located = depth.measure(Scene(640, 480, {"detect": found}), header)
    if located is None:
        assert scene.detections is found
        return None
    assert scene.detections.positions is not None
    return round(float(scene.detections.positions[0, 2]), 3)


def test_an_image_gets_the_nearest_depth_within_the_tolerance():
    depth = camera()
    assert measured(depth, 1000) is None
    for milliseconds in (900, 1000, 1030, 1100):
        shown(depth, milliseconds, milliseconds / 1000)
    assert measured(depth, 1000) == 1.0
    assert measured(depth, 1012) == 1.0
    assert measured(depth, 1018) == 1.03
    assert measured(depth, 1150) == 1.1
    assert measured(depth, 1151) is None
    assert measured(depth, 849) is None
    assert depth.counts[camera_depth.NO_IMAGE] == 3
    assert "see depth_tolerance" in depth._causes[camera_depth.NO_IMAGE]


def test_of_equal_stamps_the_last_counts():
    depth = camera(0)
    shown(depth, 0, 1.0)
    shown(depth, 0, 2.0)  # a driver without stamps
    assert measured(depth, 0) == 2.0


def test_what_is_kept_has_bounds(monkeypatch):
    depth = camera()
    for number in range(camera_depth.MOST_KEPT + 5):
        shown(depth, 1000 * number, 1.0)
    assert measured(depth, 4000) is None
    assert measured(depth, 5000) == 1.0
    monkeypatch.setattr(camera_depth, "MOST_BYTES", 5 * 48 * 64 * 2)
    shown(depth, 100_000, 1.0)
    assert len(depth._kept) == 5
    monkeypatch.setattr(camera_depth, "MOST_BYTES", 1)
    shown(depth, 101_000, 1.0)
    assert measured(depth, 101_000) == 1.0


def test_a_scene_without_objects_is_paired_and_not_measured():
    depth = camera()
    empty = Scene(640, 480, {"detect": Detections.empty(("person",))})
    nothing = Scene(640, 480)  # no task has looked for objects
    assert depth.measure(nothing, Header()) == (nothing, None)
    shown(depth, 0, 1.0)
    scene, located = depth.measure(empty, Header())
    assert (scene, located.positions.shape) == (empty, (0, 3))
    assert depth._recent == {"": 1}


def test_threads_may_measure_while_depth_comes():
    depth = camera(10)
    shown(depth, 0, 1.0)
    failures = []

    def measure():
        for number in range(300):
            if measured(depth, number) is None:
                failures.append(number)

    threads = [threading.Thread(target=measure) for _ in range(2)]
    for thread in threads:
        thread.start()
    for number in range(300):
        shown(depth, number, 1.0)
    for thread in threads:
        thread.join()
    assert failures == []


class Log:
    def __init__(self):
        self.lines = []
        self.warning = self.info = self.lines.append


def test_trouble_is_told_once_per_change():
    depth, log = camera(), Log()
    depth._node = SimpleNamespace(
        get_logger=lambda: log, get_publishers_info_by_topic=lambda _: publishers
    )
    publishers = []
    for _ in range(3):
        measured(depth, 1000)
        depth.watch()
    assert log.lines == [
        "camera front: no distances, no depth image in time: no publisher on /depth"
    ]
    publishers = [SimpleNamespace(topic_type="sensor_msgs/msg/PointCloud2")]
    measured(depth, 1000)
    depth.watch()
    assert (
        "published as sensor_msgs/msg/PointCloud2, expected sensor_msgs/msg/Image" in depth.trouble
    )
    shown(depth, 1000, 1.0)
    for stamp in (1000, 1000, 9000):  # most frames have distances
        measured(depth, stamp)
    depth.watch()
    assert (depth.trouble, log.lines[1:]) == ("", ["camera front: objects have distances"])
    depth.watch()  # no image has come
    assert len(log.lines) == 2
    measured(depth, 1000)
    depth.count(camera_depth.NO_TRANSFORM, "no map")
    depth.watch()
    assert depth.trouble == "no detections_3d, no transform: no map"
    depth.unsubscribe()
    measured(depth, 1000)
    depth.watch()
    depth.unsubscribe()
    measured(depth, 1000)
    depth.watch()
    assert log.lines[-2] == log.lines[-1], "as of images, what is wrong is said again"


def test_a_driver_that_has_ended_is_no_matter_of_tolerance():
    depth, publishers = camera(), [SimpleNamespace(topic_type="sensor_msgs/msg/Image")]
    depth._node = SimpleNamespace(get_logger=Log, get_publishers_info_by_topic=lambda _: publishers)
    shown(depth, 1000, 1.0)
    measured(depth, 9000)
    depth.watch()
    assert "8.000 s earlier by its stamp; see depth_tolerance" in depth.trouble
    publishers.clear()
    measured(depth, 9000)
    depth.watch()
    assert depth.trouble == "no distances, no depth image in time: no publisher on /depth"


# Transports


def test_one_of_two_cameras_has_compressed_depth(peer, start):
    start(
        cameras="[front, rear]",
        depth="['rear=/a/depth/image_raw/compressedDepth']",
        model="fake",
        arguments=["-r", "/a/depth/camera_info:=/elsewhere/camera_info"],
    )
    flat = peer.collect(Detection2DArray, f"{NODE}/front/detections")
    space = peer.collect(Detection3DArray, f"{NODE}/rear/detections_3d")
    sentences = peer.collect(String, f"{NODE}/front/sentence")
    topic = "/a/depth/image_raw/compressedDepth"
    rear = DepthCamera(peer, "rear/image", topic, CompressedImage, "/elsewhere/camera_info")
    rear.show(compressed_msg(millimeters(scene())), lambda: space)
    assert position(space[-1]) == pytest.approx((0, 0, 1.5), abs=0.01)
    coded, quantization = inverse(scene())
    for format in ("32FC1; compressedDepth png", "32FC1; compressedDepth rvl"):
        del space[:]
        rear.show(compressed_msg(coded, format, quantization), lambda: space)
        assert position(space[-1]) == pytest.approx((0, 0, 1.5), abs=0.02)
    DepthCamera(peer, "front/image", "/unused").show(usual(), lambda: flat and sentences)
    assert position(flat[-1]) == (0, 0, 0)
    topics = dict(peer.node.get_topic_names_and_types())
    assert f"{NODE}/rear/object_markers" in topics
    assert f"{NODE}/front/object_markers" not in topics


def test_a_name_that_is_no_camera_ends_the_node(start):
    node = start(model="fake", cameras="[front]", depth="['left=/depth']", ready=False)
    assert node.wait() != 0
    assert "depth: expected CAMERA=TOPIC, with CAMERA one of front, got 'left=/depth'" in node.log()


# tf2


@pytest.fixture
def tf2(monkeypatch):
    """Let node processes find what stands in for tf2_ros."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "test/support/tf2_standin"))


def test_objects_are_in_the_target_frame(tf2, peer, start):
    node = start(model="fake", depth="['/camera/depth/image_raw']", target_frame="base_link")
    assert "listens to /tf" in node.log()
    space = peer.collect(Detection3DArray, f"{NODE}/detections_3d")
    markers = peer.collect(MarkerArray, f"{NODE}/object_markers")
    flat = peer.collect(Detection2DArray, f"{NODE}/detections")
    depth = DepthCamera(peer)

    def flat_has_distance(second):
        return flat and flat[-1].header.stamp.sec == second and position(flat[-1])[2]

    def all_have_come():
        return flat_has_distance(1) and space and markers and len(markers[-1].markers) == 3

    depth.show(usual(), all_have_come)
    found = space[-1].detections[0]
    assert position(space[-1]) == pytest.approx((1.5, 0, 0.5), abs=0.01)
    assert {space[-1].header.frame_id, found.header.frame_id} == {"base_link"}
    assert {each.header.frame_id for each in markers[-1].markers} == {"base_link"}
    turn = found.bbox.center.orientation  # of the box, whose z is the camera's
    assert (turn.x, turn.y, turn.z, turn.w) == (-0.5, 0.5, -0.5, 0.5)
    assert markers[-1].markers[2].text == "person 1.5 m"
    assert position(flat[-1]) == pytest.approx((0, 0, 1.5), abs=0.01), "still the camera's frame"
    assert flat[-1].header.frame_id == "camera"
    # Later than tf2 knows.
    said = 'no detections_3d, no transform: "camera" to "base_link": unknown at 9 s'

    def later_ones_have_come():
        actions = [each.action for each in markers[-1].markers]
        return said in node.log() and flat_has_distance(9) and actions == [Marker.DELETEALL]

    depth.show(usual(), later_ones_have_come, stamp=9 * 10**9)
    assert all(msg.header.stamp.sec == 1 for msg in space)
    assert position(flat[-1])[2] == pytest.approx(1.5, abs=0.01), "the distance is known"
    # Before 1970, which is no time to ROS.
    depth.show(usual(), lambda: markers[-1].markers[0].header.stamp.sec == -1, stamp=-(10**9))
    assert "image failed" not in node.log()


def test_a_target_frame_needs_tf2(monkeypatch, tmp_path, start):
    (tmp_path / "tf2_ros.py").write_text("raise ImportError('no tf2_ros here')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("ROS_DISTRO", "jazzy")
    node = start(model="fake", depth="[/depth]", target_frame="map", ready=False)
    assert node.wait() != 0
    assert "target_frame map needs a package that is not installed (no tf2_ros here)" in node.log()
    assert "apt install ros-jazzy-tf2-ros-py" in node.log()


def test_without_depth_no_tf2_is_needed(monkeypatch, tmp_path, start):
    (tmp_path / "tf2_ros.py").write_text("raise ImportError('no tf2_ros here')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    start(model="fake", target_frame="map")
