"""A detector_node with a depth camera: distances in all that it says, and why there are none."""

import numpy as np
import pytest
from depth_scenes import millimeters
from depth_talk import DEPTH_TOPIC, DepthCamera, depth_msg, info, scene, usual
from detector_talk import GREY, describe, stamp_of
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from i2t_ros.msg import Description
from i2t_ros.srv import Describe
from std_srvs.srv import SetBool
from vision_msgs.msg import Detection2DArray, Detection3DArray
from visualization_msgs.msg import Marker, MarkerArray

from i2t_ros.nodes.messages.descriptions import description_from_msg
from i2t_ros.pipeline.description_json import description_to_json

NODE = "/detector_node"
SECOND = 10**9
AT_PERSON = pytest.approx((0, 0, 1.5), abs=0.01)


@pytest.fixture(scope="module")
def node_of_module(start_once):
    return start_once(model="fake", depth=f"['{DEPTH_TOPIC}']")


@pytest.fixture
def node(peer, node_of_module):
    peer.processes.append(node_of_module)
    return node_of_module


def position(msg):
    at = msg.detections[0].results[0].pose.pose.position
    return at.x, at.y, at.z


def test_a_person_has_a_distance_in_all_messages(peer, node):
    flat = peer.collect(Detection2DArray, f"{NODE}/detections")
    space = peer.collect(Detection3DArray, f"{NODE}/detections_3d")
    markers = peer.collect(MarkerArray, f"{NODE}/object_markers")
    described = peer.collect(Description, f"{NODE}/description")

    def all_have_come():
        if not (flat and space and described and markers):
            return False
        places = position(flat[-1]), position(described[-1].detections)
        return all(z for _, _, z in places) and len(markers[-1].markers) == 3

    DepthCamera(peer).show(usual(), all_have_come)
    found = space[-1].detections[0]
    result = found.results[0]
    assert (result.hypothesis.class_id, found.id) == ("person", "")
    assert result.hypothesis.score == pytest.approx(0.9)
    assert position(space[-1]) == AT_PERSON
    assert position(flat[-1]) == position(space[-1]) == position(described[-1].detections)
    assert space[-1].header == found.header == flat[-1].header
    assert space[-1].header.frame_id == "camera"
    size = found.bbox.size  # its box in the picture has 320x240 pixels
    assert (size.x, size.y) == pytest.approx((320 / 600 * 1.5, 240 / 600 * 1.5), rel=0.01)
    assert 0 < size.z < 0.1
    assert found.bbox.center.orientation.w == 1
    first, cube, text = markers[-1].markers
    assert first.action == Marker.DELETEALL
    assert (cube.type, cube.scale, cube.pose) == (Marker.CUBE, size, found.bbox.center)
    assert (text.type, text.text) == (Marker.TEXT_VIEW_FACING, "person 1.5 m")
    # As bridges and the command line have it.
    as_json = description_to_json(description_from_msg(described[-1]))["detections"][0]
    assert as_json["distance"] == pytest.approx(1.5, abs=0.01)
    assert as_json["position"] == AT_PERSON


def test_a_request_about_the_newest_image_has_distances(peer, node):
    seen = peer.collect(Detection3DArray, f"{NODE}/detections_3d")
    DepthCamera(peer).show(usual(), lambda: seen)
    response = describe(peer, Describe.Request())
    assert position(response.description.detections) == AT_PERSON


def test_nothing_seen_is_published_too(peer, node):
    space = peer.collect(Detection3DArray, f"{NODE}/detections_3d")
    markers = peer.collect(MarkerArray, f"{NODE}/object_markers")
    DepthCamera(peer).show(usual(), lambda: space and markers, image=np.zeros_like(GREY))
    assert not space[-1].detections
    assert [marker.action for marker in markers[-1].markers] == [Marker.DELETEALL]


MESSAGES = {
    "float meters": lambda: depth_msg(scene(), "32FC1"),
    "big endian, padded": lambda: depth_msg(millimeters(scene()), big_endian=True, padding=6),
    "a quarter of the size": lambda: depth_msg(
        np.ascontiguousarray(millimeters(scene())[::4, ::4])
    ),
}


