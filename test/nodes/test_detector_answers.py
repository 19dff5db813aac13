"""What a detector_node with its defaults answers: to pictures and frames, good and bad."""

import time
import zlib

import cv2
import numpy as np
import pytest
from detector_talk import GREY, compressed, describe, picture, show, stamp_of
from i2t_ros.srv import Describe
from sensor_msgs.msg import CompressedImage
from std_msgs.msg import String
from vision_msgs.msg import Detection2DArray

BLACK = np.zeros((480, 640, 3), np.uint8)


@pytest.fixture(scope="module")
def shared_node(start_once):
    return start_once(model="fake")


@pytest.fixture
def node(peer, shared_node):
    """Return a node in which earlier tests have left frames and a cache, and nothing else."""
    peer.processes.append(shared_node)
    return shared_node


def test_nothing_seen_is_published_too(peer, node):
    detections = peer.collect(Detection2DArray, "/detector_node/detections")
    sentences = peer.collect(String, "/detector_node/sentence")
    show(peer, peer.camera(), picture(BLACK, stamp=7), lambda: detections and sentences)
    assert detections[-1].detections == []
    assert stamp_of(detections[-1]) == 7
    assert sentences[-1].data


def test_describe_answers_a_picture(peer, node):
    image = GREY - 1  # no other test asks about it, so it is not in the cache
    request = Describe.Request(image=compressed(image, "png"), annotate=True)
    request.image.header.frame_id = "from the caller"
    response = describe(peer, request)
    assert response.success, response.message
    assert (response.error_code, response.message, response.cached) == ("", "", False)
    assert response.description.sentence == "I can see a person."
    assert response.description.header.frame_id == "from the caller"
    assert response.annotated.format == "png"
    drawn = cv2.imdecode(np.frombuffer(response.annotated.data, np.uint8), 1)
    assert drawn.shape == image.shape
    assert (drawn != image).any()


def test_describe_takes_the_callers_options(peer, node):
    request = Describe.Request(image=compressed(GREY), language="es", style="list", min_score=0.95)
    response = describe(peer, request)
    assert response.description.language == "es"
    assert response.description.objects == [], "0.9 is below 0.95"
    assert len(response.annotated.data) == 0


def test_describe_answers_while_frames_stream(peer, node):
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


def test_every_bad_request_has_its_own_code_and_the_node_lives_on(peer, node):
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


def test_bad_images_are_logged_once_a_second_and_the_node_lives_on(peer, node):
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
