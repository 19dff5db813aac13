"""What a bridge knows of the detector that would answer: nothing while there is none."""

from rclpy.qos import DurabilityPolicy, QoSProfile
from vision_msgs.msg import VisionInfo

from i2t_ros.nodes.bridge.detector_client import DetectorConfiguration

LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)


def test_it_is_the_newest_of_the_detector_and_goes_with_it(peer):
    def text_is(part):
        peer.until(lambda: part in configuration.text(), part)

    first = peer.node.create_publisher(VisionInfo, "detector/vision_info", LATCHED)
    first.publish(VisionInfo(method="yolox", database_version=1))
    configuration = DetectorConfiguration(peer.node, "detector/vision_info")
    text_is("yolox")
    before = configuration.text()
    first.publish(VisionInfo(method="yolox", database_version=2))
    peer.until(lambda: configuration.text() != before, "a new version")
    assert configuration.text()
    peer.node.destroy_publisher(first)
    peer.until(lambda: configuration.text() == "", "nothing")
    second = peer.node.create_publisher(VisionInfo, "detector/vision_info", LATCHED)
    second.publish(VisionInfo(method="rtdetr"))
    text_is("rtdetr")
    configuration.close()
    assert configuration.text() == ""
