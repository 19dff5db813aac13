"""The launch files, read by the real launch, and run with the real ros2, where they are there."""

import importlib.util
import logging
import os
import shutil
import signal

import cv2
import numpy as np
import pytest
import yaml
from project import ROOT
from rcl_interfaces.srv import GetParameters
from running_command import RunningCommand
from std_msgs.msg import String

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
from launch_ros.utilities import evaluate_parameters

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


def started(name, **arguments):
    return [node.node_executable for node in read(name, **arguments)[1]]


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


@pytest.mark.parametrize("name", ["video.launch.py", "multi_camera.launch.py"])
def test_what_it_cannot_do_without_is_asked_for(name, monkeypatch):
    monkeypatch.setitem(NEEDED, name, {})
    with pytest.raises(RuntimeError, match="required argument"):
        read(name)


def test_the_nodes_are_those_that_are_wanted():
    assert started("i2t.launch.py") == ["detector_node", "bridge_node"]
    assert started("i2t.launch.py", bridge="false") == ["detector_node"]
    assert started("i2t.launch.py", bridge="false", source="0") == ["detector_node", "source_node"]
    assert started("i2t.launch.py", bridge="false", rviz="true") == ["detector_node", "rviz2"]
    assert started("video.launch.py", bridge="false") == ["detector_node", "source_node"]
    assert started("jetson.launch.py", bridge="false") == ["detector_node", "source_node"]
    several = started("multi_camera.launch.py", bridge="false", sources="[0,1]")
    assert several == ["detector_node", "source_node", "source_node"]
    with pytest.raises(RuntimeError, match="one for each"):
        read("multi_camera.launch.py", sources="[0]")


def test_what_two_nodes_share_goes_to_both():
    context = LaunchContext()
    nodes = read("i2t.launch.py", cameras="[front,rear]", http="true", http_port="0")[1]
    said = {}
    for node in nodes:
        name = node.node_executable
        files = evaluate_parameters(context, node._Node__parameters)
        said[name] = {}
        for file in files:
            for section in yaml.safe_load(file.read_text()).values():
                said[name].update(section["ros__parameters"])
    cameras = {"cameras": ["front", "rear"]}
    assert said["detector_node"] == {"offline": True, **cameras}
    assert said["bridge_node"] == {"http": True, "http_port": 0, **cameras}


def test_a_misspelled_argument_is_named_and_one_of_another_file_is_not(caplog, monkeypatch):
    caplog.set_level("WARNING", "i2t.launch.py")
    # launch's own loggers keep their lines to themselves.
    monkeypatch.setattr(logging.getLogger("i2t.launch.py"), "propagate", True)
    read("i2t.launch.py", langauge="es", robot_name="r2")
    assert caplog.messages == ["unknown argument langauge: did you mean language?"]
    caplog.clear()
    read("multi_camera.launch.py", sources="[a.mp4,b.mp4]")
    assert caplog.messages == []


def test_a_parameter_file_that_is_missing_is_an_error():
    with pytest.raises(FileNotFoundError, match=r"nowhere\.yaml"):
        read("i2t.launch.py", params_file="nowhere.yaml")


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


def test_rviz_shows_the_topics_of_the_nodes_namespace():
    for namespace, prefix in (("car", "/car"), ("/fleet/car", "/fleet/car")):
        nodes = read("i2t.launch.py", rviz="true", bridge="false", namespace=namespace)[1]
        (rviz,) = (node for node in nodes if node.node_executable == "rviz2")
        rviz._perform_substitutions(LaunchContext())
        assert rviz.expanded_remapping_rules == [
            (f"/detector_node/{topic}", f"{prefix}/detector_node/{topic}")
            for topic in ("annotated", "sentence_marker")
        ]


@pytest.mark.parametrize(
    ("cameras", "sources", "expected"),
    [
        ("front", "/dev/video0", {"front": "/dev/video0"}),
        ("[a, b]", "[0, 2]", {"a": "0", "b": "2"}),
        ("[a]", '["x ! y, width=1 ! appsink"]', {"a": "x ! y, width=1 ! appsink"}),
    ],
)
def test_cameras_and_sources_as_people_write_them(cameras, sources, expected):
    _, nodes = read("multi_camera.launch.py", cameras=cameras, sources=sources)
    shown = [node for node in nodes if node.node_executable == "source_node"]
    found = {}
    for node, camera in zip(shown, expected, strict=True):
        (file,) = evaluate_parameters(LaunchContext(), node._Node__parameters)
        found[camera] = yaml.safe_load(file.read_text())["/**/*"]["ros__parameters"]["source"]
    assert found == expected


@pytest.mark.parametrize("text", ["[1", "2024-01-01", "{a: b}", "~"])
def test_an_argument_that_is_wrong_is_named(text):
    with pytest.raises(Exception, match="rate: expected a number"):
        read("i2t.launch.py", source="0", rate=text)


def test_an_argument_says_what_may_be_given_and_what_leaving_it_out_means():
    declared, _ = read("i2t.launch.py")
    assert "one of: list, sentence, scene, changes" in declared["style"].description
    assert "(empty: no source_node" in declared["source"].description
    assert declared["offline"].description.endswith("(empty: true)")


@pytest.fixture
def launch(tmp_path):
    """Return a function that runs `ros2 launch` with a launch file and arguments."""
    if shutil.which("ros2") is None:
        pytest.skip("no ros2 command: it comes with ROS 2, not from PyPI")
    runs = []

    def launch(name, **arguments):
        given = [f"{key}:={value}" for key, value in arguments.items()]
        command = ["ros2", "launch", "i2t_ros", name, *given]
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


def test_a_video_and_texts_that_yaml_would_take_for_something_else(peer, launch, photo):
    running = launch("video.launch.py", source="97", model="fake", language="no", bridge="false")
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
