"""What the log says of cameras that do not come, die and come again: once per change."""

from types import SimpleNamespace

import pytest
from rclpy.lifecycle import LifecycleNode
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image

from i2t_ros.nodes.detector import camera_ports
from i2t_ros.pipeline.narrator import Narrator


class Watched:
    """Cameras of a node whose publishers, time and log are made up."""

    def __init__(self, monkeypatch, *names):
        self.now = 0.0
        self.said = []
        self.publishers = dict.fromkeys(names, ())
        self.node = LifecycleNode("watched")
        logger = SimpleNamespace(warning=self.said.append, info=self.said.append)
        monkeypatch.setattr(self.node, "get_logger", lambda: logger)
        monkeypatch.setattr(self.node, "get_publishers_info_by_topic", self._publishers_of)
        monkeypatch.setattr(camera_ports, "time", SimpleNamespace(monotonic=lambda: self.now))
        self.cameras = {
            name: camera_ports.CameraPorts(
                self.node,
                camera_ports.CameraTopics(name, f"{name}/image", f"~/{name}/"),
                Narrator(None),
                lambda *_: None,
            )
            for name in names
        }
        for ports in self.cameras.values():
            ports.subscribe()

    def _publishers_of(self, topic):
        return self.publishers[topic.split("/")[1]]

    def publish(self, name, kind="Image"):
        self.publishers[name] = [
            SimpleNamespace(
                node_namespace="/",
                node_name=f"{name}_camera",
                topic_type=f"sensor_msgs/msg/{kind}",
                qos_profile=qos_profile_sensor_data,
            )
        ]

    def pass_by(self, seconds, *sending, encoding="bgr8"):
        """Let time pass while some cameras send; return what was said."""
        self.said.clear()
        for _ in range(seconds):
            self.now += 1.0
            for name in sending:
                self.cameras[name]._take(Image(encoding=encoding))
            for ports in self.cameras.values():
                ports.watch()
        return list(self.said)


@pytest.fixture
def watched(ros, monkeypatch):
    watched = Watched(monkeypatch, "front", "rear")
    yield watched
    for ports in watched.cameras.values():
        ports.destroy()
    watched.node.destroy_node()


def test_each_camera_that_never_came_dies_or_recovers_is_told_once_per_change(watched):
    never = "no publisher on /{}/image; is the camera running, its topic remapped?"
    assert watched.pass_by(60) == [never.format("front"), never.format("rear")]
    watched.publish("front")
    assert watched.pass_by(5) == [], "no image yet"
    assert watched.pass_by(60, "front") == ["/front/image: images come"]
    for _ in range(2):  # it stops, and its publisher ends later
        (died,) = watched.pass_by(30)
        assert died.startswith("publishers of /front/image are there (/front_camera), but nothing")
        assert "arrives any more" in died
        watched.publishers["front"] = ()
        assert watched.pass_by(30) == []
        assert watched.cameras["front"].trouble.startswith("no publisher on /front/image any more")
        watched.publish("front")
        assert watched.pass_by(30, "front") == ["/front/image: images come again"]
    watched.publish("rear")
    assert watched.pass_by(30, "front", "rear") == ["/rear/image: images come"]
    watched.publishers = {"front": (), "rear": ()}
    ended = "no publisher on /{}/image any more; has the camera stopped?"
    assert watched.pass_by(60) == [ended.format("front"), ended.format("rear")]
    assert {bool(ports.trouble) for ports in watched.cameras.values()} == {True}


def test_a_camera_that_was_never_heard_is_told_once_per_reason(watched):
    watched.publish("front", "CompressedImage")
    watched.publish("rear")
    (front, rear) = sorted(watched.pass_by(30))
    assert front.startswith("/front_camera publishes sensor_msgs/msg/CompressedImage")
    assert rear.startswith("publishers of /rear/image are there (/rear_camera), but nothing")
    assert watched.pass_by(30) == []
    watched.publish("front")
    assert watched.pass_by(5, "front") == ["/front/image: images come"]
    (depth,) = watched.pass_by(5, "front", encoding="16UC1")
    assert depth.startswith("the images of /front/image are 16UC1")
    assert watched.pass_by(5, "front") == ["/front/image: images come again"]


def test_a_camera_whose_images_are_rare_is_not_missed_all_the_time(watched):
    watched.publish("front")
    watched.publish("rear")
    said = []
    for _ in range(10):
        said += watched.pass_by(1, "front", "rear") + watched.pass_by(20, "rear")
    assert len(said) == 2, said  # it was missed once, and came again
    assert "any more" in "".join(watched.pass_by(100, "rear")), "but it is missed in the end"
