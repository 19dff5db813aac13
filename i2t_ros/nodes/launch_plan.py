"""What the launch files start, worked out and checked before the first process is.

Nothing here needs the package launch. i2t.launch.py makes its actions from it.
"""

import difflib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ament_index_python.packages import get_package_prefix
from rclpy.utilities import remove_ros_args

from i2t_ros.backends.registry import check_backend
from i2t_ros.errors import InvalidRequestError
from i2t_ros.language import load_languages
from i2t_ros.models.lookup import check_model
from i2t_ros.nodes.detector.camera_ports import CameraTopics, check_topic, parse_cameras
from i2t_ros.nodes.detector.depth import parse_depth
from i2t_ros.nodes.lifecycle.startup import KNOWN_ERRORS, explained
from i2t_ros.nodes.parameters.speech import PREFIX
from i2t_ros.nodes.parameters.tables import NODES
from i2t_ros.nodes.processes import parameter_file
from i2t_ros.nodes.together import speech_remark, spoken_values
from i2t_ros.options import Option, from_values
from i2t_ros.pipeline.tasks.registry import check_tasks
from i2t_ros.resources import config_path, expanded
from i2t_ros.speech.voice import VoiceOptions, check_voice

# The parameters that are also launch arguments, by node. For all others, use params_file.
# An argument of several nodes goes to each of them, with the description of the first one.
_PARAMETERS = {
    "detector_node": (
        "model", "offline", "backend", "tasks", "cameras", "image_transport", "depth",
        "target_frame", "min_score", "language", "style", "spoken",
    ),
    "bridge_node": (
        "tcp_host", "tcp_port", "http", "http_host", "http_port", "cameras", "image_transport",
    ),
    "source_node": (
        "source", "rate", "loop", "width", "height", "pixel_format", "frame_id", "camera_info_url",
    ),
    "speech_node": (
        "language", "cameras", "speech_engine", "speech_voice", "speech_device", "speech_folder",
    ),
}  # fmt: skip
PARAMETERS: Mapping[str, tuple[Option, ...]] = {
    node: tuple(option for name in names for option in NODES[node] if option.name == name)
    for node, names in _PARAMETERS.items()
}
"""Node -> its parameters that are launch arguments. An empty argument keeps the node's default."""
OWN = (
    Option("image", "image", "topic of the images; cameras replaces it with one for each"),
    Option(
        "sources",
        [],
        "a source_node for each of cameras, with a camera, video or stream, such as "
        "[/dev/video0,/dev/video2] (empty: drivers publish the images)",
    ),
    Option("params_file", "", "YAML file with parameters of the nodes; arguments override it"),
    Option("bridge", True, "also start bridge_node, for programs without ROS: true or false"),
    Option("speech", False, "also start speech_node, which says the sentences: true or false"),
    Option(
        "rviz", False, "also start rviz2, with the annotated image and the sentence: true or false"
    ),
    Option("namespace", "", "namespace of all nodes and their topics, such as car"),
    Option("log_level", "info", "log level of all nodes: debug, info, warn, error or fatal"),
)
"""Arguments of the launch files themselves."""

_OPTIONS = {option.name: option for options in (OWN, *PARAMETERS.values()) for option in options}

# Defaults of this launch, which params_file and the arguments override.
_DETECTOR: dict[str, object] = {"offline": True}
_EMPTY = {
    "source": "no source_node, drivers publish the images",
    "offline": "true",
    "spoken": "true with speech:=true, else false",
}
"""The meaning of an empty argument, if it is not the parameter's default."""

LARGEST_FILE = 500_000
"""Bytes of params_file. ROS reads names in quadratic time: 230 kB take 0.7 s, and 790 kB 6.6 s."""


@dataclass(frozen=True, slots=True)
class Program:
    """A process to start, in the words of launch_ros.actions.Node; ``parameters`` are files."""

    package: str
    executable: str
    name: str
    namespace: str = ""
    parameters: list[str] = field(default_factory=list)
    remappings: list[tuple[str, str]] = field(default_factory=list)
    arguments: list[str] = field(default_factory=list)
    output: str = "screen"


