"""What the launch files start, and what they refuse before anything is started."""

import os
import re
import sys
from pathlib import Path

import pytest
import yaml
from sounds import needs_espeak

from i2t_ros.errors import I2tError
from i2t_ros.nodes.launch_plan import PARAMETERS, declared, misspelled, plan, remarks
from i2t_ros.options import BOOLEANS

BOTH = ["detector_node", "bridge_node"]


@pytest.fixture(autouse=True)
def prefix(monkeypatch, tmp_path):
    """Return a prefix where ROS looks for packages, after the one where this package is."""
    monkeypatch.setenv("AMENT_PREFIX_PATH", f"{sys.prefix}:{tmp_path}")
    return tmp_path


@pytest.fixture
def rviz(prefix):
    """Return a program that stands in for rviz2."""
    (prefix / "share/ament_index/resource_index/packages").mkdir(parents=True)
    (prefix / "share/ament_index/resource_index/packages/rviz2").touch()
    program = prefix / "lib/rviz2/rviz2"
    program.parent.mkdir(parents=True)
    program.touch(0o755)
    return program


def started(**given):
    return [program.executable for program in plan(given)]


def refused(**given):
    with pytest.raises(I2tError) as error:
        plan(given)
    assert "\n" not in str(error.value)
    return str(error.value)


def parameters(program):
    """Return the parameters that a program's files give it, those of later files first."""
    found = {}
    for file in program.parameters:
        for section in yaml.safe_load(Path(file).read_text()).values():
            found |= section["ros__parameters"]
    return found


def test_the_processes_are_those_that_are_asked_for(rviz):
    assert started() == BOTH
    assert started(source="0", bridge="false", rviz="true") == [
        "detector_node",
        "source_node",
        "rviz2",
    ]
    assert started(cameras="[a,b]", sources="[0,1]") == [*BOTH, "source_node", "source_node"]
    assert started(**dict.fromkeys(declared(), "")) == BOTH


@needs_espeak
def test_speech_has_the_detectors_language_and_cameras(tmp_path):
    folder = {"speech_folder": str(tmp_path)}
    given = {"language": "es", "cameras": "[a,b]", "speech": "true", **folder}
    detector, _, speech = plan(given | {"namespace": "car"})
    assert (speech.executable, speech.namespace) == ("speech_node", "/car")
    assert parameters(speech) == {"language": "es", "cameras": ["a", "b"], **folder}
    assert parameters(detector)["language"] == "es"
    assert started(**folder) == BOTH


@needs_espeak
def test_speech_makes_the_detector_find_words_for_a_voice(tmp_path, monkeypatch):
    given = {"speech": "true", "speech_folder": str(tmp_path)}
    assert parameters(plan(given)[0])["spoken"] is True
    assert parameters(plan(given | {"spoken": "false"})[0])["spoken"] is False
    file = tmp_path / "robot.yaml"
    file.write_text("/**: {ros__parameters: {spoken: false}}")
    assert parameters(plan(given | {"params_file": str(file)})[0])["spoken"] is False
    assert remarks(given) == []
    monkeypatch.setattr("i2t_ros.nodes.together.can_import", lambda name: False)
    assert "spoken" not in parameters(plan(given)[0])
    (line,) = remarks(given)
    assert re.search(r"digits and symbols.*(pip install|setup --packages) unicode-rbnf", line)
    assert remarks({}) == remarks(given | {"spoken": "true"}) == []


@needs_espeak
@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"speech_engine": "piper"}, "speech_voice: expected the file of a voice"),
        ({"speech_voice": "/nowhere/x.onnx"}, "there is no file /nowhere/x.onnx"),
        ({"speech_engine": "festival"}, "speech_engine: expected one of auto, espeak, piper"),
        ({"speech_folder": "x", "speech_device": "hw:0"}, "speech_folder: nothing is played"),
        ({"PATH": ""}, "speech needs a package .*no program espeak-ng.*apt-get install espeak-ng"),
    ],
)
def test_speech_that_could_not_start_is_refused(monkeypatch, prefix, given, said):
    if "PATH" in given:
        monkeypatch.setenv("PATH", str(prefix))
        given = {}
    assert re.search(said, refused(speech="true", **given))


