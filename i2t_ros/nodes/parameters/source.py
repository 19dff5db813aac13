"""The parameters of source_node."""

from dataclasses import dataclass, field

from i2t_ros.nodes.parameters.declaration import AUTOSTART
from i2t_ros.options import Option, option, options_of
from i2t_ros.sources import SourceOptions


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """Which images are published, and how."""

    source: str = option(
        "/dev/video0",
        "a camera (/dev/video0, or 0), a video file, a stream's URL (rtsp, http), a folder of "
        "pictures, a picture, or a GStreamer pipeline that ends in appsink",
    )
    reading: SourceOptions = field(default_factory=SourceOptions)
    frame_id: str = option("camera_optical_frame", "coordinate frame in the headers of the images")
    camera_info_url: str = option(
        "",
        "calibration to publish as camera_info, in the YAML format of camera_calibration: a path, "
        "file:///path or package://PACKAGE/path; empty: no camera_info",
    )
    reliability: str = option(
        "reliable",
        "reliability of the image topics; reliable suits every subscriber, best_effort never waits "
        "for one",
        choices=("reliable", "best_effort"),
    )
    jpeg_quality: int = option(
        90, "JPEG quality of image/compressed if it is encoded here, 1 to 100", bounds=(1, 100)
    )


SOURCE: tuple[Option, ...] = (*options_of(SourceSettings), AUTOSTART)
