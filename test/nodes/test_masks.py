"""Outlines through messages, and the topic of masks of a real node."""

from dataclasses import replace

import numpy as np
import pytest
from detector_talk import describe, picture, show, stamp_of
from i2t_ros.msg import Description as DescriptionMsg
from i2t_ros.msg import Outline, Polygon
from i2t_ros.srv import Describe
from making import scene_of
from outlined_models import FAMILIES, NAMES, PICTURE, SHAPES, iou, truth, whole
from own_models import put
from sensor_msgs.msg import Image
from std_msgs.msg import Header
from vision_msgs.msg import Detection2DArray, Point2D

from i2t_ros.errors import ServiceError
from i2t_ros.nodes.messages.descriptions import description_from_msg, description_to_msg
from i2t_ros.pipeline.description_json import description_to_json
from i2t_ros.types import Description, Detections, Mask
from i2t_ros.vision import masks

BOXES = [[10, 12, 30, 40], [50, 60, 70, 90]]
MASKS = Mask(10, 12, np.tri(28, 20, dtype=bool)), Mask(50, 60, np.ones((30, 20), bool))
FOUND = Detections(BOXES, [0.75, 0.5], [1, 0], ("cat", "dog"), masks=MASKS)


def sent(found=FOUND):
    scene = replace(scene_of(128, 96), results={"segment": found})
    said = Description(scene, "Two.", "en", "list", "some model", 0.25)
    return said, description_to_msg(Header(), said)


def test_outlines_go_there_and_back():
    said, msg = sent()
    assert list(msg.tasks) == ["segment"]
    assert [len(outline.polygons) for outline in msg.outlines] == [1, 1]
    xs = [point.x for point in msg.outlines[1].polygons[0].points]
    assert (min(xs), max(xs)) == (50, 70)
    again = description_from_msg(msg)
    found = again.scene.results["segment"]
    for one, other in zip(found.masks, MASKS, strict=True):
        assert iou(whole(one), whole(other)) > 0.97
    assert description_to_json(again)["detections"] == description_to_json(said)["detections"]
    _, without = sent(replace(FOUND, masks=None))
    assert without.outlines == []
    assert description_from_msg(without).scene.detections.masks is None


def outline(*points):
    return Outline(polygons=[Polygon(points=[Point2D(x=x, y=y) for x, y in points])])


@pytest.mark.parametrize(
    ("outlines", "message"),
    [
        ([outline((1.0, 1.0), (500.0, 1.0), (1.0, 90.0))] * 2, "outlines within 128 x 96 pixels"),
        ([outline((1.0, 1.0), (float("nan"), 1.0), (1.0, 9.0))] * 2, "outlines within"),
        ([outline((1.0, 1.0), (1e300, 1.0), (1.0, 9.0))] * 2, "outlines within"),
        ([outline((1.0, 1.0), (9.0, 1.0), (1.0, 9.0))], "masks: expected 2, got 1"),
        ([Outline()] * 10_001, "a list has 10001 entries"),
        ([Outline(polygons=[Polygon()] * 200_001), Outline()], "have 200001 points"),
    ],
)
def test_outlines_that_make_no_sense_are_refused(outlines, message):
    _, msg = sent()
    msg.outlines = outlines
    with pytest.raises(ServiceError, match=message):
        description_from_msg(msg)


def test_a_message_has_no_more_points_than_are_read(monkeypatch):
    monkeypatch.setattr(masks, "MOST_POINTS_OF_ALL", 8)
    _, msg = sent()
    assert [len(outline.polygons) for outline in msg.outlines] == [1, 0]
    assert len(description_from_msg(msg).scene.detections.masks) == 2


def test_masks_of_a_camera_are_numbers_of_its_detections(peer, start, tmp_path):
    pytest.importorskip("onnx", reason="onnx is not installed")
    model = put(tmp_path, *FAMILIES["YOLOv8"][1:], NAMES)
    node = start(model="fake", tasks="[detect, segment]", segment_model=model)
    numbers = peer.collect(Image, "/detector_node/masks", qos=1)
    detections = peer.collect(Detection2DArray, "/detector_node/detections")
    told = peer.collect(DescriptionMsg, "/detector_node/description")
    show(peer, peer.camera(), picture(PICTURE, stamp=7_000_000_009), lambda: numbers and told)
    msg = numbers[0]
    assert stamp_of(msg) == 7_000_000_009
    assert msg.header == detections[0].header
    assert (msg.width, msg.height, msg.encoding, msg.step) == (256, 192, "16UC1", 512)
    found = np.frombuffer(msg.data, np.uint16).reshape(192, 256)
    names = [item.results[0].hypothesis.class_id for item in detections[0].detections]
    assert names == ["dog", "cat"]
    for number, name in enumerate(names, 1):
        assert iou(found == number, truth(name)) > 0.97
    assert list(told[0].tasks) == ["segment"]
    assert told[0].sentence == "I can see a cat and a dog."
    assert len(told[0].outlines) == len(SHAPES)

    response = describe(peer, Describe.Request(tasks=["segment"], annotate=True))
    assert response.success, response.message
    again = description_from_msg(response.description).scene.detections
    assert iou(whole(again.masks[0]), truth("dog")) > 0.96
    assert node.stop() == 0
    assert "mine on onnxruntime (cpu) ready in" in node.log()