@needs_espeak
def test_a_parameter_file_may_name_the_voice(tmp_path):
    file = tmp_path / "robot.yaml"
    file.write_text("/**: {ros__parameters: {speech_folder: sounds, speech_voice: x.onnx}}")
    assert started(speech="true", params_file=str(file)) == [*BOTH, "speech_node"]


@pytest.mark.parametrize("name", ["bridge", "rviz", "http", "offline", "loop"])
def test_a_boolean_is_what_yaml_takes_for_one_or_refused(rviz, name):
    def got(text):
        programs = plan({"source": "0", name: text})
        if name in ("bridge", "rviz"):
            return any(program.name.startswith(name) for program in programs)
        (value,) = (found[name] for each in programs if name in (found := parameters(each)))
        return value

    for meant, words in BOOLEANS.items():
        for word in words:
            assert [got(word), got(word.upper()), got(word.title())] == [meant] * 3
    for word in ("maybe", "tru", "2", "[true]", "~", "0.5"):
        assert refused(**{"source": "0", name: word}).startswith(f"{name}: expected true or false")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"rviz": "true"}, r"rviz: rviz2 is not installed; apt install ros-\S+-rviz2"),
        ({"sources": "[0,1]"}, r"sources: expected one for each of the cameras \(none\), got 0, 1"),
        ({"cameras": "[a,b]", "sources": "[0]"}, r"the cameras \(a, b\), got 0"),
        ({"cameras": "a", "sources": "0", "source": "0"}, "source, sources: expected one of them"),
        ({"cameras": "[a,b]", "sources": "['',0]"}, r"the cameras \(a, b\), got 0"),
        ({"cameras": "['',a]", "sources": "[0,1]"}, r"the cameras \(a\), got 0, 1"),
        ({"cameras": "[a", "sources": "0"}, r"cameras: expected a list such as \[a,b\], got '\[a'"),
        ({"cameras": "a", "sources": "0]"}, r"sources: expected a list"),
        ({"cameras": "{a: b}"}, "cameras: expected a text"),
        ({"cameras": "[[a]]"}, "cameras: expected a text"),
        ({"cameras": "[a]=b"}, r"cameras: expected a list such as \[a,b\]"),
        ({"cameras": "[1a]"}, "cameras: expected NAME or NAME=TOPIC"),
        ({"cameras": "[a,a]"}, "cameras: each name may be given once"),
        ({"cameras": "[a=/b//c]"}, "cameras: not a topic's name"),
        ({"tasks": "detect,fly"}, "unknown task 'fly'"),
        ({"style": "loud"}, "style: expected one of list"),
        ({"min_score": "2"}, "min_score: expected 0 to 1"),
        ({"tcp_port": "70000"}, "tcp_port: expected 0 to 65535"),
        ({"http_port": "web"}, "http_port: expected a whole number, got 'web'"),
        ({"image": "a//b"}, "image: not a topic's name: 'a//b'"),
        ({"namespace": "1a"}, "namespace: not a topic's name: '1a'"),
        ({"log_level": "loud"}, "log level.*expected debug, info"),
        ({"source": "a\nb"}, "source: expected text without control characters"),
        ({"source": "caf\udce9.mp4"}, "source: expected text .* in UTF-8"),
        ({"cameras": "a", "sources": "caf\udce9.mp4"}, "sources: expected text .* in UTF-8"),
        ({"tcp_port": "2001-99-01"}, "tcp_port: expected a whole number, got '2001-99-01'"),
        ({"http": '!!int "x"'}, "http: expected true or false"),
        ({"min_score": "[" * 3000}, "min_score: expected a number"),
        ({"cameras": "[" * 3000 + "]" * 3000}, "cameras: expected NAME or NAME=TOPIC"),
        ({"image": "/"}, "image: not a topic's name: '/'"),
        ({"params_file": "nowhere.yaml"}, "nowhere.yaml: No such file or directory"),
        ({"params_file": "/"}, "parameter file /: Is a directory"),
    ],
)
def test_what_would_fail_later_is_refused_before_anything_starts(given, said):
    assert re.search(said, refused(**given))