@pytest.mark.parametrize("make", MESSAGES.values(), ids=MESSAGES)
@pytest.mark.parametrize("stamp", [0, 7 * SECOND])
def test_depth_images_of_all_kinds(peer, node, make, stamp):
    seen = peer.collect(Detection3DArray, f"{NODE}/detections_3d")
    camera = DepthCamera(peer)
    camera.show(make(), lambda: seen and stamp_of(seen[-1]) == stamp, stamp=stamp)
    assert position(seen[-1]) == pytest.approx((0, 0, 1.5), abs=0.02)


def only_holes():
    return depth_msg(np.zeros((480, 640), np.uint16))


def test_an_object_without_depth_is_in_the_picture_alone(peer, node):
    flat = peer.collect(Detection2DArray, f"{NODE}/detections")
    space = peer.collect(Detection3DArray, f"{NODE}/detections_3d")
    # 20 s after all that other tests have shown, so that no depth image of theirs fits.
    DepthCamera(peer).show(only_holes(), lambda: space and flat, stamp=20 * SECOND)
    assert space[-1].detections == []
    assert position(flat[-1]) == (0, 0, 0)


REASONS = {
    "no depth image in time": (
        {"depth_stamp": 29 * SECOND},
        f"no distances, no depth image in time: the nearest on {DEPTH_TOPIC} is 1.000 s earlier",
    ),
    "bad depth image": (
        {"depth": lambda: depth_msg(np.zeros((480, 640), np.uint8), "bgr8")},
        "no distances, bad depth image: depth encoding: expected one of 16UC1, mono16, 32FC1, got "
        "'bgr8'",
    ),
}


@pytest.mark.parametrize("reason", REASONS)
def test_why_there_is_no_distance_is_said_and_counted(peer, node, reason):
    how, said = REASONS[reason]
    how = dict(how)
    make = how.pop("depth", usual)
    flat = peer.collect(Detection2DArray, f"{NODE}/detections")
    reports = peer.collect(DiagnosticArray, "/diagnostics")

    def status():
        found = [each for msg in reports[-1:] for each in msg.status]
        return next((each for each in found if each.name == "detector_node: image"), None)

    def told():
        return flat and (now := status()) and said in now.message

    camera = DepthCamera(peer)
    camera.show(make(), told, stamp=30 * SECOND, **how)
    assert position(flat[-1]) == (0, 0, 0)
    assert status().level == DiagnosticStatus.WARN
    counted = {value.key: value.value for value in status().values}
    assert int(counted[f"without distances ({reason})"]) > 0
    peer.until(lambda: f"camera image: {said}" in node.log(), "the warning")
    again = node.log().count("objects have distances")
    camera.show(usual(), lambda: node.log().count("objects have distances") > again,
                stamp=40 * SECOND)  # fmt: skip
    peer.until(lambda: "no distances" not in status().message, "it is forgotten")


def test_other_frames_are_told_once(peer, node):
    peer.collect(Detection2DArray, f"{NODE}/detections")
    said = "the depth images are in the frame 'depth_optical', the pictures in 'camera'"
    DepthCamera(peer).show(
        usual(), lambda: said in node.log(), stamp=50 * SECOND, depth_frame="depth_optical"
    )
    assert node.log().count(said) == 1


def test_disabled_it_takes_no_depth_and_forgets_all(peer, node):
    def enable(data):
        assert peer.call(SetBool, f"{NODE}/enable", SetBool.Request(data=data)).success

    listening = peer.node.count_subscribers
    seen = peer.collect(Detection3DArray, f"{NODE}/detections_3d")
    camera = DepthCamera(peer)
    camera.show(usual(), lambda: seen)
    enable(False)
    peer.until(lambda: not listening(DEPTH_TOPIC), "no subscription")
    peer.until(lambda: not listening("/camera/depth/camera_info"), "none of camera_info")
    enable(True)
    flat = peer.collect(Detection2DArray, f"{NODE}/detections")
    reports = peer.collect(DiagnosticArray, "/diagnostics")

    def told():
        return flat and any(
            "no distances, no camera_info: nothing arrives" in each.message
            for msg in reports
            for each in msg.status
        )

    camera.show(usual(), told, info=None)
    assert position(flat[-1]) == (0, 0, 0)
    zeros = info()
    zeros.k = [0.0] * 9
    camera.show(usual(), lambda: "no camera_info: expected focal" in str(reports), info=zeros)
    del seen[:]
    camera.show(usual(), lambda: seen)
