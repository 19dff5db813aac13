"""Starts i2t_ros: `ros2 launch i2t_ros i2t.launch.py --show-args` lists what can be given.

Defaults are the nodes' own: an argument that is not given is not passed on. The arguments named
after parameters, with their explanations, come from the nodes' tables of parameters.

One default is another one: a launched detector_node downloads nothing. What a robot does at boot
must not depend on its network; `i2t models fetch` gets models beforehand.
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

from i2t_ros.nodes.parameters.reference import NODES
from i2t_ros.nodes.processes import dds_profile, parameter_file
from i2t_ros.options import Option, Value
from i2t_ros.resources import config_path

# The parameters that are launch arguments as well, by node. All others: params_file.
# An argument of several nodes goes to each, and is described as the first one's.
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

# What is said before params_file and arguments, and goes behind them.
FIRST: dict[str, dict[str, Value]] = {"detector_node": {"offline": True}}
EMPTY = {"source": "no source_node, drivers publish the images", "offline": "true"}
"""What an empty argument means where that is not the parameter's default."""


def specs(node: str) -> list[Option]:
    """Return the parameters of a node that are launch arguments."""
    table = {spec.name: spec for spec in NODES[node]}
    return [table[name] for name in ARGUMENTS[node]]


def misspelled(given: Iterable[str], known: Collection[str]) -> list[str]:
    """Return a line for each name that is nearly that of an argument; launch itself ignores it.

    Other names are no mistake: a launch file that includes this one has its own.
    """
    return [
        f"unknown argument {name}: did you mean {close[0]}?"
        for name in given
        if name not in known and (close := difflib.get_close_matches(name, known, n=1, cutoff=0.8))
    ]


def make_nodes(context: LaunchContext, known: Collection[str]) -> list[Node]:
    """Return the nodes that are wanted, with the arguments that were given."""
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
    """Return rviz2 with the layout, its topics in the namespace of the nodes."""
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
    """Return one node; an argument that is not given leaves the parameter to the node."""
    given = [(spec, LaunchConfiguration(spec.name).perform(context)) for spec in specs(name)]
    values = {spec.name: as_value(spec, text) for spec, text in given if text}
    parameters = [parameter_file(values)]
    params_file = LaunchConfiguration("params_file").perform(context)
    if params_file:
        if not Path(params_file).is_file():  # launch itself would only warn
            raise FileNotFoundError(f"params_file: no such file: {params_file}")
        parameters.insert(0, params_file)
    if name in FIRST:
        parameters.insert(0, parameter_file(FIRST[name], f"/**/{name}"))
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
    """Return a parameter's value, of the type that the node expects."""
    if isinstance(spec.default, str):
        return text  # also where YAML would read something else into it, as into language:=no
    value = yaml.safe_load(text)
    if isinstance(spec.default, list):
        return [str(item) for item in value] if isinstance(value, list) else [text]
    if isinstance(spec.default, float) and isinstance(value, int):
        return float(value)
    return value


def describe(node: str, spec: Option) -> str:
    """Return the explanation of an argument that is a parameter of a node."""
    choices = f"; one of: {', '.join(spec.choices)}" if spec.choices else ""
    empty = EMPTY.get(spec.name, spec.shown)
    return f"{spec.name} of {node}: {spec.text}{choices} (empty: {empty})"


def is_true(text: str) -> bool:
    """Return whether an argument says yes."""
    return text.lower() in ("true", "1")


def generate_launch_description() -> LaunchDescription:
    """Return the arguments and the nodes."""
    described: dict[str, str] = {}
    for node in ARGUMENTS:
        for spec in specs(node):
            described.setdefault(spec.name, describe(node, spec))
    own = {
        "image": ("image", "topic of the camera's images; with cameras, each has its own"),
        "params_file": ("", "YAML file of parameters of the nodes; an argument wins over it"),
        "bridge": ("true", "also start bridge_node, for programs without ROS"),
        "rviz": ("false", "also start rviz2, with the annotated image and the sentence"),
        "namespace": ("", "of all nodes and their topics, such as car"),
        "log_level": ("info", "of all nodes: debug, info, warn, error"),
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
