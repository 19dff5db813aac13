"""Captions of a detector_node's cameras: beside the images, never before them."""

import hostile_vlm
import pytest
from ask_talk import PNG
from detector_talk import GREY, picture, show, stamp_of
from hostile_vlm import good, slow
from i2t_ros.msg import Description
from i2t_ros.srv import Describe
from lifecycle_talk import set_parameters
from vision_msgs.msg import Detection2DArray

WORDS = ["A", " gray", " wall."]
TEXT = "".join(WORDS)


@pytest.fixture
def vlm():
    with hostile_vlm.serving(good(WORDS)) as server:
        yield server


def seen(peer, descriptions, camera, what, condition):
    """Show frames until a description is as it should be; return it."""
    found = []

    def there():
        found[:] = [msg for msg in descriptions if condition(msg)]
        return found

    show(peer, camera, picture(GREY), there)
    assert found, what
    return found[0]


def failures(msg):
    return {failure.task: failure.code for failure in msg.failures}


def test_no_caption_delays_a_detection(peer, start, vlm, gate):
    vlm.play = slow(gate, WORDS)
    start(
        model="fake",
        tasks="[detect,caption]",
        caption_url=vlm.url,
        caption_timeout=120.0,
        reliability="reliable",
    )
    detections = peer.collect(Detection2DArray, "/detector_node/detections")
    descriptions = peer.collect(Description, "/detector_node/description")
    camera = peer.camera(qos=10)
    show(peer, camera, picture(GREY), lambda: detections and descriptions)
    vlm.next_asked()  # the caption is being written from here on, until the gate opens
    for stamp in range(100, 200):
        camera.publish(picture(GREY, stamp=stamp))
        peer.until(lambda stamp=stamp: stamp_of(detections[-1]) == stamp, "its detections", 1.0)
    peer.until(lambda: stamp_of(descriptions[-1]) == 199, "the last description")
    stamps = [stamp_of(msg) for msg in descriptions if stamp_of(msg) >= 100]
    assert stamps == list(range(100, 200)), "each image has its description, too"
    assert not any(msg.caption for msg in descriptions)
    assert not any(msg.failures for msg in descriptions)
    assert len(vlm.asked) == 1, "one caption at a time"
    gate.set()
    assert seen(peer, descriptions, camera, "the caption", lambda msg: msg.caption).caption == TEXT


def test_a_caption_stays_and_tells_its_age_until_something_changes(peer, start, vlm):
    start(model="fake", tasks="[detect,caption]", caption_url=vlm.url, caption_period=0.0)
    descriptions = peer.collect(Description, "/detector_node/description")
    camera = peer.camera()

    def age(msg):
        return msg.caption_age.sec + msg.caption_age.nanosec / 1e9

    first = seen(peer, descriptions, camera, "a caption", lambda msg: msg.caption)
    assert (first.caption, list(first.tasks)) == (TEXT, ["detect", "caption"])
    assert first.sentence.startswith("I can see a person.")
    older = seen(peer, descriptions, camera, "an old one", lambda msg: age(msg) > 2.5)
    assert older.caption == TEXT
    assert "tiny at 127.0.0.1" in older.model
    # One for the first image, one when the person has been there for change_hold.
    assert len(vlm.asked) <= 2, "nothing else has come or gone, whatever the period"


def test_a_caption_is_the_sentence_and_without_one_the_other_is(peer, start, vlm):
    start(model="fake", style="caption", caption_url=vlm.url, caption_period=0.0)
    descriptions = peer.collect(Description, "/detector_node/description")
    camera = peer.camera()
    captioned = seen(peer, descriptions, camera, "a caption", lambda msg: msg.caption)
    assert (captioned.sentence, captioned.style) == (TEXT, "caption")
    request = Describe.Request(camera="image")
    assert peer.call(Describe, "/detector_node/describe", request).description.sentence == TEXT
    vlm.play = hostile_vlm.status(500)
    answer = peer.call(Describe, "/detector_node/describe", request)
    assert (answer.success, answer.description.sentence) == (True, "I can see a person.")
    assert failures(answer.description) == {"caption": "vlm_server_error"}


def test_a_server_that_is_not_there_is_a_failure_and_no_more(peer, start):
    with hostile_vlm.serving(good(WORDS)) as gone:
        url = gone.url
    start(model="fake", style="caption", caption_url=url, caption_model="tiny")
    descriptions = peer.collect(Description, "/detector_node/description")
    camera = peer.camera()
    msg = seen(peer, descriptions, camera, "the failure", lambda msg: msg.failures)
    assert failures(msg) == {"caption": "vlm_unreachable"}
    assert (msg.caption, msg.sentence) == ("", "I can see a person.")
    assert len(msg.detections.detections) == 1


def test_what_is_asked_for_a_caption_changes_while_it_runs(peer, start, vlm):
    start(model="fake", tasks="[detect,caption]", caption_url=vlm.url)
    set_parameters(peer, caption_prompt="Name the color.")
    request = Describe.Request()
    request.image.data.frombytes(PNG)
    answer = peer.call(Describe, "/detector_node/describe", request)
    assert answer.description.caption == TEXT
    assert answer.description.caption_age.sec == 0
    assert "Name the color." in vlm.next_asked().text
