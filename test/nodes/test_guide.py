"""The names, requests and refusals of docs/guide.md, checked without ros2, and the layout.

test/test_docs.py checks the commands and parameter files of all pages.
"""

import re
import shlex

import pytest
import yaml
from i2t_ros.srv import Describe
from project import ROOT
from std_srvs.srv import SetBool

from i2t_ros.errors import InvalidRequestError
from i2t_ros.nodes.parameters.tables import NODES

PAGE = (ROOT / "docs" / "guide.md").read_text()
REFERENCE = (ROOT / "docs" / "nodes.md").read_text()
SPECS = {node: {spec.name: spec for spec in table} for node, table in NODES.items()}
BLOCKS = re.findall(r"(?:^    .*\n|^\n(?=    ))+", PAGE, re.MULTILINE)
SPANS = re.findall(r"`([^`]+)`", re.sub(r"^    .*$", "", PAGE, flags=re.MULTILINE))
LINES = [line.strip().removeprefix("$ ") for block in BLOCKS for line in block.splitlines()]
COMMANDS = [
    (line, LINES[index + 1] if index + 1 < len(LINES) else "")
    for index, line in enumerate([*LINES, *SPANS])
    if line.startswith("ros2 ") and " " in line[5:]
]
CAMERAS = ("front", "rear", "a", "b")


def commands(*words):
    """Return the arguments, and the line that follows, of the commands that begin with words."""
    found = [(shlex.split(line, comments=True), after) for line, after in COMMANDS]
    return [(c[1 + len(words) :], after) for c, after in found if c[1 : 1 + len(words)] == [*words]]


def of_the_package(topic):
    """Return a node of the package and what of its names follows in a topic, or None."""
    match = re.fullmatch(r"(?:/\w+)*?/(detector_node|source_node|bridge_node)/([\w/]+)", topic)
    if match is None:
        return None
    node, name = match.groups()
    first, _, rest = name.partition("/")
    return node, rest if first in CAMERAS else name


def test_topics_and_services_exist():
    names = set(re.findall(r"(?<![\w:.])/[\w/]*_node/[\w/]+", PAGE))
    assert len(names) > 8
    for name in names:
        node, topic = of_the_package(name)
        assert node == "detector_node"
        assert f"`~/{topic}`" in REFERENCE, name


@pytest.mark.parametrize(
    ("kind", "service"), [("i2t_ros/srv/Describe", Describe), ("std_srvs/srv/SetBool", SetBool)]
)
def test_requests_have_the_fields_of_the_service(kind, service):
    found = [rest for (_, name, *rest), _ in commands("service", "call") if name == kind]
    assert found
    for rest in found:
        if rest and rest[0].startswith("{"):
            assert set(yaml.safe_load(rest[0])) <= set(service.Request.get_fields_and_field_types())


def test_parameters_exist_and_are_taken_or_refused_as_it_is_written():
    found = commands("param", "set")
    assert len(found) > 5
    for (node, name, value), after in found:
        spec = SPECS[node.rpartition("/")[2]][name]
        reason = after.partition("Setting parameter failed: ")[2]
        if reason.startswith(f"{name}: "):
            with pytest.raises(InvalidRequestError, match=re.escape(reason)):
                spec.check(yaml.safe_load(value))
        else:
            spec.check(yaml.safe_load(value))
            # While it is configured; a model is set where it is not.
            assert spec.changes == "live" or reason or name == "model"
    for (node, name), _ in commands("param", "describe"):
        assert name in SPECS[node.lstrip("/")]


def test_transitions_exist():
    names = {command[1] for command, _ in commands("lifecycle", "set")}
    assert names == {"configure", "activate", "deactivate", "cleanup"}


def test_names_in_the_text_are_parameters_topics_or_counters():
    health = (ROOT / "i2t_ros" / "nodes" / "detector" / "reports.py").read_text()
    for name in ("unwanted (no subscriber)", "dropped (backend busy)", "failed (bad image)"):
        assert name in PAGE
        assert name in health
    for name in ("no images in the last second", "degraded", "choice"):
        assert name in health
    for name in ("max_rate", "reliability", "autostart"):
        assert f"`{name}`" in PAGE
        assert name in SPECS["detector_node"]


# What rviz for Jazzy knows, by its sources.
TOPIC = {"Value", "Depth", "History Policy", "Reliability Policy", "Durability Policy"}
DISPLAY = {"Class", "Name", "Enabled", "Value"}
DISPLAYS = {
    "rviz_default_plugins/Image": {"Normalize Range", "Topic"},
    "rviz_default_plugins/Marker": {"Topic"},
    "rviz_default_plugins/MarkerArray": {"Topic"},
    "rviz_default_plugins/Axes": {"Length", "Radius", "Reference Frame"},
}


def test_rviz_has_displays_that_it_knows_of_topics_that_there_are():
    manager = yaml.safe_load((ROOT / "config" / "i2t.rviz").read_text())["Visualization Manager"]
    topics = set()
    for display in manager["Displays"]:
        assert set(display) <= DISPLAY | DISPLAYS[display["Class"]]
        if "Topic" in display:
            topic = display["Topic"]
            assert set(topic) == TOPIC
            assert topic["Reliability Policy"] in ("Reliable", "Best Effort")
            assert topic["Durability Policy"] in ("Volatile", "Transient Local")
            assert topic["History Policy"] in ("Keep Last", "Keep All")
            topics.add(topic["Value"])
    names = ("annotated", "sentence_marker", "object_markers")
    assert topics == {f"/detector_node/{name}" for name in names}
    for topic in topics:
        assert f"`~/{topic.removeprefix('/detector_node/')}`" in REFERENCE
    default = SPECS["source_node"]["frame_id"].default
    assert manager["Global Options"]["Fixed Frame"] == default
