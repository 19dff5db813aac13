"""One detector for several cameras, with a source_node for each camera without a driver.

    ros2 launch i2t_ros multi_camera.launch.py cameras:=[front,rear]
    ros2 launch i2t_ros multi_camera.launch.py cameras:=[a,b] sources:=[/dev/video0,/dev/video2]

The first command uses the images that drivers publish on front/image and rear/image.
"""

from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription, OpaqueFunction
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import ThisLaunchFileDir
from launch_ros.actions import Node

from i2t_ros.nodes.processes import parameter_file
from i2t_ros.options import Option


def make_sources(context: LaunchContext) -> list[Node]:
    """Return a source_node for each entry of ``sources``, in the namespace of its camera."""
    given = context.launch_configurations
    cameras, sources = (
        Option(name, [], "").written(given[name]) for name in ("cameras", "sources")
    )
    if sources and len(sources) != len(cameras):
        raise RuntimeError(f"sources: expected one for each of {cameras}, got {sources}")
    return [
        Node(
            package="i2t_ros",
            executable="source_node",
            name="source_node",
            namespace="/".join(filter(None, [given["namespace"], camera])),
            parameters=[
                *filter(None, [given["params_file"]]),
                parameter_file({"source": source, "frame_id": f"{camera}_optical_frame"}),
            ],
            output="screen",
        )
        for camera, source in zip(cameras, sources, strict=False)
    ]


def generate_launch_description() -> LaunchDescription:
    """Return i2t.launch.py for the cameras, and their sources."""
    return LaunchDescription(
        [
            DeclareLaunchArgument("cameras", description="their names, such as [front,rear]"),
            DeclareLaunchArgument(
                "sources",
                default_value="",
                description="a camera, video or stream for each, such as "
                "[/dev/video0,/dev/video2]; empty: drivers publish the images",
            ),
            IncludeLaunchDescription(
                PythonLaunchDescriptionSource([ThisLaunchFileDir(), "/i2t.launch.py"])
            ),
            OpaqueFunction(function=make_sources),
        ]
    )
