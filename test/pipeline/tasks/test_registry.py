"""Tasks of other packages: named by their entry points, left out if they are broken."""

import sys

import pytest

from i2t_ros.errors import UnknownTaskError
from i2t_ros.pipeline.tasks import registry

OWN = ["detect", "segment", "pose", "faces", "text", "classify", "caption"]
MODULE = """
from i2t_ros.pipeline.tasks.classify import ClassifyTask

class Smell(ClassifyTask):
    name = "smell"

class NoTask:
    name = "no_task"
"""


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Return a function that installs a package with these lines of entry points."""

    def install(*lines):
        (tmp_path / "smelling.py").write_text(MODULE)
        folder = tmp_path / "smelling-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: smelling\nVersion: 1.0\n")
        (folder / "entry_points.txt").write_text("\n".join(["[i2t_ros.tasks]", *lines]))
        monkeypatch.syspath_prepend(tmp_path)

    yield install
    sys.modules.pop("smelling", None)


def test_a_task_of_another_package_is_one_of_the_tasks(install, caplog):
    install("smell = smelling:Smell")
    tasks = registry._all_tasks()
    assert list(tasks) == [*OWN, "smell"]
    assert type(tasks["smell"]).__name__ == "Smell"
    assert caplog.records == []


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("smell = smelling:Missing", "Missing"),
        ("smell = nowhere:Smell", "nowhere"),
        ("no_task = smelling:NoTask", "expected a Task named no_task"),
        ("taste = smelling:Smell", "expected a Task named taste"),
        ("faces = smelling:Smell", "the name is taken"),
    ],
)
def test_a_broken_one_costs_a_warning_and_nothing_else(install, caplog, line, reason):
    install(line)
    assert list(registry._all_tasks()) == OWN
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert reason in record.getMessage()


def test_names_are_checked_and_told_once():
    assert registry.check_tasks(["text", "detect", "text"]) == ("text", "detect")
    with pytest.raises(
        UnknownTaskError, match="unknown task 'smell'; tasks are detect, segment, pose, faces"
    ):
        registry.check_tasks(["detect", "smell"])
