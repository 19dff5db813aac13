"""Parameters whose values YAML reads as another type than a person meant."""

import contextlib

import pytest
from lifecycle_talk import KINDS, in_this_process
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import DescribeParameters, GetParameters, SetParameters

from i2t_ros.errors import InvalidRequestError, UnknownLanguageError
from i2t_ros.nodes.bridge.node import BridgeNode
from i2t_ros.nodes.detector.node import DetectorNode
from i2t_ros.nodes.parameters.tables import NODES
from i2t_ros.nodes.source.node import SourceNode

KINDS_OF_LISTS = {
    bool: (ParameterType.PARAMETER_BOOL_ARRAY, "bool_array_value"),
    int: (ParameterType.PARAMETER_INTEGER_ARRAY, "integer_array_value"),
}


@contextlib.contextmanager
def made(kind, *arguments):
    node = kind(cli_args=["--ros-args", *arguments])
    try:
        yield node
    finally:
        node.destroy_node()


def in_file(tmp_path, text):
    path = tmp_path / "given.yaml"
    path.write_text(f"/**:\n  ros__parameters:\n    {text}\n")
    return "--params-file", str(path)


GIVEN = [
    (SourceNode, "source", "0", "0"),
    (SourceNode, "rate", "1", 1.0),
    (SourceNode, "loop", "0", False),
    (SourceNode, "width", "640.0", 640),
    (SourceNode, "width", "'640'", 640),
    (SourceNode, "frame_id", "7", "7"),
    (DetectorNode, "device", "0", "0"),
    (DetectorNode, "model", "1", "1"),
    (DetectorNode, "model", "null", "null"),
    (DetectorNode, "model", "'on'", "on"),
    (DetectorNode, "tasks", "detect", ["detect"]),
    (DetectorNode, "tasks", "detect,faces", ["detect", "faces"]),
    (DetectorNode, "cameras", "[]", [""]),
    (DetectorNode, "allow_classes", "[1, 2]", ["1", "2"]),
    (DetectorNode, "max_rate", "15", 15.0),
    (DetectorNode, "offline", "'on'", True),
    (DetectorNode, "class_min_scores", "person=0.6", ["person=0.6"]),
    (BridgeNode, "tcp_port", "5001.0", 5001),
    (BridgeNode, "http", "1", True),
    (BridgeNode, "http_allowed_hosts", "robot", ["robot"]),
]


@pytest.mark.parametrize(("kind", "name", "text", "expected"), GIVEN)
def test_what_is_meant_is_taken_from_a_command_line_and_from_a_file(
    ros, tmp_path, kind, name, text, expected
):
    for given in (("-p", f"{name}:={text}"), in_file(tmp_path, f"{name}: {text}")):
        with made(kind, *given) as node:
            got = node.get_parameter(name).value
            assert (got, type(got)) == (expected, type(expected))
            default = {option.name: option.default for option in kind.table}[name]
            assert node.describe_parameter(name).type == KINDS[type(default)][0]


@pytest.mark.parametrize(
    ("kind", "name", "text", "message"),
    [
        (SourceNode, "source", "no", "-p \"source:='no'\""),
        (SourceNode, "rate", "fast", "rate: expected a number, got 'fast'"),
        (SourceNode, "width", "64.5", "width: expected a whole number, got 64.5"),
        (SourceNode, "width", "-3.0", "width: expected 0 to "),
        (SourceNode, "reliability", "no", "-p \"reliability:='no'\""),
        (DetectorNode, "model", "on", "-p \"model:='yes'\""),
        (DetectorNode, "model", "[]", "model: expected a text, got "),
        (DetectorNode, "tracking", "maybe", "tracking: expected true or false, got 'maybe'"),
        (BridgeNode, "tcp_port", "70000.0", "tcp_port: expected 0 to 65535, got 70000"),
    ],
)
def test_what_may_mean_anything_is_refused_with_the_name(ros, kind, name, text, message):
    with pytest.raises(InvalidRequestError, match=message):
        made(kind, "-p", f"{name}:={text}").__enter__()


def test_every_text_may_look_like_a_number():
    every = [option for table in NODES.values() for option in table]
    texts = [option for option in every if isinstance(option.default, str)]
    assert len(texts) > 20
    for option in texts:
        assert [option.meant(value) for value in (0, 12345, 1.5)] == ["0", "12345", "1.5"]


def test_no_is_a_language_that_is_looked_for(ros, tmp_path):
    for given in (("-p", "language:=no"), in_file(tmp_path, "language: no")):
        with pytest.raises(UnknownLanguageError, match="'no'"):
            made(DetectorNode, *given).__enter__()


def value_msg(value):
    if isinstance(value, list):
        kind, field = KINDS_OF_LISTS[type(value[0])] if value else KINDS_OF_LISTS[bool]
    else:
        kind, field = KINDS[type(value)]
    return ParameterValue(type=kind, **{field: value})


def test_what_is_meant_is_taken_while_the_node_runs(peer):
    with in_this_process(model="fake"):

        def call(kind, name, **fields):
            return peer.call(kind, f"/detector_node/{name}", kind.Request(**fields))

        def change(name, value):
            changes = [Parameter(name=name, value=value_msg(value))]
            return call(SetParameters, "set_parameters", parameters=changes).results[0]

        def get(name):
            return call(GetParameters, "get_parameters", names=[name]).values[0]

        assert change("max_rate", 15).successful
        assert get("max_rate") == value_msg(15.0)
        assert change("tasks", "detect").successful
        assert get("tasks").string_array_value == ["detect"]
        assert change("allow_classes", "dog, cat").successful
        assert get("allow_classes").string_array_value == ["dog", "cat"]
        assert change("allow_classes", []).successful
        assert get("allow_classes").string_array_value == [""]
        assert change("device", 0).successful
        assert get("device").string_value == "0"
        refused = change("language", False)
        assert (refused.successful, "'no'" in refused.reason) == (False, True)
        assert "expected a text, got true" in change("style", True).reason
        assert "expected a text, got true" in change("deny_classes", [True]).reason
        assert change("", 1).reason == "detector_node has no parameter ''"
        assert change("langauge", "es").reason == "detector_node has no parameter 'langauge'"
        described = call(DescribeParameters, "describe_parameters", names=["max_rate"])
        assert described.descriptors[0].type == ParameterType.PARAMETER_DOUBLE
        assert described.descriptors[0].floating_point_range[0].to_value == 1000.0
