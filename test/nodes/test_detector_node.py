"""detector_node as its users meet it: a process, topics, a service."""

import threading
import time
import zlib

import cv2
import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from i2t_ros.msg import Description
from i2t_ros.srv import Describe
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header, String
from vision_msgs.msg import Detection2DArray

from i2t_ros.nodes.messages.images import image_to_msg

DESCRIBE = "/detector_node/describe"
BLACK = np.zeros((480, 640, 3), np.uint8)
GREY = np.full((480, 640, 3), 128, np.uint8)  # in anything but black the fake model sees a person


def picture(image, stamp=1, frame_id="camera"):
    msg = image_to_msg(Header(frame_id=frame_id), image)
    msg.header.stamp.sec, msg.header.stamp.nanosec = divmod(stamp, 10**9)
    return msg


def stamp_of(msg):
    return msg.header.stamp.sec * 10**9 + msg.header.stamp.nanosec


def compressed(image, fmt="png"):
    msg = CompressedImage(format=fmt)
    msg.data.frombytes(cv2.imencode(f".{fmt}", image)[1].tobytes())
    return msg


def show(peer, camera, msg, answered):
    """Publish as a camera does, again and again, until there is an answer."""
    end = time.monotonic() + 60
    while not answered():
        camera.publish(msg)
        with peer.changed:
            peer.changed.wait(0.2)
        assert time.monotonic() < end, "no answer"


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

    sentence = "Se detectaron los siguientes objetos: 1 persona."
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


def test_nothing_seen_is_published_too(peer, start):
    start(model="fake")
    detections = peer.collect(Detection2DArray, "/detector_node/detections")
    sentences = peer.collect(String, "/detector_node/sentence")
    show(peer, peer.camera(), picture(BLACK, stamp=7), lambda: detections and sentences)
    assert detections[0].detections == []
    assert stamp_of(detections[0]) == 7
    assert sentences[0].data


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


def describe(peer, request, limit=30.0):
    return peer.call(Describe, DESCRIBE, request, limit)


def test_describe_answers_a_picture(peer, start):
    start(model="fake")
    request = Describe.Request(image=compressed(GREY, "png"), annotate=True)
    request.image.header.frame_id = "from the caller"
    response = describe(peer, request)
    assert response.success, response.message
    assert (response.error_code, response.message, response.cached) == ("", "", False)
    assert response.description.sentence == "I can see a person."
    assert response.description.header.frame_id == "from the caller"
    assert response.annotated.format == "png"
    drawn = cv2.imdecode(np.frombuffer(response.annotated.data, np.uint8), 1)
    assert drawn.shape == GREY.shape
    assert (drawn != GREY).any()


def test_describe_takes_the_callers_options(peer, start):
    start(model="fake")
    request = Describe.Request(image=compressed(GREY), language="es", style="list", min_score=0.95)
    response = describe(peer, request)
    assert response.description.language == "es"
    assert response.description.objects == [], "0.9 is below 0.95"
    assert len(response.annotated.data) == 0


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


def test_describe_answers_while_frames_stream(peer, start):
    start(model="fake")
    detections = peer.collect(Detection2DArray, "/detector_node/detections")
    camera = peer.camera()
    show(peer, camera, picture(GREY), lambda: detections)
    timer = peer.node.create_timer(1 / 30, lambda: camera.publish(picture(GREY)))
    before = len(detections)
    futures = [
        peer.call_async(
            Describe, "/detector_node/describe", Describe.Request(image=compressed(GREY))
        )
        for _ in range(10)
    ]
    assert all(peer.result(future).success for future in futures)
    peer.until(lambda: len(detections) > before + 5, "frames go on")
    peer.node.destroy_timer(timer)


def png_bomb():
    # A real 20000x20000 picture would be 1.2 GB of pixels; its header is what counts.
    data = bytearray(cv2.imencode(".png", GREY)[1].tobytes())
    data[16:24] = (20_000).to_bytes(4, "big") * 2
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
    return bytes(data)


JPEG = cv2.imencode(".jpg", GREY)[1].tobytes()
BAD_PICTURES = {
    "not_an_image": b"<html>hello</html>",
    "truncated_image": JPEG[: len(JPEG) // 2],
    "image_too_large": png_bomb(),
    "unsupported_format": b"GIF89a" + bytes(50),
}


def test_every_bad_request_has_its_own_code_and_the_node_lives_on(peer, start):
    start(model="fake")
    for code, data in BAD_PICTURES.items():
        request = Describe.Request(image=CompressedImage(format="jpeg"))
        request.image.data.frombytes(data)
        response = describe(peer, request)
        assert (response.success, response.error_code) == (False, code), response.message
        assert response.message
        assert response.description.sentence == ""
    for field, value, code in (
        ("language", "tlh", "unknown_language"),
        ("style", "baroque", "unknown_style"),
        ("tasks", ["dance"], "unknown_task"),
        ("min_score", 1.5, "invalid_request"),
    ):
        request = Describe.Request(image=compressed(GREY))
        setattr(request, field, value)
        response = describe(peer, request)
        assert (response.success, response.error_code) == (False, code), response.message
    assert describe(peer, Describe.Request(image=compressed(GREY))).success


def broken(**changes):
    msg = picture(GREY)
    for name, value in changes.items():
        setattr(msg, name, value)
    return msg


def test_bad_images_are_logged_once_a_second_and_the_node_lives_on(peer, start):
    node = start(model="fake")
    detections = peer.collect(Detection2DArray, "/detector_node/detections")
    camera = peer.camera(qos=50)
    show(peer, camera, picture(GREY, stamp=1), lambda: detections)
    bad = {
        "32FC3": broken(encoding="32FC3"),
        "expected at least 1920 bytes": broken(step=10),
        "0x480": broken(width=0),
        "640x0": broken(height=0),
        "expected 7680000 bytes": broken(height=4000),
        "10000000000 pixels": broken(width=100_000, height=100_000, step=300_000),
    }
    begun = time.monotonic()
    for reason, msg in bad.items():
        show(peer, camera, msg, lambda reason=reason: reason in node.log())
    show(peer, camera, picture(GREY, stamp=2), lambda: stamp_of(detections[-1]) == 2)
    warnings = node.log().count("image left out")
    assert 1 <= warnings <= 2 + time.monotonic() - begun


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