@pytest.mark.parametrize(
    "text", ["a: b: c\n", "/**: [", "/**:\n\tx: 1\n", "a: *b\n", "a: '\x07'\n"]
)
def test_a_parameter_file_that_is_no_yaml_is_named_with_the_line(tmp_path, text):
    (tmp_path / "robot.yaml").write_text("# mine\n" + text)
    said = refused(params_file=str(tmp_path / "robot.yaml"))
    assert re.search(r"robot\.yaml: it is not YAML: line [23]: .*; expected NODE: {ros__", said)


def test_a_parameter_file_that_would_keep_ros_busy_is_refused(tmp_path):
    pipe, large = tmp_path / "pipe.yaml", tmp_path / "large.yaml"
    os.mkfifo(pipe)
    large.touch()
    os.truncate(large, 1 << 40)
    assert "expected a regular file" in refused(params_file=str(pipe))
    assert "expected up to 500000 bytes" in refused(params_file=str(large))


def test_the_argument_image_leaves_the_topics_of_cameras_alone():
    detector, bridge, source = plan({"image": "cam", "cameras": "a=image", "sources": "0"})
    assert dict(detector.remappings) == dict(bridge.remappings) == {"image": "image"}
    assert dict(source.remappings) == {"image": "/image"}
    assert dict(plan({"image": "cam"})[0].remappings) == {"image": "cam"}


def test_a_program_that_is_not_where_ros_looks_is_named(monkeypatch, rviz):
    rviz.chmod(0o644)
    assert "rviz2 is not installed" in refused(rviz="true")
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(rviz.parent))
    assert "detector_node is not installed where ROS looks" in refused()
    monkeypatch.delenv("AMENT_PREFIX_PATH")
    assert "detector_node is not installed where ROS looks" in refused()


def test_a_text_stays_what_was_written():
    for text in (
        "0",
        "007",
        "1e5",
        "nan",
        "no",
        "on",
        "~",
        "null",
        "[a",
        "a: b",
        "# x",
        "'",
        '"é"',
    ):
        (node,) = (each for each in plan({"source": text}) if each.executable == "source_node")
        assert parameters(node) == {"source": text}


@pytest.mark.parametrize(
    ("cameras", "sources", "topics"),
    [
        ("front", "/dev/video0", {"/dev/video0": "/front/image"}),
        ("front", "x", {"x": "/front/image"}),
        ("front,rear", "0,2", {"0": "/front/image", "2": "/rear/image"}),
        ("[a, b=/cam/b]", '["x ! y, z=1 ! w", 7]', {"x ! y, z=1 ! w": "/a/image", "7": "/cam/b"}),
        ("[a=raw]", "[1]", {"1": "/raw"}),
        ("a,b", "010,0x10", {"010": "/a/image", "0x10": "/b/image"}),
        ("on,no", "[010, 12:30]", {"010": "/on/image", "12:30": "/no/image"}),
        ("a,b", "[on, 2001-01-01]", {"on": "/a/image", "2001-01-01": "/b/image"}),
        ("a", "#1", {"#1": "/a/image"}),
        ("a", "rtsp://u:p@h/x?a=[1]", {"rtsp://u:p@h/x?a=[1]": "/a/image"}),
    ],
)  # fmt: skip
def test_each_source_shows_its_camera_and_no_list_is_read_by_letters(cameras, sources, topics):
    programs = plan({"cameras": cameras, "sources": sources, "rate": "5", "namespace": "car"})
    nodes = [each for each in programs if each.executable == "source_node"]
    found = {parameters(node)["source"]: dict(node.remappings)["image"] for node in nodes}
    base = {"/cam/b": ""}
    assert found == {key: base.get(topic, "/car") + topic for key, topic in topics.items()}
    assert {parameters(node)["rate"] for node in nodes} == {5.0}
    assert len({node.namespace for node in nodes}) == len(nodes)


