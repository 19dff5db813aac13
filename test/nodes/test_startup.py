"""What ROS refuses at the start is said on one line; where it could not start, it does."""

import re
import subprocess
import sys

import pytest
from lifecycle_talk import in_this_process
from rclpy.context import Context
from rclpy.parameter import Parameter

from i2t_ros.bridges.http.settings import TOKEN_VARIABLE
from i2t_ros.errors import InvalidRequestError, ModelCacheError
from i2t_ros.models import download
from i2t_ros.nodes.bridge.node import BridgeNode
from i2t_ros.nodes.lifecycle import runner
from i2t_ros.nodes.lifecycle.startup import start_ros
from i2t_ros.nodes.parameters.bridge import BRIDGE, http_settings, read_values
from i2t_ros.resources import expanded

FILES = {
    "broken.yaml": (b"detector_node: [\n  ros__parameters: {a: ", "it is not YAML"),
    "tabs.yaml": (b"/**:\n\tros__parameters:\n", "it is not YAML"),
    "latin1.yaml": ("/**:\n  ros__parameters:\n    a: 'ñ'\n".encode("latin-1"), "not UTF-8"),
    "flat.yaml": (b"detector_node:\n  model: fake\n", "expected NODE: {ros__parameters"),
    "list.yaml": (b"- a\n- b\n", "expected NODE: {ros__parameters"),
    "mixed.yaml": (b"/**:\n  ros__parameters:\n    a: [dog, 1]\n", "of one type: [dog, '1']"),
    "null.yaml": (b"/**:\n  ros__parameters:\n    a:\n", "No value at line 3; expected NODE"),
}


def refused(*arguments):
    with pytest.raises(InvalidRequestError) as error:
        start_ros(["node", "--ros-args", *arguments], Context())
    assert not re.search(r"\n|/project/|lexeme", str(error.value))
    return str(error.value)


@pytest.mark.parametrize("name", FILES)
def test_a_parameter_file_that_is_wrong(tmp_path, name):
    content, reason = FILES[name]
    (tmp_path / name).write_bytes(content)
    said = refused("--params-file", str(tmp_path / name))
    assert said.startswith(f"parameter file {tmp_path / name}: ")
    assert reason in said


def test_a_parameter_file_that_is_none(tmp_path):
    assert refused("--params-file", "/nope.yaml").endswith("/nope.yaml: No such file or directory")
    assert refused("--params-file", str(tmp_path)).endswith("Is a directory")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["-r", "image:=/a//b"], "-r image:=/a//b'; expected FROM:=TO"),
        (["-r", "image:=a b"], "expected FROM:=TO"),
        (["-r", "image:=/1a"], "expected FROM:=TO"),
        (["-r", "image:="], "expected FROM:=TO"),
        (["-r", "__node:=1x"], "__node:=NAME without a slash"),
        (["-r", "__ns:=robot"], "__ns:=/NAMESPACE with one"),
        (["-p", "min_score=1"], "expected -p NAME:=VALUE"),
        (["-p", "allow_classes:=[dog, 1]"], "the values of a list have one type"),
        (["--log-level", "loud"], "expected debug, info"),
        (["--params-file"], "expected --params-file FILE"),
    ],
)
def test_arguments_that_are_wrong(arguments, reason):
    assert reason in refused(*arguments)


