"""tools/check_ros_api.py, on a tiny distribution and a tiny package that uses it."""

import subprocess
import sys

import check_ros_api
import pytest

DISTRIBUTION = {
    "rclpy/rclpy/__init__.py": "",
    "rclpy/rclpy/node.py": """
class Node:
    def __init__(self, name: str) -> None:
        self.handle = name
    def create_timer(self, period: float, *, clock: object = None) -> None: ...
""",
    "rclpy/rclpy/qos_event.py": "class Matched: ...",
    "rclpy/test/rclpy/__init__.py": "raise SystemExit('not the package')",
    "std_msgs/msg/Header.msg": "builtin_interfaces/Time stamp\nstring frame_id\n",
    "builtin_interfaces/msg/Time.msg": "int32 sec\nuint8 MOST=1\n",
    "std_srvs/srv/SetBool.srv": "bool data\n---\nbool success\n",
}
FITS = """
import numpy as np
from i2t_ros.action import Ask
from i2t_ros.msg import Description
from rclpy.node import Node
from std_msgs.msg import Header
from std_srvs.srv import SetBool
try:
    from rclpy.event_handler import Matched
except ImportError:
    from rclpy.qos_event import Matched
try:
    ready = True
finally:
    pass
class Ours(Node):
    def use(self, header: Header) -> None:
        self.create_timer(1.0, clock=None)
        header.stamp.sec = header.stamp.MOST + np.int32(1)
        Description(headers=[Header(frame_id=self.handle)]).headers[0].frame_id
        SetBool.Request(data=True), SetBool.Response().success
        Ask.Goal(question="Who?"), Ask.Result().success, Ask.Feedback().text
"""
MISSING = {
    "from rclpy.task import Future": 'named "rclpy.task"',
    "from rclpy.node import Knot": '"rclpy.node" has no attribute "Knot"',
    "import rclpy; rclpy.node.Knot": 'has no attribute "Knot"',
    "from std_msgs.msg import Float16": '"std_msgs.msg" has no attribute "Float16"',
    "import launch": 'named "launch"',
    "Node('x').destroy()": '"Node" has no attribute "destroy"',
    "Node('x').create_timer(1.0, autostart=False)": 'keyword argument "autostart"',
    "Node('x').create_timer(1.0, None, None)": "Too many positional arguments",
    "Ours('x').create_clock()": '"Ours" has no attribute "create_clock"',
    "Header().seq": '"Header" has no attribute "seq"',
    "Header(seq=1)": 'keyword argument "seq"',
    "Header().stamp.minutes": '"Time" has no attribute "minutes"',
    "Description().headers[0].seq": '"Header" has no attribute "seq"',
    "SetBool.Response().message": '"Response" has no attribute "message"',
    "Ask.Feedback().percent": '"Feedback" has no attribute "percent"',
}


def write(folder, files):
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def tree(tmp_path):
    return write(tmp_path / "tree", DISTRIBUTION)


@pytest.fixture
def package(tmp_path):
    """Return a function that writes a package whose node, launch file and demo hold these texts."""

    def make(node, launch="", demo=""):
        files = {
            "i2t_ros/__init__.py": "",
            "i2t_ros/nodes/__init__.py": "",
            "i2t_ros/nodes/node.py": node,
            "i2t_ros/launch/i2t.launch.py": launch,
            "tools/demo.py": demo,
            "msg/Description.msg": "std_msgs/Header[] headers\n",
            "action/Ask.action": "string question\n---\nbool success\n---\nstring text\n",
        }
        return write(tmp_path / "code", files)

    return make


def check(package, tree, tmp_path):
    missing = check_ros_api.check(package, tree, tmp_path / "work")
    return missing, check_ros_api.report(package, {"hydra": missing})


def test_what_fits_is_all_there(package, tree, tmp_path, capsys):
    assert check(package(FITS, FITS, FITS), tree, tmp_path)[1] == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["rclpy.node.Node", "yes"] in rows
    assert ["rclpy.event_handler.Matched", "-"] in rows
    assert rows[-1] == ["missing:", "0"]


def test_each_missing_name_and_argument_is_found_at_its_line(package, tree, tmp_path, capsys):
    first = FITS.count("\n") + 1
    missing, code = check(package(FITS + "\n".join(MISSING)), tree, tmp_path)
    found = {use.line: use.what for use in missing if use.line >= first}
    assert code == 1
    for line, (statement, what) in enumerate(MISSING.items(), first):
        assert what in found.pop(line, ""), statement
    assert found == {}
    said = capsys.readouterr().out
    assert f"hydra: MISSING: i2t_ros/nodes/node.py:{first}: " in said
    assert said.endswith(f"missing: {len(missing) - 1}\n")


def test_a_way_that_leads_nowhere_is_no_other_way(package, tree, tmp_path):
    node = FITS.replace("rclpy.qos_event", "rclpy.qos_events")
    missing, code = check(package(node, "import launch"), tree, tmp_path)
    assert code == 1
    assert {(use.file, use.line) for use in missing} == {
        ("i2t_ros/nodes/node.py", 9),
        ("i2t_ros/nodes/node.py", 11),
        ("i2t_ros/launch/i2t.launch.py", 1),
    }


def test_the_branches_of_a_distribution_are_cloned(package, tree, tmp_path, monkeypatch):
    monkeypatch.setattr(check_ros_api, "REPOSITORIES", {"rclpy": ["rclpy"]})
    repository = write(tmp_path / "mirrors" / "rclpy-release", {"rclpy/__init__.py": "here = 1"})
    name = ["-c", "user.name=test", "-c", "user.email=test@localhost"]
    for command in (
        ["init", "--quiet", "--initial-branch=release/hydra/rclpy"],
        ["add", "."],
        [*name, "commit", "--quiet", "--message=rclpy"],
    ):
        subprocess.run(["git", *command], cwd=repository, check=True)
    check_ros_api.clone("hydra", str(tmp_path / "mirrors"), tmp_path / "sources")
    assert (tmp_path / "sources/rclpy/rclpy/__init__.py").read_text() == "here = 1"
    with pytest.raises(SystemExit, match="no branch release/medusa/rclpy"):
        check_ros_api.clone("medusa", str(tmp_path / "mirrors"), tmp_path / "others")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "name a distribution or a --tree"),
        (["../humble"], "DISTRO: expected the name of a distribution, got '../humble'"),
        (["humble", ""], "DISTRO: expected the name of a distribution, got ''"),
        (["--tree", "nowhere"], "--tree: there is no folder nowhere"),
        (["--tree", __file__], "--tree: there is no folder"),
        (["--tree", ".", "--code", "nowhere"], "--code: nowhere is no checkout"),
    ],
)
def test_arguments_that_cannot_be_meant_are_refused(arguments, told, capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["check_ros_api.py", *arguments])
    with pytest.raises(SystemExit) as ended:
        check_ros_api.main()
    assert ended.value.code == 2
    assert told in capsys.readouterr().err