def test_a_namespace_goes_to_the_nodes_the_sources_and_rviz(rviz):
    for namespace, pushed, full in (
        ("car", "", "/car"),
        ("/fleet/car/", "", "/fleet/car"),
        ("car", "fleet", "/fleet/car"),
        ("", "/fleet", "/fleet"),
        ("/car", "/fleet", "/car"),
        ("/", "/fleet", ""),
        ("", "", ""),
    ):
        given = {"namespace": namespace, "ros_namespace": pushed, "rviz": "yes"}
        *nodes, source, viewer = plan(given | {"cameras": "a", "sources": "0"})
        assert {node.namespace for node in nodes} == {full}
        assert source.namespace == f"{full}/a"
        shown = dict(viewer.remappings)
        assert shown == {
            topic: full + topic
            for topic in (
                "/detector_node/annotated",
                "/detector_node/sentence_marker",
                "/detector_node/object_markers",
            )
            if full
        }


def test_arguments_win_over_the_file_and_the_file_over_the_defaults(tmp_path):
    file = tmp_path / "robot.yaml"
    file.write_text("/**: {ros__parameters: {offline: false, min_score: 0.1}}\n")
    detector, bridge = plan({"params_file": str(file), "min_score": "0.5", "cameras": "a"})
    assert parameters(detector) == {"offline": False, "min_score": 0.5, "cameras": ["a"]}
    assert parameters(plan({})[0]) == {"offline": True}
    assert parameters(bridge) == {"offline": False, "min_score": 0.1, "cameras": ["a"]}


def test_every_argument_says_what_it_is():
    said = declared()
    assert said["bridge"] == (
        "true",
        "also start bridge_node, for programs without ROS: true or false",
    )
    assert "one of: list, sentence, scene, changes" in said["style"][1]
    assert "(empty: no source_node" in said["source"][1]
    assert said["offline"][1].endswith("(empty: true)")
    assert all(text for _, text in said.values())
    assert {option.name for options in PARAMETERS.values() for option in options} <= said.keys()


def test_a_misspelled_argument_is_named_and_one_of_another_file_is_not():
    assert misspelled(["langauge", "robot_name", "sources", "language", "ros_namespace"]) == [
        "unknown argument langauge: did you mean language?"
    ]


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"language": "xx"}, "language 'xx': there is"),
        ({"model": "yolox_nanno"}, "there is no model 'yolox_nanno'; did you mean yolox_nano?"),
        ({"model": "/nowhere/robot.onnx"}, "/nowhere/robot.onnx"),
        ({"backend": "opnvino"}, "there is no backend 'opnvino'; known: onnxruntime, "),
    ],
)
def test_names_that_a_node_would_refuse_are_refused_before_it_starts(given, why):
    assert why in refused(**given)


def test_a_parameter_file_may_make_names_known(tmp_path):
    file = tmp_path / "robot.yaml"
    file.write_text("/**: {ros__parameters: {language_folder: words, labels: robot.txt}}")
    assert started(language="tlh", model="robot", params_file=str(file)) == BOTH
    assert started(language="es-MX", model="auto", backend="auto") == BOTH


def test_depth_goes_to_the_detector_and_is_checked():
    given = {"cameras": "front", "depth": "[/front/depth/image_raw]", "target_frame": "base_link"}
    detector, bridge = plan(given)
    assert parameters(detector)["depth"] == ["/front/depth/image_raw"]
    assert parameters(detector)["target_frame"] == "base_link"
    assert "depth" not in parameters(bridge)
    assert "one of front, rear, got '/depth'" in refused(cameras="front,rear", depth="/depth")
