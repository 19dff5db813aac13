"""The tools for agents in front of real nodes: topics are subscribed to while an agent waits."""

import asyncio

import cv2
import numpy as np
import pytest
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import CompressedImage

pytest.importorskip("fastapi")
pytest.importorskip("mcp")
from agents import agent, call, refusal, soon

LIMIT = 60.0
GREY, BLACK = (
    cv2.imencode(".jpg", np.full((48, 64, 3), value, np.uint8))[1].tobytes() for value in (128, 0)
)


class Camera:
    """Publishes frames 20 times a second; the fake model sees a person in a grey one."""

    def __init__(self, peer, topic):
        self.frame = BLACK
        self._node = peer.node
        self._publisher = peer.node.create_publisher(
            CompressedImage, f"{topic}/compressed", qos_profile_sensor_data
        )
        self._timer = peer.node.create_timer(0.05, self._publish)

    def _publish(self):
        msg = CompressedImage(format="jpeg")
        msg.header.stamp = self._node.get_clock().now().to_msg()
        msg.data.frombytes(self.frame)
        self._publisher.publish(msg)

    def close(self):
        self._node.destroy_timer(self._timer)
        self._node.destroy_publisher(self._publisher)


def test_an_agent_waits_for_what_a_camera_shows_and_counts_it(peer, start):
    both = {"image_transport": "compressed"}
    bridge = start("bridge_node", tcp_port=0, http="true", http_port=0, http_mcp="true", **both)
    url = f"{bridge.url}/mcp"
    assert refusal(url, "count", {"class": "person"}).startswith("detector_unreachable: ")
    start(model="fake", **both)
    camera = Camera(peer, "image")

    def subscribers():
        return peer.node.count_subscribers("/detector_node/description")

    async def talk(client):
        given = {"class": "person", "seconds": 600, "camera": "image"}
        wait = asyncio.create_task(client.call_tool("wait_for", given))
        await soon(lambda: subscribers() == 1, "the bridge looks at the descriptions")
        assert not wait.done()
        camera.frame = GREY
        return (await wait).structured_content

    try:
        seen = agent(talk, url)
        assert (seen["seen"], seen["count"], seen["camera"]) == (True, 1, "image")
        peer.until(lambda: subscribers() == 0, "nobody looks", LIMIT)
        assert call(url, "count", **{"class": "people"})["count"] == 1
        found = call(url, "find", **{"class": "person"})
        assert (found["width"], found["height"], len(found["objects"])) == (64, 48, 1)
        assert refusal(url, "ask", {"question": "Who is there?"}).startswith("vlm_off: ")
        shown = call(url, "snapshot", annotated=True)
        assert (shown["width"], shown["height"], shown["camera"]) == (64, 48, "image")
    finally:
        camera.close()