def declared() -> dict[str, tuple[str, str]]:
    """Return the launch arguments: name -> default and description."""
    found = {
        option.name: ("" if option.default == [] else str(option.default).lower(), option.text)
        for option in OWN
    }
    for node, options in PARAMETERS.items():
        for option in options:
            choices = f"; one of: {', '.join(option.choices)}" if option.choices else ""
            empty = _EMPTY.get(option.name, option.shown)
            text = f"{option.name} of {node}: {option.text}{choices} (empty: {empty})"
            found.setdefault(option.name, ("", text))
    return found


def misspelled(names: Iterable[str]) -> list[str]:
    """Return a line for each name that is close to an argument's, which launch itself ignores.

    One that is not close to any is fine: a launch file that includes ours has its own arguments.
    """
    lines = []
    for name in set(names) - _OPTIONS.keys() - {"ros_namespace"}:  # PushROSNamespace sets it
        for close in difflib.get_close_matches(name, _OPTIONS, n=1, cutoff=0.8):
            lines.append(f"unknown argument {name}: did you mean {close}?")
    return sorted(lines)


def remarks(given: Mapping[str, str]) -> list[str]:
    """Return what is worth a warning, though nothing is refused; see plan()."""
    lines = misspelled(given)
    speech, spoken = (
        _value(_OPTIONS[name], text) if (text := given.get(name)) else None
        for name in ("speech", "spoken")
    )
    remark = speech_remark() if speech and spoken is None else ""
    return [*lines, *filter(None, [remark])]


def plan(given: Mapping[str, str]) -> list[Program]:
    """Return what the launch arguments ask for.

    ``given`` also has ``ros_namespace`` if a launch file that includes ours has pushed one. What is
    missing or empty has its default.

    Raises I2tError for whatever would keep a process from its start, such as a value that makes no
    sense, a parameter file that cannot be read, or a program that is not installed. What a source
    has is left to source_node: cameras come and go.
    """
    values = {
        name: _value(option, text) for name, option in _OPTIONS.items() if (text := given.get(name))
    }
    check_tasks(values.get("tasks", ()))
    check_backend(values.get("backend", "auto"))
    if "params_file" not in values:  # it may name a folder of languages, and the labels of a model
        load_languages().resolve(values.get("language", "en"))
        check_model(values.get("model", "auto"))
        parse_depth(values.get("depth", ()), _cameras(values))
    for name in ("image", "namespace"):
        if name in values and (name, values[name]) != ("namespace", "/"):
            check_topic(name, values[name].rstrip("/") or values[name])
    namespace = _full_name(values.get("namespace", ""), given.get("ros_namespace", ""))
    defaults = _DETECTOR | spoken_values(speech=values.get("speech", False))
    programs = [_node("detector_node", namespace, values, defaults=defaults)]
    if values.get("bridge", True):
        programs.append(_node("bridge_node", namespace, values))
    if "source" in values:
        programs.append(_node("source_node", namespace, values))
    programs += _sources(namespace, values)
    if values.get("speech"):
        if "params_file" not in values:  # it may name another engine, or a voice
            check_voice(from_values(VoiceOptions, values, PREFIX), values.get("language", "en"))
        programs.append(_node("speech_node", namespace, values))
    if values.get("rviz"):
        programs.append(_rviz(namespace))
    for program in programs:
        _check(program)
    return programs


def _value(option: Option, text: str) -> Any:
    value = option.written(text)
    option.field_value(value)  # checks it
    return [*filter(None, value)] if isinstance(value, list) else value


def _full_name(name: str, namespace: str) -> str:
    """Return a name with its namespace before it, if it is not a full name; "" is the root."""
    if name.startswith("/"):
        return name.rstrip("/")
    return "".join(f"/{part.strip('/')}" for part in (namespace, name) if part.strip("/"))


def _cameras(values: Mapping[str, Any]) -> list[CameraTopics]:
    return parse_cameras(values.get("cameras", ()), values.get("image_transport", "raw"))


