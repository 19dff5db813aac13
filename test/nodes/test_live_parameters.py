"""Parameters of a detector_node that runs: what is taken, what is refused, and when it holds."""

import cv2
import numpy as np
import pytest
from i2t_ros.srv import Describe
from lifecycle_talk import NODE, set_parameters
from rcl_interfaces.srv import GetParameters
from sensor_msgs.msg import CompressedImage

AT_FIRST = {"language": "en", "style": "sentence", "min_score": 0.0, "spoken": False}


def get_string(peer, name):
    request = GetParameters.Request(names=[name])
    return peer.call(GetParameters, f"{NODE}/get_parameters", request).values[0].string_value


def describe(peer, **options):
    image = CompressedImage(format="png")
    image.data.frombytes(cv2.imencode(".png", np.full((48, 64, 3), 128, np.uint8))[1].tobytes())
    return peer.call(Describe, f"{NODE}/describe", Describe.Request(image=image, **options))


@pytest.fixture(scope="module")
def detector(start_once):
    return start_once(model="fake", **AT_FIRST)


@pytest.fixture
def peer(shared_peer, detector):
    """Return a peer of a detector_node whose parameters are AT_FIRST for every test."""
    yield shared_peer
    assert set_parameters(shared_peer, **AT_FIRST).successful


def test_live_parameters_take_effect_at_once_and_together(peer):
    assert describe(peer).description.sentence == "I can see a person."
    assert set_parameters(peer, language="es", style="list").successful
    sentence = "Se detectó el siguiente objeto: 1 persona."
    assert describe(peer).description.sentence == sentence
    result = set_parameters(peer, language="fr", style="baroque")
    assert not result.successful
    assert "style: expected one of list" in result.reason
    assert get_string(peer, "language") == "es"
    assert describe(peer).description.sentence == sentence
    assert set_parameters(peer, min_score=0.95).successful
    assert describe(peer).description.objects == []


def test_words_for_a_voice_are_switched_while_it_runs_or_by_a_request(peer):
    pytest.importorskip("unicode_rbnf")
    assert set_parameters(peer, language="es", style="list").successful
    voice = "Se detectó el siguiente objeto: una persona."
    assert not describe(peer).description.spoken
    asked = describe(peer, spoken=True).description
    assert (asked.sentence, asked.spoken) == (voice, True)
    assert set_parameters(peer, spoken=True).successful
    told = describe(peer).description
    assert (told.sentence, told.spoken) == (voice, True)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"language": "tlh"}, "'tlh'"),
        ({"min_score": 1.5}, "min_score"),
        ({"max_detections": 0}, "max_detections"),
        ({"model": "yolox_nano"}, "model is read when the node is configured"),
        ({"autostart": False}, "read-only"),
        ({"allow_classes": ["persn"]}, "fake has no class 'persn'; did you mean 'person'?"),
        ({"deny_classes": ["person", "unicorn"]}, "fake has no class 'unicorn'"),
        ({"class_min_scores": ["unicorn=0.5"]}, "fake has no class 'unicorn'"),
        ({"min_score": "high"}, "min_score: expected a number, got 'high'"),
    ],
)
def test_a_change_that_makes_no_sense_is_refused_with_the_reason(peer, changes, reason):
    assert describe(peer).success
    result = set_parameters(peer, **changes)
    assert not result.successful
    assert reason in result.reason
    assert describe(peer).success


def test_present_values_are_taken_also_where_a_change_would_not_be(peer):
    # What `ros2 param load` does with a file that `ros2 param dump` wrote.
    assert set_parameters(peer, model="fake", backend="auto", tracking=False).successful
    assert not set_parameters(peer, model="fake", backend="opencv").successful
