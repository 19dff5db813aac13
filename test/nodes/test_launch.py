"""The launch files, read by the real launch, and run with the real ros2, where they are there.

What they start is in test_launch_plan.py, which needs neither.
"""

import importlib.util
import logging
import os
import re
import shutil
import signal
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from project import ROOT
from rcl_interfaces.srv import GetParameters
from running_command import RunningCommand
from std_msgs.msg import String
from waiting import has_ended, until

from i2t_ros.nodes.launch_plan import declared as launch_arguments
from i2t_ros.nodes.processes import PROFILES, profile_variable
from i2t_ros.resources import config_path

if importlib.util.find_spec("launch_ros") is None:
    pytest.skip(
        "launch and launch_ros are not installed: they come with ROS 2, not from PyPI",
        allow_module_level=True,
    )

from launch import LaunchContext
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch_ros.actions import Node

FOLDER = config_path().parent / "launch"
NEEDED = {
    "i2t.launch.py": {},
    "video.launch.py": {"source": "film.mp4"},
    "multi_camera.launch.py": {"cameras": "[front,rear]"},
    "jetson.launch.py": {},
}


@pytest.fixture(autouse=True)
def _environment(monkeypatch):
    monkeypatch.setattr(os, "environ", os.environ.copy())  # launch files set variables


def read(name, **arguments):
    """Return what a launch file declares, and the nodes that it would start."""
    context = LaunchContext()
    source = PythonLaunchDescriptionSource(str(FOLDER / name))
    given = {**NEEDED[name], **arguments}.items()
    declared, nodes = {}, []

    def walk(entity):
        if isinstance(entity, DeclareLaunchArgument):
            declared[entity.name] = entity
        if isinstance(entity, Node):
            nodes.append(entity)
            return
        for child in entity.visit(context) or ():
            walk(child)

    walk(IncludeLaunchDescription(source, launch_arguments=given))
    return declared, nodes


def test_every_launch_file_is_tested():
    assert {path.name for path in FOLDER.glob("*.py")} == set(NEEDED)
    assert {path.name for path in (ROOT / "i2t_ros" / "launch").glob("*.py")} == set(NEEDED)


@pytest.mark.parametrize("name", NEEDED)
def test_it_can_be_read_and_every_argument_says_what_it_is(name):
    declared, nodes = read(name)
    assert nodes
    for argument, action in declared.items():
        assert action.description not in ("", "no description given"), argument
    programs = {path.name for path in (ROOT / "scripts").iterdir()}
    for node in nodes:
        assert node.node_package == "i2t_ros"
        assert node.node_executable in programs


@pytest.mark.parametrize("name", NEEDED)
def test_show_args_shows_those_of_the_included_file_too(name):
    source = PythonLaunchDescriptionSource(str(FOLDER / name))
    shown = source.get_launch_description(LaunchContext()).get_launch_arguments()
    assert {argument.name for argument in shown} >= launch_arguments().keys()


@pytest.mark.parametrize("name", ["video.launch.py", "multi_camera.launch.py"])
def test_what_it_cannot_do_without_is_asked_for(name, monkeypatch):
    monkeypatch.setitem(NEEDED, name, {})
    with pytest.raises(RuntimeError, match="required argument"):
        read(name)


def test_a_misspelled_argument_is_named_and_one_of_another_file_is_not(caplog, monkeypatch):
    caplog.set_level("WARNING", "i2t.launch.py")
    # launch's own loggers keep their lines to themselves.
    monkeypatch.setattr(logging.getLogger("i2t.launch.py"), "propagate", True)
    read("i2t.launch.py", langauge="es", robot_name="r2")
    assert caplog.messages == ["unknown argument langauge: did you mean language?"]
    caplog.clear()
    read("multi_camera.launch.py", sources="[a.mp4,b.mp4]")
    assert caplog.messages == []


