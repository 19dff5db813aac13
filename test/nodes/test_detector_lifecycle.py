"""Transitions, and the errors of a model that cannot be loaded."""

import cv2
import numpy as np
import pytest
from i2t_ros.srv import Describe
from lifecycle_msgs.msg import State, Transition
from lifecycle_talk import DOWN, NODE, UP, change, set_parameters, state
from sensor_msgs.msg import CompressedImage
from std_msgs.msg import Header, String

from i2t_ros.nodes.messages.images import image_to_msg


def describe(peer):
    image = CompressedImage(format="png")
    image.data.frombytes(cv2.imencode(".png", np.full((48, 64, 3), 128, np.uint8))[1].tobytes())
    return peer.call(Describe, f"{NODE}/describe", Describe.Request(image=image))


@pytest.fixture
def weights_folder(tmp_path, monkeypatch):
    """Return the only folder in which nodes of this test find weights."""
    monkeypatch.setenv("I2T_MODEL_PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


def test_every_transition_twice(peer, start):
    node = start(model="fake", autostart="false", ready=False)
    for _ in range(2):
        assert state(peer) == State.PRIMARY_STATE_UNCONFIGURED
        response = describe(peer)
        assert (response.success, response.error_code) == (False, "not_active")
        assert change(peer, UP[0])
        assert state(peer) == State.PRIMARY_STATE_INACTIVE
        assert describe(peer).error_code == "not_active"
        assert change(peer, UP[1])
        assert state(peer) == State.PRIMARY_STATE_ACTIVE
        assert describe(peer).success
        assert change(peer, DOWN[0])
        assert describe(peer).error_code == "not_active"
        assert change(peer, DOWN[1])
    assert change(peer, Transition.TRANSITION_UNCONFIGURED_SHUTDOWN)
    assert node.stop() == 0


@pytest.mark.parametrize(
    ("model", "weights", "code"),
    [
        ("nope", None, "unknown_model"),
        ("yolox_nano", None, "model_missing"),
        ("yolox_nano", b"not a model" * 100, "model_corrupt"),
    ],
)
def test_a_model_that_cannot_be_loaded_is_the_answer(
    peer, start, weights_folder, model, weights, code
):
    if weights:
        (weights_folder / "yolox_nano.onnx").write_bytes(weights)
    start(autostart="false", model=model, offline="true", ready=False)
    assert not change(peer, UP[0])
    assert state(peer) == State.PRIMARY_STATE_UNCONFIGURED
    response = describe(peer)
    assert (response.success, response.error_code) == (False, code), response.message
    # What was wrong can be put right without a new process.
    assert set_parameters(peer, model="fake").successful
    assert change(peer, *UP)
    assert describe(peer).success


def test_classes_that_the_model_lacks_are_told_at_start_and_do_not_stop_other_changes(peer, start):
    node = start(model="fake", deny_classes="[unicorn]")
    assert "class_min_scores: fake has no class 'unicorn'" in node.log()
    assert set_parameters(peer, language="es").successful
    assert describe(peer).description.sentence == "Veo una persona."


def test_images_wait_for_a_listener_and_its_end_follows_the_source(peer, start):
    node = start(model="fake", await_listener=60.0, end_after_source=True)
    assert "active: images from nowhere until somebody listens, for 60 s at most" in node.log()
    camera = peer.camera(qos=10)
    peer.until(lambda: peer.node.count_publishers("/image"), "the publisher is known")
    assert camera.get_subscription_count() == 0  # nobody listens yet
    sentences = peer.collect(String, f"{NODE}/sentence")
    peer.until(camera.get_subscription_count, "a subscription")
    assert "active: images from /image" in node.log()
    camera.publish(image_to_msg(Header(), np.full((48, 64, 3), 128, np.uint8)))
    peer.until(lambda: sentences, "the sentence of the only image")
    peer.processes.remove(node)
    peer.node.destroy_publisher(camera)
    assert node.wait() == 0
    assert [each.data for each in sentences] == ["I can see a person."]


def test_images_are_taken_if_nobody_comes_to_listen(peer, start):
    node = start(model="fake", await_listener=0.3)
    peer.until(lambda: "active: images from /image" in node.log(), "images are taken")
    assert "await_listener: nobody listens to the sentences" in node.log()
