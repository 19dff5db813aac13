"""detector_node as its users meet it: a process, topics, a service."""

import threading
import time

import cv2
import numpy as np
import pytest
from detector_talk import GREY, compressed, describe, picture, show, stamp_of
from diagnostic_msgs.msg import DiagnosticArray
from i2t_ros.msg import Description
from i2t_ros.srv import Describe
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import String
from vision_msgs.msg import Detection2DArray


def test_a_photo_goes_in_and_everything_comes_out(peer, start):
    start(model="fake", language="es", style="list")
    outputs = {
        topic: peer.collect(kind, f"/detector_node/{topic}")
        for topic, kind in {
            "detections": Detection2DArray,
            "sentence": String,
            "description": Description,
            "annotated": Image,
            "annotated/compressed": CompressedImage,
        }.items()
    }
    camera = peer.camera()
    show(peer, camera, picture(GREY, stamp=5_000_000_007), lambda: all(outputs.values()))

    detections = outputs["detections"][0]
    assert stamp_of(detections) == 5_000_000_007
    assert detections.header.frame_id == "camera"
    (person,) = detections.detections
    assert person.header == detections.header
    assert person.results[0].hypothesis.class_id == "person"
    assert person.results[0].hypothesis.score == pytest.approx(0.9)
    assert (person.bbox.center.position.x, person.bbox.center.position.y) == (320, 240)
    assert (person.bbox.size_x, person.bbox.size_y) == (320, 240)

    sentence = "Se detectó el siguiente objeto: 1 persona."
    assert outputs["sentence"][0].data == sentence
    description = outputs["description"][0]
    assert description.header == detections.header
    assert (description.sentence, description.language) == (sentence, "es")
    assert description.detections == detections
    (count,) = description.objects
    assert (count.class_id, count.label, count.count) == ("person", "persona", 1)
    assert description.model == "fake on fake (fake)"
    assert description.elapsed.sec == 0
    assert description.elapsed.nanosec > 0

    annotated = outputs["annotated"][0]
    assert annotated.header == detections.header
    assert (annotated.width, annotated.height, annotated.encoding) == (640, 480, "bgr8")
    pixels = np.frombuffer(annotated.data, np.uint8).reshape(480, 640, 3)
    assert (pixels != GREY).any(), "nothing is drawn"
    jpeg = outputs["annotated/compressed"][0]
    assert jpeg.format == "jpeg"
    assert cv2.imdecode(np.frombuffer(jpeg.data, np.uint8), 1).shape == (480, 640, 3)


def test_a_camera_stream_is_answered_in_order_and_memory_is_flat(peer, start):
    node = start(model="fake")
    detections = peer.collect(Detection2DArray, "/detector_node/detections", qos=300)
    diagnostics = peer.collect(DiagnosticArray, "/diagnostics")
    camera = peer.camera()
    show(peer, camera, picture(GREY, stamp=1), lambda: detections)
    warm_up = len(detections)
    memory = 0
    sent = range(1000, 1200)
    tick = threading.Event()
    begun = time.monotonic()
    for i, stamp in enumerate(sent):
        tick.wait(max(0, begun + i / 30 - time.monotonic()))
        camera.publish(picture(GREY, stamp, frame_id=f"optical {stamp}"))
        if i == 50:
            memory = node.resident_bytes()

    def counters():
        values = [
            {pair.key: pair.value for pair in status.values}
            for status in diagnostics[-1].status
            if status.name == "detector_node: image"
        ]
        return {key: int(v) for key, v in values[0].items() if v.isdigit()} if values else {}

    def settled():
        if not diagnostics or len(diagnostics) < seen + 2:
            return False
        now = counters()
        done = now["processed"] + now["dropped (backend busy)"] + now["unwanted (no subscriber)"]
        return now["received"] == done and len(detections) == now["processed"]

    seen = len(diagnostics)
    peer.until(settled, "all frames accounted for")
    answered = [stamp_of(msg) for msg in detections[warm_up:] if stamp_of(msg) >= 1000]
    assert answered == sorted(set(answered)), "out of order"
    assert set(answered) <= set(sent)
    assert all(msg.header.frame_id == f"optical {stamp_of(msg)}" for msg in detections[-50:])
    # Every frame the detector had time for: all that came and were not replaced by a newer one.
    # The fake model takes no time, so that only a stall of this machine can cost a frame.
    assert len(answered) >= 190
    assert counters()["failed (bad image)"] == 0
    assert node.resident_bytes() - memory < 8e6


def test_describe_of_the_newest_frame(peer, start):
    start(model="fake")
    response = describe(peer, Describe.Request())
    assert (response.success, response.error_code) == (False, "no_frame")
    assert "image" in response.message
    camera = peer.camera()

    def answered():
        return describe(peer, Describe.Request()).success

    # Nobody subscribes to a result, and still the newest frame can be asked for.
    show(peer, camera, picture(GREY, stamp=9), answered)
    response = describe(peer, Describe.Request(annotate=True))
    assert stamp_of(response.description) == 9
    assert response.annotated.format == "jpeg"
    response = describe(peer, Describe.Request(camera="rear"))
    assert (response.success, response.error_code) == (False, "unknown_camera")
    assert "cameras are image" in response.message


def test_a_remapped_image_is_remapped_compressed_as_well(peer, start):
    remap = ["-r", "image:=/camera/image_raw", "-r", "__ns:=/car"]
    node = start(arguments=remap, model="fake", image_transport="compressed")
    assert "images from /camera/image_raw/compressed" in node.log()


def test_compressed_input(peer, start):
    start(model="fake", image_transport="compressed")
    detections = peer.collect(Detection2DArray, "/detector_node/detections")
    camera = peer.camera("image/compressed", CompressedImage)
    msg = compressed(GREY, "jpg")
    msg.header.stamp.sec = 3
    show(peer, camera, msg, lambda: detections)
    assert stamp_of(detections[0]) == 3 * 10**9
    assert len(detections[0].detections) == 1


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"model": "nope"}, "there is no model 'nope'"),
        ({"model": "/nowhere/x.onnx"}, "/nowhere/x.onnx"),
        ({"backend": "abacus"}, "abacus"),
        ({"min_score": "2.0"}, "min_score"),
        ({"min_score": "high"}, "min_score"),
        ({"language": "tlh"}, "tlh"),
        ({"style": "baroque"}, "baroque"),
        ({"image_transport": "pigeon"}, "expected one of raw, compressed, got 'pigeon'"),
        ({"cameras": "['a b']"}, "'a b'"),
    ],
)
def test_a_start_that_cannot_work_ends_with_the_reason(start, parameters, message):
    node = start(ready=False, **parameters)
    assert node.wait() == 1
    assert message in node.log()
    assert "Traceback" not in node.log()


def test_a_corrupt_model_is_refused_with_what_was_expected(start, tmp_path):
    (tmp_path / "broken.onnx").write_bytes(b"not a model" * 100)
    node = start(ready=False, model=tmp_path / "broken.onnx")
    assert node.wait() == 1
    assert "broken.onnx" in node.log()
    assert "Traceback" not in node.log()


def test_help_teaches(start):
    node = start(arguments=["--help"], ready=False)
    assert node.wait() == 0
    assert "min_score" in node.log()
    assert "usage: detector_node" in node.log()
