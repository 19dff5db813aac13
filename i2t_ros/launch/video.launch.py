"""Shows a video, stream, folder or picture to the detector, and runs the bridge.

ros2 launch i2t_ros video.launch.py source:=film.mp4 loop:=false language:=es
"""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import ThisLaunchFileDir


def generate_launch_description() -> LaunchDescription:
    """Return i2t.launch.py with a source; its other arguments can be given, too."""
    return LaunchDescription(
        [
            DeclareLaunchArgument(
                "source", description="video file, stream's URL, folder of pictures, or picture"
            ),
            IncludeLaunchDescription(
                PythonLaunchDescriptionSource([ThisLaunchFileDir(), "/i2t.launch.py"])
            ),
        ]
    )
