"""Shows a video, stream, folder or picture to the detector, and runs the bridge.

ros2 launch i2t_ros video.launch.py source:=film.mp4 loop:=false language:=es
"""

from pathlib import Path

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource


def generate_launch_description() -> LaunchDescription:
    """Return i2t.launch.py with a source; its other arguments can be given, too."""
    included = Path(__file__).with_name("i2t.launch.py")
    return LaunchDescription(
        [
            DeclareLaunchArgument(
                "source", description="video file, stream's URL, folder of pictures, or picture"
            ),
            IncludeLaunchDescription(PythonLaunchDescriptionSource(str(included))),
        ]
    )
