"""The parameters of source_node; see parameters.py."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from i2t_ros.nodes.parameters.spec import ParameterSpec
from i2t_ros.sources import SourceOptions

_SOURCE = SourceOptions()

SOURCE: tuple[ParameterSpec, ...] = (
    ParameterSpec(
        "source",
        "/dev/video0",
        "a camera (/dev/video0, or 0), a video file, a stream's URL (rtsp, http), a folder of "
        "pictures, a picture, or a GStreamer pipeline that ends in appsink",
    ),
    ParameterSpec(
        "rate",
        _SOURCE.rate,
        "images a second; 0: a video's own, 1 for pictures, all that come from a camera or stream",
        bounds=(0.0, 1000.0),
    ),
    ParameterSpec(
        "loop",
        _SOURCE.loop,
        "begin again at the end of a video or of the pictures; false: wait for a subscriber, show "
        "them once and end the node",
    ),
    ParameterSpec("frame_id", "camera_optical_frame", "of the images' headers"),
    ParameterSpec(
        "width",
        _SOURCE.width,
        "pixels; asked of a camera, which may give others; anything else is scaled; 0: as it is, "
        "or in proportion",
        bounds=(0, 65_535),
    ),
    ParameterSpec("height", _SOURCE.height, "pixels; see width", bounds=(0, 65_535)),
    ParameterSpec(
        "pixel_format",
        _SOURCE.pixel_format,
        "four letters asked of a camera, such as MJPG, with which many have more images a second "
        "at large sizes; none: its default",
    ),
    ParameterSpec(
        "camera_info_url",
        "",
        "calibration to publish as camera_info, in the YAML format of camera_calibration: a path, "
        "file:///path or package://PACKAGE/path; none: no camera_info",
    ),
    ParameterSpec(
        "reliability",
        "reliable",
        "of the image topics; reliable meets every subscriber, best_effort never waits for one",
        choices=("reliable", "best_effort"),
    ),
    ParameterSpec(
        "jpeg_quality",
        90,
        "of image/compressed where it is encoded here, 1 to 100",
        bounds=(1, 100),
    ),
    ParameterSpec(
        "stream_timeout",
        _SOURCE.stream_timeout,
        "seconds that a stream may take to open, and for each image",
        bounds=(0.1, 600.0),
    ),
    ParameterSpec(
        "autostart",
        True,
        "configure and activate at start; false: wait for transitions",
        changes="never",
    ),
)


def source_options(values: Mapping[str, Any]) -> SourceOptions:
    """Return how a source is read; raises InvalidRequestError."""
    names = [field.name for field in dataclasses.fields(SourceOptions)]
    return SourceOptions(**{name: values[name] for name in names})
