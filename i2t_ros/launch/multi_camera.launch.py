"""One detector for several cameras, with a source_node for each camera without a driver.

    ros2 launch i2t_ros multi_camera.launch.py cameras:=[front,rear]
    ros2 launch i2t_ros multi_camera.launch.py cameras:=[a,b] sources:=[/dev/video0,/dev/video2]

The first command uses the images that drivers publish on front/image and rear/image.
"""

from pathlib import Path

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource


def generate_launch_description() -> LaunchDescription:
    """Return i2t.launch.py with cameras; its other arguments can be given, too."""
    included = Path(__file__).with_name("i2t.launch.py")
    return LaunchDescription(
        [
            DeclareLaunchArgument("cameras", description="their names, such as [front,rear]"),
            IncludeLaunchDescription(PythonLaunchDescriptionSource(str(included))),
        ]
    )
