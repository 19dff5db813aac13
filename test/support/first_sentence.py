"""Brings up detector_node, asks it, shows it images until it speaks, and tells what that took.

Prints JSON: ``modules`` that are imported then, ``late`` those of them that were not when the node
became active, and how many times each file was ``opened``. Its arguments are the node's.
"""

import json
import sys
import threading
from collections import Counter

opened = Counter()
sys.addaudithook(lambda event, args: event == "open" and opened.update([str(args[0])]))

import numpy as np  # noqa: E402 (what the package opens is to be seen)
import rclpy  # noqa: E402
from i2t_ros.srv import Describe  # noqa: E402
from rclpy.node import Node  # noqa: E402
from rclpy.qos import qos_profile_sensor_data  # noqa: E402
from sensor_msgs.msg import Image  # noqa: E402
from std_msgs.msg import Header, String  # noqa: E402

from i2t_ros.nodes.detector.node import DetectorNode  # noqa: E402
from i2t_ros.nodes.lifecycle.spinning import SpinningThread  # noqa: E402
from i2t_ros.nodes.messages.images import encoded_to_msg, image_to_msg  # noqa: E402
from i2t_ros.vision.codecs import encode_image  # noqa: E402

LIMIT = 60.0
GREY = np.full((480, 640, 3), 128, np.uint8)


def main():
    rclpy.init(args=sys.argv)
    node, peer = DetectorNode(), Node("peer")
    heard = threading.Event()
    peer.create_subscription(String, "/detector_node/sentence", lambda _: heard.set(), 10)
    camera = peer.create_publisher(Image, "image", qos_profile_sensor_data)
    image = image_to_msg(Header(), GREY)
    spinning = [SpinningThread(node), SpinningThread(peer)]
    node.trigger_configure()
    node.trigger_activate()
    at_start = set(sys.modules)
    asking = peer.create_client(Describe, "/detector_node/describe")
    assert asking.wait_for_service(LIMIT)
    request = Describe.Request(image=encoded_to_msg(Header(), encode_image(GREY)), annotate=True)
    answered = threading.Event()
    asking.call_async(request).add_done_callback(lambda _: answered.set())
    assert answered.wait(LIMIT)
    for _ in range(int(LIMIT / 0.1)):
        camera.publish(image)
        if heard.wait(0.1):
            break
    modules = set(sys.modules)
    node.end_work()
    for thread in spinning:
        thread.close()
    for each in (node, peer):
        each.destroy_node()
    rclpy.try_shutdown()
    assert heard.is_set(), "no sentence"
    told = {"modules": sorted(modules), "late": sorted(modules - at_start), "opened": opened}
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main()
