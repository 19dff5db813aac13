"""What stands in annotated bags is what the nodes publish: read with ROS's own serialization."""

import numpy as np
import pytest
from builtin_interfaces.msg import Time
from making import scene_of
from rclpy.serialization import deserialize_message
from std_msgs.msg import Header, String
from vision_msgs.msg import Detection2DArray
from visualization_msgs.msg import Marker, MarkerArray

from i2t_ros.nodes.messages.tasks import detections_to_msg
from i2t_ros.pipeline.describe_options import DescribeOptions
from i2t_ros.recordings.rendering.bag_messages import messages_of
from i2t_ros.recordings.writing.base import Stream, Told
from i2t_ros.types import Description, Detections

STREAM = Stream(0, "bag", "/drive", "/front", "drive", 0)
HEADER = Header(stamp=Time(sec=1_700_000_000, nanosec=123_456_789), frame_id="camera_optical")
STAMP = HEADER.stamp.sec * 10**9 + HEADER.stamp.nanosec
BOXES = [(8, 6, 24.5, 18), (0, 0, 5, 5)]


def written(found):
    """Return the bytes of each message of an image in which this was found, by its topic."""
    scene = scene_of(32, 24, found)
    description = Description(scene, "Ein Hund läuft.", "de", "sentence", "fake", 0.1)
    told = Told(STREAM, 0, "/drive", 0, STAMP, HEADER.frame_id, description, {})
    return dict(messages_of(told, DescribeOptions(), measured=True))


@pytest.mark.parametrize(
    "found",
    [
        None,
        Detections.empty(("dog",)),
        Detections(BOXES, [0.75, 0.5], [1, 0], ("cat", "dog")),
        Detections(BOXES, [0.75, 0.5], [1, 0], ("cat", ""), [7, -1]),
        Detections(BOXES, [0.7, 0.5], [1, 0], ("a", "b"), None, [(0.25, -0.5, 2), (0, 0, 0)]),
    ],
)
def test_detections_are_those_of_a_node(found):
    data = written(found)["/front/detections"]
    assert deserialize_message(data, Detection2DArray) == detections_to_msg(HEADER, found)


def test_the_sentence_is_a_string():
    data = written(None)["/front/sentence"]
    assert deserialize_message(data, String) == String(data="Ein Hund läuft.")


def test_markers_are_those_that_rviz_draws():
    positions = np.array([(0.25, -0.5, 2), (0, 0, 0)])
    found = Detections(BOXES, [0.7, 0.5], [1, 0], ("cat", "dog"), None, positions)
    data = written(found)["/front/object_markers"]
    clear, ball, label = deserialize_message(data, MarkerArray).markers
    assert clear.action == Marker.DELETEALL
    assert (ball.action, ball.type) == (Marker.ADD, Marker.SPHERE)
    assert label.type == Marker.TEXT_VIEW_FACING
    assert (ball.header, label.header) == (HEADER, HEADER)
    assert (ball.pose.position.x, ball.pose.position.y, ball.pose.position.z) == (0.25, -0.5, 2)
    assert label.text == "dog 2.1 m"
