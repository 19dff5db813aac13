"""Transitions, live parameters and the errors of a model that cannot be loaded."""

import cv2
import numpy as np
import pytest
from i2t_ros.srv import Describe
from lifecycle_msgs.msg import State, Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import GetParameters, SetParametersAtomically
from sensor_msgs.msg import CompressedImage

NODE = "/detector_node"
KINDS = {
    bool: (ParameterType.PARAMETER_BOOL, "bool_value"),
    int: (ParameterType.PARAMETER_INTEGER, "integer_value"),
    float: (ParameterType.PARAMETER_DOUBLE, "double_value"),
    str: (ParameterType.PARAMETER_STRING, "string_value"),
}


def change(peer, *transitions):
    """Ask for transitions; return whether the last succeeded."""
    for transition in transitions:
        request = ChangeState.Request(transition=Transition(id=transition))
        success = peer.call(ChangeState, f"{NODE}/change_state", request).success
    return success


def state(peer):
    return peer.call(GetState, f"{NODE}/get_state", GetState.Request()).current_state.id


def set_parameters(peer, **values):
    parameters = []
    for name, value in values.items():
        kind, field = KINDS[type(value)]
        parameters.append(Parameter(name=name, value=ParameterValue(type=kind, **{field: value})))
    request = SetParametersAtomically.Request(parameters=parameters)
    return peer.call(SetParametersAtomically, f"{NODE}/set_parameters_atomically", request).result


def get_string(peer, name):
    request = GetParameters.Request(names=[name])
    return peer.call(GetParameters, f"{NODE}/get_parameters", request).values[0].string_value


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


UP = (Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_ACTIVATE)
DOWN = (Transition.TRANSITION_DEACTIVATE, Transition.TRANSITION_CLEANUP)


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


def test_live_parameters_take_effect_at_once_and_together(peer, start):
    start(model="fake")
    assert describe(peer).description.sentence == "I can see a person."
    assert set_parameters(peer, language="es", style="list").successful
    sentence = "Se detectaron los siguientes objetos: 1 persona."
    assert describe(peer).description.sentence == sentence
    result = set_parameters(peer, language="fr", style="baroque")
    assert not result.successful
    assert "style: expected one of list" in result.reason
    assert get_string(peer, "language") == "es"
    assert describe(peer).description.sentence == sentence
    assert set_parameters(peer, min_score=0.95).successful
    assert describe(peer).description.objects == []


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"language": "tlh"}, "'tlh'"),
        ({"min_score": 1.5}, "min_score"),
        ({"max_detections": 0}, "max_detections"),
        ({"model": "yolox_nano"}, "model is read when the node is configured"),
        ({"autostart": False}, "read-only"),
        ({"min_score": "high"}, "expected 'Type.DOUBLE' got 'Type.STRING'"),
    ],
)
def test_a_change_that_makes_no_sense_is_refused_with_the_reason(peer, start, changes, reason):
    start(model="fake")
    assert describe(peer).success
    result = set_parameters(peer, **changes)
    assert not result.successful
    assert reason in result.reason
    assert describe(peer).success
