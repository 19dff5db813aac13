"""Starts i2t_ros; `ros2 launch i2t_ros i2t.launch.py --show-args` lists the arguments.

An argument that is not given keeps the node's default. The arguments that are named after
parameters, and their descriptions, come from the nodes' tables of parameters.

One default differs: a launched detector_node downloads nothing, because what a robot does at boot
must not depend on its network. Use `i2t models fetch` to get models beforehand.
"""

import difflib
from collections.abc import Collection, Mapping
from pathlib import Path

from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction, SetEnvironmentVariable
from launch.logging import get_logger
from launch_ros.actions import Node

from i2t_ros.nodes.parameters.tables import NODES
from i2t_ros.nodes.processes import dds_profile, parameter_file
from i2t_ros.options import BOOLEANS, Option, Value
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
OWN_ARGUMENTS = {
    "image": ("image", "topic of the images; the argument cameras replaces it with one for each"),
    "params_file": ("", "YAML file with parameters of the nodes; arguments override it"),
    "bridge": ("true", "also start bridge_node, for programs without ROS"),
    "rviz": ("false", "also start rviz2, with the annotated image and the sentence"),
    "namespace": ("", "namespace of all nodes and their topics, such as car"),
    "log_level": ("info", "log level of all nodes: debug, info, warn, error"),
}
"""Argument -> default and description."""

# Defaults of this launch file, which params_file and the arguments override.
DEFAULTS: dict[str, dict[str, Value]] = {"detector_node": {"offline": True}}
EMPTY = {"source": "no source_node, drivers publish the images", "offline": "true"}
"""The meaning of an empty argument, if it is not the parameter's default."""


def specs(node: str) -> list[Option]:
    """Return the parameters of a node that are launch arguments."""
    table = {spec.name: spec for spec in NODES[node]}
    return [table[name] for name in ARGUMENTS[node]]


def make_nodes(context: LaunchContext, known: Collection[str]) -> list[Node]:
    """Return the nodes that the arguments ask for."""
    given = context.launch_configurations
    # launch itself ignores a misspelled argument. One that is not close to any of these is fine:
    # a launch file that includes this one has its own arguments.
    for name in given.keys() - known - {"sources"}:  # that of multi_camera.launch.py
        for close in difflib.get_close_matches(name, known, n=1, cutoff=0.8):
            get_logger("i2t.launch.py").warning(f"unknown argument {name}: did you mean {close}?")
    nodes = [make_node("detector_node", given)]
    if is_true(given["bridge"]):
        nodes.append(make_node("bridge_node", given))
    if given["source"]:
        nodes.append(make_node("source_node", given))
    if is_true(given["rviz"]):
        nodes.append(make_rviz(given["namespace"].strip("/")))
    return nodes


def make_rviz(namespace: str) -> Node:
    """Return rviz2 with this package's layout, its topics in the namespace of the nodes."""
    topics = ("/detector_node/annotated", "/detector_node/sentence_marker")
    return Node(
        package="rviz2",
        executable="rviz2",
        arguments=["-d", str(config_path("i2t.rviz"))],
        remappings=[(topic, f"/{namespace}{topic}") for topic in topics if namespace],
    )


def make_node(name: str, given: Mapping[str, str]) -> Node:
    """Return one node; an argument that is not given keeps the node's default."""
    values = {spec.name: spec.written(given[spec.name]) for spec in specs(name) if given[spec.name]}
    params_file = given["params_file"]
    if params_file and not Path(params_file).is_file():  # launch itself would only warn
        raise FileNotFoundError(f"params_file: no such file: {params_file}")
    return Node(
        package="i2t_ros",
        executable=name,
        name=name,
        namespace=given["namespace"],
        parameters=[
            *([parameter_file(DEFAULTS[name], f"/**/{name}")] if name in DEFAULTS else []),
            *filter(None, [params_file]),
            parameter_file(values),
        ],
        remappings=[("image", given["image"])],
        arguments=["--ros-args", "--log-level", given["log_level"]],
        output="screen",
    )


def is_true(text: str) -> bool:
    """Return whether an argument is true."""
    return text.lower() in BOOLEANS[True]


def generate_launch_description() -> LaunchDescription:
    """Return the arguments and the nodes."""
    arguments = dict(OWN_ARGUMENTS)
    for node in ARGUMENTS:
        for spec in specs(node):
            choices = f"; one of: {', '.join(spec.choices)}" if spec.choices else ""
            empty = EMPTY.get(spec.name, spec.shown)
            text = f"{spec.name} of {node}: {spec.text}{choices} (empty: {empty})"
            arguments.setdefault(spec.name, ("", text))
    return LaunchDescription(
        [
            *(
                DeclareLaunchArgument(name, default_value=default, description=text)
                for name, (default, text) in arguments.items()
            ),
            *(SetEnvironmentVariable(name, path) for name, path in dds_profile().items()),
            OpaqueFunction(function=make_nodes, args=[arguments]),
        ]
    )