def test_the_profile_for_large_images_is_set_unless_there_is_one(monkeypatch):
    for variable in PROFILES:
        monkeypatch.delitem(os.environ, variable, raising=False)
    read("i2t.launch.py")
    assert os.environ[profile_variable()] == str(config_path("fastdds.xml"))
    monkeypatch.delitem(os.environ, profile_variable())
    monkeypatch.setitem(os.environ, PROFILES[0], "mine.xml")
    read("i2t.launch.py")
    assert os.environ[PROFILES[0]] == "mine.xml"
    assert PROFILES[1] not in os.environ


@pytest.fixture
def launch(tmp_path):
    """Return a function that runs `ros2 launch` with a launch file and arguments."""
    if shutil.which("ros2") is None:
        pytest.skip("no ros2 command: it comes with ROS 2, not from PyPI")
    runs = []

    def launch(name, *environment, **arguments):
        given = [f"{key}:={value}" for key, value in arguments.items()]
        package = [] if isinstance(name, Path) else ["i2t_ros"]
        command = ["env", *environment, "ros2", "launch", *package, name, *given]
        runs.append(RunningCommand(*command, cwd=tmp_path))
        return runs[-1]

    yield launch
    for run in runs:
        run.kill()


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "photo.png"
    cv2.imwrite(str(path), np.full((48, 64, 3), 128, np.uint8))
    return path


@pytest.fixture
def rviz(tmp_path):
    """Return the setting of the environment with which a program that waits stands in for rviz2."""
    prefix = tmp_path / "prefix"
    (prefix / "share/ament_index/resource_index/packages").mkdir(parents=True)
    (prefix / "share/ament_index/resource_index/packages/rviz2").touch()
    (prefix / "lib/rviz2").mkdir(parents=True)
    program = prefix / "lib/rviz2/rviz2"
    program.write_text(f"#!{sys.executable}\nimport signal\nsignal.pause()\n")
    program.chmod(0o755)
    return f"AMENT_PREFIX_PATH={os.environ['AMENT_PREFIX_PATH']}:{prefix}"


def started(running):
    """Return the processes that a launch has started."""
    return [int(pid) for pid in re.findall(r"process started with pid \[(\d+)", running.text())]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_all_that_it_started_ends_with_it_however_it_ends(launch, rviz, number):
    running = launch("i2t.launch.py", rviz, model="fake", tcp_port="0", rviz="yes")
    running.until("rviz2-3.*process started")
    running.until("bridge_node.*active")
    running.until("detector_node.*active")
    assert len(started(running)) == 3
    assert running.end(number)
    until(lambda: all(map(has_ended, started(running))), "their end")
    assert "Traceback" not in running.text().partition("rviz2-3")[0]


@pytest.mark.parametrize("action", ["fails", "Node(package='none', executable='none')"])
def test_all_that_it_started_ends_when_another_action_fails(launch, tmp_path, action):
    (tmp_path / "mine.launch.py").write_text(
        "from launch import LaunchDescription\n"
        "from launch.actions import IncludeLaunchDescription, OpaqueFunction\n"
        "from launch.launch_description_sources import PythonLaunchDescriptionSource as Source\n"
        "from launch_ros.actions import Node\n"
        "fails = OpaqueFunction(function=lambda context: 1 / 0)\n"
        "def generate_launch_description():\n"
        f"    included = IncludeLaunchDescription(Source({str(FOLDER / 'i2t.launch.py')!r}))\n"
        f"    return LaunchDescription([included, {action}])\n"
    )
    running = launch(tmp_path / "mine.launch.py", model="fake", tcp_port="0")
    assert running.end() == 1
    assert "Caught exception in launch" in running.text()
    assert "Traceback" not in running.text()
    assert running.text().count("process has finished cleanly") == len(started(running)) == 2
    assert all(map(has_ended, started(running)))


def test_what_is_wrong_is_said_on_a_line_and_nothing_is_started(launch):
    running = launch("multi_camera.launch.py", cameras="[a,b]", sources="[0]", model="fake")
    assert running.end() == 1
    assert "sources: expected one for each of the cameras (a, b), got 0" in running.lines[-1]
    assert started(running) == []


