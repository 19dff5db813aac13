"""What a bridge asks the detector, and knows of it: nothing while there is none."""

import asyncio
import struct

import pytest
from rclpy.qos import DurabilityPolicy, QoSProfile
from vision_msgs.msg import VisionInfo
from waiting import TIME_LIMIT

from i2t_ros.bridges.loop_thread import LoopThread
from i2t_ros.nodes.bridge import detector_client
from i2t_ros.nodes.bridge.detector_client import DetectorClient, DetectorConfiguration
from i2t_ros.types import DescribeRequest, Picture
from i2t_ros.vision.codecs import read_header

LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)


@pytest.mark.parametrize("humble", [False, True])
def test_it_is_the_newest_of_the_detector_and_goes_with_it(peer, monkeypatch, humble):
    if humble:  # it has no event for publishers that come and go
        monkeypatch.setattr(detector_client, "SubscriptionEventCallbacks", None)

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


@pytest.mark.parametrize("places", [4, 8, 9])
@pytest.mark.parametrize("known", [True, False], ids=["header read", "header not read"])
def test_large_pictures_leave_half_of_the_places_to_others(peer, monkeypatch, places, known):
    loop = LoopThread()
    loop.start()
    monkeypatch.setattr(peer.node, "end", lambda **_: None, raising=False)
    client = DetectorClient(peer.node, "describe", loop, places)
    asked, small = [], Picture(b"\xff\xd8\xff small")
    begun = asyncio.Event()

    async def never(request):
        asked.append(len(request.image.data))
        if asked[-1] == len(small):
            begun.set()
        await asyncio.Event().wait()

    def large():
        picture = Picture(b"BM" + bytes(12) + struct.pack("<IiiHHI", 40, 5600, 5600, 1, 24, 0))
        if known:
            read_header(picture)
        return picture

    async def ask():
        requests = [DescribeRequest(picture=large()) for _ in range(20)]
        requests.append(DescribeRequest(picture=small))
        tasks = [asyncio.ensure_future(client.describe(request)) for request in requests]
        await asyncio.wait_for(begun.wait(), TIME_LIMIT)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    monkeypatch.setattr(client, "_ask", never)
    monkeypatch.setattr(client, "_check_ready", lambda: None)
    try:
        loop.call(ask(), TIME_LIMIT)
        assert len(asked) <= places // 2 + 1
    finally:
        client.close()
        loop.stop()
