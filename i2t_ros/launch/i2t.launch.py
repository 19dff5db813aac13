"""Starts i2t_ros; `ros2 launch i2t_ros i2t.launch.py --show-args` lists the arguments.

An argument that is not given keeps the node's default. The arguments that are named after
parameters, and their descriptions, come from the nodes' tables of parameters.

One default differs: a launched detector_node downloads nothing, because what a robot does at boot
must not depend on its network. Use `i2t models fetch` to get models beforehand.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable
from pathlib import Path

import yaml
from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction, SetEnvironmentVariable
from launch.logging import get_logger
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from i2t_ros.nodes.parameters.tables import NODES
from i2t_ros.nodes.processes import dds_profile, parameter_file
from i2t_ros.options import Option, Value
from i2t_ros.resources import config_path

# The parameters that are also launch arguments, by node. For all others, use params_file.
# An argument of several nodes goes to each of them, with the description of the first one.
ARGUMENTS = {
    "detector_node": (
        "model", "offline", "backend", "tasks", "cameras", "image_transport", "min_score",
        "language", "style",
    ),
    "bridge_node": (
        "tcp_host", "tcp_port", "http", "http_host", "http_port", "cameras", "image_transport",
    ),
    "source_node": (
        "source", "rate", "loop", "width", "height", "pixel_format", "frame_id", "camera_info_url",
    ),
}  # fmt: skip

# Defaults of this launch file, which params_file and the arguments override.
DEFAULTS: dict[str, dict[str, Value]] = {"detector_node": {"offline": True}}
EMPTY = {"source": "no source_node, drivers publish the images", "offline": "true"}
"""The meaning of an empty argument, if it is not the parameter's default."""


def specs(node: str) -> list[Option]:
    """Return the parameters of a node that are launch arguments."""
    table = {spec.name: spec for spec in NODES[node]}
    return [table[name] for name in ARGUMENTS[node]]


def misspelled(given: Iterable[str], known: Collection[str]) -> list[str]:
    """Return a warning for each name that is close to an argument's; launch itself ignores it.

    Other names are fine: a launch file that includes this one has its own arguments.
    """
    return [
        f"unknown argument {name}: did you mean {close[0]}?"
        for name in given
        if name not in known and (close := difflib.get_close_matches(name, known, n=1, cutoff=0.8))
    ]


def make_nodes(context: LaunchContext, known: Collection[str]) -> list[Node]:
    """Return the nodes that the arguments ask for."""
    for line in misspelled(context.launch_configurations, known):
        get_logger("i2t.launch.py").warning(line)

    def given(argument: str) -> str:
        return LaunchConfiguration(argument).perform(context)

    wanted = ["detector_node"]
    if is_true(given("bridge")):
        wanted.append("bridge_node")
    if given("source"):
        wanted.append("source_node")
    nodes = [make_node(context, name) for name in wanted]
    if is_true(given("rviz")):
        nodes.append(make_rviz(given("namespace")))
    return nodes


def make_rviz(namespace: str) -> Node:
    """Return rviz2 with this package's layout, its topics in the namespace of the nodes."""
    inside = f"/{namespace.strip('/')}" if namespace.strip("/") else ""
    return Node(
        package="rviz2",
        executable="rviz2",
        arguments=["-d", str(config_path("i2t.rviz"))],
        remappings=[
            (f"/detector_node/{topic}", f"{inside}/detector_node/{topic}")
            for topic in ("annotated", "sentence_marker")
            if inside
        ],
    )


def make_node(context: LaunchContext, name: str) -> Node:
    """Return one node; an argument that is not given keeps the node's default."""
    given = [(spec, LaunchConfiguration(spec.name).perform(context)) for spec in specs(name)]
    values = {spec.name: as_value(spec, text) for spec, text in given if text}
    parameters = [parameter_file(values)]
    params_file = LaunchConfiguration("params_file").perform(context)
    if params_file:
        if not Path(params_file).is_file():  # launch itself would only warn
            raise FileNotFoundError(f"params_file: no such file: {params_file}")
        parameters.insert(0, params_file)
    if name in DEFAULTS:
        parameters.insert(0, parameter_file(DEFAULTS[name], f"/**/{name}"))
    return Node(
        package="i2t_ros",
        executable=name,
        name=name,
        namespace=LaunchConfiguration("namespace"),
        parameters=parameters,
        remappings=[("image", LaunchConfiguration("image"))],
        arguments=["--ros-args", "--log-level", LaunchConfiguration("log_level")],
        output="screen",
    )


def as_value(spec: Option, text: str) -> Value:
    """Return a parameter's value in the type that the node expects."""
    if isinstance(spec.default, str):
        return text  # YAML would read language:=no as false
    value = yaml.safe_load(text)
    if isinstance(spec.default, list):
        return [str(item) for item in value] if isinstance(value, list) else [text]
    if isinstance(spec.default, float) and isinstance(value, int):
        return float(value)
    return value


def describe(node: str, spec: Option) -> str:
    """Return the description of an argument that is a parameter of a node."""
    choices = f"; one of: {', '.join(spec.choices)}" if spec.choices else ""
    empty = EMPTY.get(spec.name, spec.shown)
    return f"{spec.name} of {node}: {spec.text}{choices} (empty: {empty})"


def is_true(text: str) -> bool:
    """Return whether an argument is true."""
    return text.lower() in ("true", "1")


def generate_launch_description() -> LaunchDescription:
    """Return the arguments and the nodes."""
    described: dict[str, str] = {}
    for node in ARGUMENTS:
        for spec in specs(node):
            described.setdefault(spec.name, describe(node, spec))
    own = {
        "image": (
            "image",
            "topic of the images; the argument cameras replaces it with a topic for each",
        ),
        "params_file": ("", "YAML file with parameters of the nodes; arguments override it"),
        "bridge": ("true", "also start bridge_node, for programs without ROS"),
        "rviz": ("false", "also start rviz2, with the annotated image and the sentence"),
        "namespace": ("", "namespace of all nodes and their topics, such as car"),
        "log_level": ("info", "log level of all nodes: debug, info, warn, error"),
    }
    known = {*described, *own}
    return LaunchDescription(
        [
            *(
                DeclareLaunchArgument(name, default_value="", description=text)
                for name, text in described.items()
            ),
            *(
                DeclareLaunchArgument(name, default_value=default, description=text)
                for name, (default, text) in own.items()
            ),
            *(SetEnvironmentVariable(name, path) for name, path in dds_profile().items()),
            OpaqueFunction(function=make_nodes, args=[known]),
        ]
    )