def parameters(peer, node, *names):
    request = GetParameters.Request(names=names)
    return peer.call(GetParameters, f"{node}/get_parameters", request).values


def test_it_runs_with_arguments_and_parameters_of_the_right_types(peer, launch, photo, tmp_path):
    (tmp_path / "robot.yaml").write_text(
        "/**: {ros__parameters: {language: de, top_k: 3}}\n"
        "/**/detector_node: {ros__parameters: {language: fr, max_detections: 7}}\n"
    )
    sentences = peer.collect(String, "/car/detector_node/sentence")
    running = launch(
        "i2t.launch.py", namespace="car", model="fake", language="es", style="list",
        source=photo, rate="10", tcp_port="0", params_file="robot.yaml", image="cam/image_raw",
    )  # fmt: skip
    running.until(r"bridge_node-2\].*listening on 127\.0\.0\.1 port")
    running.until(r"detector_node-1\].*active: images from /car/cam/image_raw")
    peer.until(lambda: sentences, "a sentence", 60)
    # The argument wins over the file, whatever its sections, and the file over the node's own.
    assert sentences[0].data.startswith("Se detect")
    names = ("max_detections", "cameras", "offline")
    most, cameras, offline = parameters(peer, "/car/detector_node", *names)
    assert offline.bool_value  # a launched node downloads nothing
    assert most.integer_value == 7
    assert list(cameras.string_array_value) == [""]
    (rate,) = parameters(peer, "/car/source_node", "rate")
    assert rate.double_value == 10.0
    for pid in (running.pid, *started(running)):  # as Ctrl-C does, and once more
        os.kill(pid, signal.SIGINT)
        os.kill(pid, signal.SIGINT)
    assert running.end(signal.SIGINT) == 0
    assert "Traceback" not in running.text()
    assert running.text().count("process has finished cleanly") == 3


def test_several_cameras(peer, launch, photo, tmp_path):
    sentences = {
        camera: peer.collect(String, f"/detector_node/{camera}/sentence")
        for camera in ("front", "rear")
    }
    (tmp_path / "robot.yaml").write_text("/**/source_node: {ros__parameters: {frame_id: base}}\n")
    running = launch(
        "multi_camera.launch.py", cameras="[front,rear]", sources=f"[{photo},{photo}]",
        model="fake", bridge="false", params_file="robot.yaml",
    )  # fmt: skip
    peer.until(lambda: all(sentences.values()), "a sentence of each camera", 60)
    (frame,) = parameters(peer, "/rear/source_node", "frame_id")
    assert frame.string_value == "rear_optical_frame"
    assert running.end(signal.SIGINT) == 0


def test_a_video_and_texts_that_yaml_would_take_for_something_else(peer, launch, tmp_path):
    # With a file of parameters, which may make languages known, the node has the last word.
    (tmp_path / "own.yaml").write_text("/**: {ros__parameters: {autostart: true}}\n")
    running = launch(
        "video.launch.py", source="97", model="fake", language="no", bridge="false",
        params_file="own.yaml",
    )  # fmt: skip
    running.until("no camera /dev/video97")
    running.until("'no'")
    running.end()


def test_a_jetson_with_another_camera(peer, launch, tmp_path):
    (tmp_path / "wait.yaml").write_text("/**: {ros__parameters: {autostart: false}}\n")
    running = launch(
        "jetson.launch.py", sensor="1", width="640", params_file="wait.yaml", offline="false"
    )
    source, width, rate = parameters(peer, "/source_node", "source", "width", "rate")
    assert source.string_value.startswith("nvarguscamerasrc sensor-id=1 ! video/x-raw")
    assert "width=640, height=720, framerate=30/1 !" in source.string_value
    assert (width.integer_value, rate.double_value) == (640, 30.0)
    backend, offline = parameters(peer, "/detector_node", "backend", "offline")
    assert not offline.bool_value
    assert backend.string_value == "jetson"
    assert running.end(signal.SIGINT) == 0