def _sources(namespace: str, values: Mapping[str, Any]) -> list[Program]:
    """Return a source_node for each of ``sources``, in the namespace of its camera."""
    cameras = _cameras(values)
    sources = values.get("sources", [])
    if not sources:
        return []
    if "source" in values:
        raise InvalidRequestError("source, sources: expected one of them, got both")
    if len(sources) != len(values.get("cameras", ())):
        names = ", ".join(values.get("cameras", ())) or "none"
        raise InvalidRequestError(
            f"sources: expected one for each of the cameras ({names}), got {', '.join(sources)}"
        )
    return [
        _node(
            "source_node",
            f"{namespace}/{camera.name}",
            {"frame_id": f"{camera.name}_optical_frame", **values, "source": source},
            image=_full_name(camera.topic, namespace),
        )
        for camera, source in zip(cameras, sources, strict=True)
    ]


def _node(
    executable: str,
    namespace: str,
    values: Mapping[str, Any],
    image: str = "",
    defaults: Mapping[str, object] | None = None,
) -> Program:
    own = {option.name for option in PARAMETERS[executable]}
    params_file = values.get("params_file")
    # Not where cameras replaces it: one of them may have the topic that is called image.
    image = image or (not values.get("cameras") and values.get("image")) or "image"
    return Program(
        package="i2t_ros",
        executable=executable,
        name=executable,
        namespace=namespace,
        parameters=[
            *([parameter_file(defaults, f"/**/{executable}")] if defaults else []),
            *([_checked_file(expanded(params_file))] if params_file else []),
            parameter_file({name: value for name, value in values.items() if name in own}),
        ],
        remappings=[("image", image)],
        arguments=["--ros-args", "--log-level", values.get("log_level", "info")],
    )


def _checked_file(path: Path) -> str:
    """Return the path; raise InvalidRequestError where ROS would wait, or read for minutes.

    Every node reads the file, so it cannot be a pipe. Of one that is not there, ROS says so.
    """
    if path.exists() and not path.is_dir():
        if not path.is_file():
            raise InvalidRequestError(f"params_file: expected a regular file, {path} is none")
        if (size := path.stat().st_size) > LARGEST_FILE:
            raise InvalidRequestError(
                f"params_file: expected up to {LARGEST_FILE} bytes, {path} has {size}"
            )
    return str(path)


def _rviz(namespace: str) -> Program:
    """Return rviz2 with this package's layout, its topics in the namespace of the nodes."""
    topics = [
        f"/detector_node/{name}" for name in ("annotated", "sentence_marker", "object_markers")
    ]
    return Program(
        package="rviz2",
        executable="rviz2",
        name="rviz2",
        remappings=[(topic, f"{namespace}{topic}") for topic in topics if namespace],
        arguments=["-d", str(config_path("i2t.rviz"))],
        output="log",
    )


def _check(program: Program) -> None:
    """Raise InvalidRequestError if a program is not installed, or ROS refuses its arguments."""
    try:
        prefix = Path(get_package_prefix(program.package))
    except (LookupError, OSError) as error:  # no such package, or no workspace is sourced
        raise InvalidRequestError(_not_installed(program)) from error
    if not os.access(prefix / "lib" / program.package / program.executable, os.X_OK):
        raise InvalidRequestError(_not_installed(program))
    rules = [f"{old}:={new}" for old, new in program.remappings]
    if program.namespace:
        rules.append(f"__ns:={program.namespace}")
    words = [word for rule in rules for word in ("-r", rule)]
    words += [word for file in program.parameters for word in ("--params-file", file)]
    try:
        remove_ros_args([*program.arguments, "--ros-args", *words])
    except KNOWN_ERRORS as error:
        raise InvalidRequestError(explained(error)) from error


def _not_installed(program: Program) -> str:
    if program.package == "rviz2":
        package = f"ros-{os.environ.get('ROS_DISTRO', '$ROS_DISTRO')}-rviz2"
        return f"rviz: rviz2 is not installed; apt install {package}, or leave rviz:=true out"
    return (
        f"{program.executable} is not installed where ROS looks for it; build the package, and "
        "source the setup file of its workspace"
    )
