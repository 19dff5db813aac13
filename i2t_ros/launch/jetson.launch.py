"""For a Jetson with a CSI camera: images through the camera hardware, the model on TensorRT.

    ros2 launch i2t_ros jetson.launch.py
    ros2 launch i2t_ros jetson.launch.py sensor:=1 width:=1920 height:=1080

Needs jetson-inference, and the OpenCV of JetPack, which is built with GStreamer. For a USB camera,
use i2t.launch.py source:=/dev/video0 backend:=jetson.
"""

from pathlib import Path

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration

# The hardware scales and converts the images; appsink keeps only the newest one.
PIPELINE = [
    *("nvarguscamerasrc sensor-id=", LaunchConfiguration("sensor")),
    *(" ! video/x-raw(memory:NVMM), width=", LaunchConfiguration("width")),
    *(", height=", LaunchConfiguration("height")),
    *(", framerate=", LaunchConfiguration("rate"), "/1"),
    " ! nvvidconv ! video/x-raw, format=BGRx ! videoconvert ! video/x-raw, format=BGR",
    " ! appsink drop=true max-buffers=1 sync=false",
]


def generate_launch_description() -> LaunchDescription:
    """Return i2t.launch.py with the camera as its source; its arguments can be given, too."""
    included = Path(__file__).with_name("i2t.launch.py")
    return LaunchDescription(
        [
            DeclareLaunchArgument("sensor", default_value="0", description="number of the camera"),
            DeclareLaunchArgument("width", default_value="1280", description="pixels"),
            DeclareLaunchArgument("height", default_value="720", description="pixels"),
            DeclareLaunchArgument("rate", default_value="30", description="images a second"),
            DeclareLaunchArgument("backend", default_value="jetson", description="the backend"),
            DeclareLaunchArgument(
                "source", default_value=PIPELINE, description="the camera's GStreamer pipeline"
            ),
            IncludeLaunchDescription(PythonLaunchDescriptionSource(str(included))),
        ]
    )
