"""What `i2t run` refuses, and what it gives the nodes that it starts."""

import argparse
import itertools
from pathlib import Path

import pytest
import yaml

from i2t_ros.cli import run
from i2t_ros.errors import InvalidRequestError


def parsed(*words):
    parser = argparse.ArgumentParser()
    run.add_parser(parser.add_subparsers())
    return parser.parse_args(["run", *words])


def parameters(words):
    """Return the parameters in the files that a node gets, later ones over earlier ones."""
    found = {}
    for flag, path in itertools.pairwise(words):
        if flag == "--params-file":
            (section,) = yaml.safe_load(Path(path).read_text()).values()
            found |= section["ros__parameters"]
    return found


def test_pictures_that_are_over_at_once_cannot_be_said():
    args = parsed("--once", "--speech", "--source", "photo.jpg")

    with pytest.raises(InvalidRequestError, match="leave out --once"):
        run.run(args)


def test_the_detector_finds_words_for_a_voice_if_they_are_said(tmp_path, monkeypatch):
    assert "spoken" not in parameters(run.chosen_nodes(parsed())["detector_node"])
    nodes = run.chosen_nodes(parsed("--speech", "--language", "es"))
    assert parameters(nodes["detector_node"]) == {"spoken": True, "language": "es"}
    assert "spoken" not in parameters(nodes["speech_node"])

    own = tmp_path / "robot.yaml"
    own.write_text("/**: {ros__parameters: {spoken: false}}")
    nodes = run.chosen_nodes(parsed("--speech", "--params-file", str(own)))
    assert parameters(nodes["detector_node"])["spoken"] is False

    monkeypatch.setattr("i2t_ros.nodes.together.can_import", lambda name: False)
    assert "spoken" not in parameters(run.chosen_nodes(parsed("--speech"))["detector_node"])


def test_tools_for_agents_are_served_over_http():
    nodes = run.chosen_nodes(parsed("--mcp", "--port", "8081"))
    assert parameters(nodes["bridge_node"]) == {"http": True, "http_mcp": True, "http_port": 8081}
    assert "http_mcp" not in parameters(run.chosen_nodes(parsed("--http"))["bridge_node"])
    with pytest.raises(InvalidRequestError, match="--mcp needs bridge_node"):
        run.run(parsed("--mcp", "--no-bridge"))
