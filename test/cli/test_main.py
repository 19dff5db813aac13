"""What all commands share: the version, --verbose, completion, a quick start."""

import os
import subprocess
import sys
from argparse import ArgumentParser
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from project import I2T

from i2t_ros.cli import run
from i2t_ros.cli.main import COMMANDS, _parser, main
from i2t_ros.errors import I2tError


def test_the_version_is_that_of_the_package(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    root = Path(__file__).parents[2] / "package.xml"
    version = root.read_text().split("<version>")[1].split("</version>")[0]
    assert capsys.readouterr().out == f"i2t_ros {version}\n"


@pytest.mark.parametrize(
    "words",
    [
        ["say", "dog=1"],
        ["describe", "photo.jpg"],
        ["ask", "photo.jpg", "Why?"],
        ["models", "list"],
        ["models", "fetch", "yunet"],
        ["run", "--no-source"],
        ["client", "photo.jpg"],
    ],
)
def test_verbose_may_stand_anywhere(words):
    assert not _parser(words).parse_args(words).verbose
    for place in range(len(words) + 1):
        placed = [*words[:place], "--verbose", *words[place:]]
        assert _parser(placed).parse_args(placed).verbose, placed


def test_help_imports_nothing_that_is_slow():
    code = """
import sys
from i2t_ros.cli.main import main
try:
    main(["--help"])
except SystemExit:
    print({"cv2", "numpy", "yaml", "PIL", "i2t_ros.pipeline"} & set(sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd="/", capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "set()", done.stderr


def complete(line, tmp_path):
    """Return what a shell would offer for the end of a line."""
    offered = tmp_path / "offered"
    environment = {
        **os.environ,
        "_ARGCOMPLETE": "1",
        "_ARGCOMPLETE_IFS": "\n",
        "_ARGCOMPLETE_STDOUT_FILENAME": str(offered),
        "COMP_LINE": line,
        "COMP_POINT": str(len(line)),
    }
    subprocess.run([I2T], env=environment, check=True, timeout=60)
    return {word.strip() for word in offered.read_text().split("\n")}


def test_a_shell_completes_commands_and_flags(tmp_path):
    pytest.importorskip("argcomplete")
    assert complete("i2t ", tmp_path) >= set(COMMANDS)
    assert complete("i2t des", tmp_path) == {"describe"}
    assert "--language" in complete("i2t describe --lang", tmp_path)
    assert complete("i2t describe photo.jpg --style s", tmp_path) == {"sentence", "scene"}
    assert "fetch" in complete("i2t models f", tmp_path)
    assert {"--caption-url", "--camera"} <= complete("i2t ask photo.jpg Why? --ca", tmp_path)
    assert "--caption-url" in complete("i2t models doctor --ca", tmp_path)


def chosen(*words):
    """Return the parameters that `i2t run` gives each node."""
    parser = ArgumentParser()
    run.add_parser(parser.add_subparsers())
    given = {}
    for name, arguments in run.chosen_nodes(parser.parse_args(["run", *words])).items():
        given[name] = {}
        for flag, file in pairwise(arguments):
            if flag == "--params-file":
                (section,) = yaml.safe_load(Path(file).read_text()).values()
                given[name] |= section["ros__parameters"]
    return given


def test_run_hands_tasks_host_and_port_to_the_nodes_that_they_concern():
    tcp = chosen("--host", "192.0.2.1", "--port", "0", "--tasks", "detect, faces")
    assert tcp["detector_node"] == {"tasks": ["detect", "faces"]}
    assert tcp["bridge_node"] == {"tcp_host": "192.0.2.1", "tcp_port": 0}
    http = chosen("--http", "--host", "::1", "--port", "9000")
    assert http["bridge_node"] == {"http": True, "http_host": "::1", "http_port": 9000}
    assert chosen()["bridge_node"] == {}


def test_run_speaks_the_detectors_language_if_asked():
    assert "speech_node" not in chosen("--language", "de")
    assert chosen("--speech", "--language", "de")["speech_node"] == {"language": "de"}
    assert chosen("--speech")["speech_node"] == {}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--port", "70000"], "--port: expected 0 to 65535, got 70000"),
        (["--port", "0", "--no-bridge"], "--port needs bridge_node"),
        (["--host", "::1", "--no-bridge"], "--host needs bridge_node"),
        (["--tasks", "detect,smell"], "unknown task 'smell'"),
    ],
)
def test_run_refuses_what_has_no_effect(words, message):
    pytest.importorskip("rclpy")
    args = _parser(["run"]).parse_args(["run", *words])
    with pytest.raises(I2tError, match=message):
        run.run(args)