@pytest.mark.parametrize(
    ("words", "code"), [("--help >&-", 0), ("--wrong 2>&-", 2), ("--wrong <&- >&- 2>&-", 2)]
)
def test_standard_streams_that_are_closed(words, code):
    program = "from i2t_ros.nodes.start import source_node; exit(source_node())"
    command = ["sh", "-c", f'exec "$0" -c "$1" {words}', sys.executable, program]
    done = subprocess.run(command, cwd="/", capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (code, "", "")


def test_a_wrong_command_line_ends_the_process_with_2(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["bridge_node", "--ros-args", "-r", "image:=/a//b"])
    monkeypatch.setattr(
        runner, "start_ros", lambda arguments: start_ros(arguments, context=Context())
    )
    assert runner.run_lifecycle_node(BridgeNode) == 2
    assert capsys.readouterr().err.startswith("bridge_node: Couldn't parse remap rule")


@pytest.mark.parametrize(
    "environment",
    [
        {"HOME": None, "ROS_LOG_DIR": None, "ROS_HOME": None},
        {"HOME": "a file", "ROS_LOG_DIR": None, "ROS_HOME": None},
        {"ROS_LOG_DIR": "a file"},
        {"ROS_LOG_DIR": None, "ROS_HOME": "a file"},
    ],
)
def test_without_a_place_for_the_log_it_starts_all_the_same(
    monkeypatch, tmp_path, capsys, environment
):
    (tmp_path / "file").touch()
    for name, value in environment.items():
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, str(tmp_path / "file"))
    context = Context()
    assert start_ros(["node", "more", "--ros-args", "-p", "a:=1"], context) == ["more"]
    context.shutdown()
    said = capsys.readouterr().err
    assert said.startswith("no log file is written: ")
    assert said.count("\n") == 1


def test_letters_beyond_ascii_on_an_ascii_command_line():
    argument = "model:=fäke".encode().decode("ascii", "surrogateescape")  # as Python reads it
    context = Context()
    assert start_ros(["node", argument, "--ros-args", "-p", argument], context) == ["model:=fäke"]
    context.shutdown()


def test_a_home_that_nobody_knows(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert expanded("~/a") == tmp_path / "a"
    assert str(expanded("~nobody_of_this_name/a")) == "~nobody_of_this_name/a"
    monkeypatch.setattr("os.path.expanduser", lambda path: path)
    with pytest.raises(ModelCacheError, match="HOME is not set"):
        download.download(None, expanded("~/.cache/model"), progress=False, patience=1)
    values = {option.name: option.default for option in BRIDGE} | {"http_history": True}
    with pytest.raises(InvalidRequestError, match=r"http_history_database: .* HOME is not set"):
        http_settings(values, {})


@pytest.mark.parametrize("end", ["", "\n", "\r\n", " "])
def test_a_token_may_come_from_a_file_with_a_line_end(end):
    values = {option.name: option.default for option in BRIDGE}
    token = "correct-horse-battery-staple"  # noqa: S105
    assert http_settings(values, {TOKEN_VARIABLE: token + end}).token == token


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"tcp_language": "tlh"}, "tcp_language: language 'tlh'"),
        ({"cameras": ["front=/a//b"]}, "cameras: not a topic's name: '/a//b'"),
        ({"cameras": ["a", "a"]}, "cameras: each name may be given once"),
        ({"describe_service": "a b"}, "describe_service: not a topic's name: 'a b'"),
        ({"tcp_idle_time": 0.0}, "tcp_idle_time: expected 0.01"),
        ({"http_cors_origins": ["example"]}, "http_cors_origins: expected SCHEME"),
        ({"http_certificate": "/a.pem"}, "http_certificate, http_key: HTTPS needs both"),
        ({"http_fetch": True, "http_fetch_allowed": ["here"]}, "http_fetch_allowed: 'here'"),
    ],
)
def test_a_bridge_names_the_parameter_that_is_wrong(values, said):
    with pytest.raises(InvalidRequestError, match=re.escape(said)):
        read_values({option.name: option.default for option in BRIDGE} | values, {})


def test_a_bridge_refuses_a_change_that_is_wrong_and_a_certificate_that_is_none(ros, tmp_path):
    paths = {f"http_{name}": str(tmp_path) for name in ("certificate", "key")}
    with in_this_process(BridgeNode, http=True, **paths) as node:
        (result,) = node.set_parameters([Parameter("tcp_language", value="tlh")])
        assert "tcp_language: language 'tlh'" in result.reason
        assert node.values["tcp_language"] == "es"
        assert node.trigger_configure() != runner.TransitionCallbackReturn.SUCCESS
