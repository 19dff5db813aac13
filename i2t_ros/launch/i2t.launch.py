"""Starts i2t_ros: `ros2 launch i2t_ros i2t.launch.py --show-args` lists what can be given.

Defaults are the nodes' own: an argument that is not given is not passed on. The arguments named
after parameters, with their explanations, come from the nodes' tables of parameters.
"""

from __future__ import annotations

from pathlib import Path

import yaml
from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction, SetEnvironmentVariable
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from i2t_ros.nodes.parameter_spec import ParameterSpec, Value
from i2t_ros.nodes.reference import NODES
from i2t_ros.processes import dds_profile
from i2t_ros.resources import config_path

# The parameters that are launch arguments as well, by node. All others: params_file.
# An argument of several nodes goes to each, and is described as the first one's.
ARGUMENTS = {
    "detector_node": (
        "model", "backend", "tasks", "cameras", "image_transport", "min_score", "language", "style",
    ),
    "bridge_node": (
        "tcp_host", "tcp_port", "http", "http_host", "http_port", "cameras", "image_transport",
    ),
    "source_node": (
        "source", "rate", "loop", "width", "height", "pixel_format", "frame_id", "camera_info_url",
    ),
}  # fmt: skip


def specs(node: str) -> list[ParameterSpec]:
    """Return the parameters of a node that are launch arguments."""
    table = {spec.name: spec for spec in NODES[node]}
    return [table[name] for name in ARGUMENTS[node]]


def make_nodes(context: LaunchContext) -> list[Node]:
    """Return the nodes that are wanted, with the arguments that were given."""

    def given(argument: str) -> str:
        return LaunchConfiguration(argument).perform(context)

    wanted = ["detector_node"]
    if is_true(given("bridge")):
        wanted.append("bridge_node")
    if given("source"):
        wanted.append("source_node")
    nodes = [make_node(context, name) for name in wanted]
    if is_true(given("rviz")):
        layout = str(config_path("i2t.rviz"))
        nodes.append(Node(package="rviz2", executable="rviz2", arguments=["-d", layout]))
    return nodes


def make_node(context: LaunchContext, name: str) -> Node:
    """Return one node; an argument that is not given leaves the parameter to the node."""
    given = [(spec, LaunchConfiguration(spec.name).perform(context)) for spec in specs(name)]
    parameters = [{spec.name: as_value(spec, text) for spec, text in given if text}]
    params_file = LaunchConfiguration("params_file").perform(context)
    if params_file:
        if not Path(params_file).is_file():  # launch itself would only warn
            raise FileNotFoundError(f"params_file: no such file: {params_file}")
        parameters.insert(0, params_file)
    return Node(
        package="i2t_ros",
        executable=name,
        name=name,
        namespace=LaunchConfiguration("namespace"),
        parameters=parameters,
        remappings=[
            ("image", LaunchConfiguration("image")),
            ("image/compressed", [LaunchConfiguration("image"), "/compressed"]),
        ],
        arguments=["--ros-args", "--log-level", LaunchConfiguration("log_level")],
        output="screen",
    )


def as_value(spec: ParameterSpec, text: str) -> Value:
    """Return a parameter's value, of the type that the node expects."""
    if isinstance(spec.default, str):
        return text  # also where YAML would read something else into it, as into language:=no
    value = yaml.safe_load(text)
    if isinstance(spec.default, list):
        return [str(item) for item in value] if isinstance(value, list) else [text]
    if isinstance(spec.default, float) and isinstance(value, int):
        return float(value)
    return value


def is_true(text: str) -> bool:
    """Return whether an argument says yes."""
    return text.lower() in ("true", "1")


def generate_launch_description() -> LaunchDescription:
    """Return the arguments and the nodes."""
    described: dict[str, str] = {}
    for node in ARGUMENTS:
        for spec in specs(node):
            described.setdefault(spec.name, f"{node}: {spec.text} (empty: {spec.shown})")
    own = {
        "image": ("image", "topic of the camera's images"),
        "params_file": ("", "YAML file of parameters of the nodes"),
        "bridge": ("true", "also start bridge_node, for programs without ROS"),
        "rviz": ("false", "also start rviz2, with the annotated image and the sentence"),
        "namespace": ("", "of all nodes"),
        "log_level": ("info", "debug, info, warn, error"),
    }
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
            OpaqueFunction(function=make_nodes),
        ]
    )
