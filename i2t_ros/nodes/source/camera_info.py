"""Camera calibrations as ROS names and sends them."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from ament_index_python.packages import PackageNotFoundError, get_package_share_directory
from sensor_msgs.msg import CameraInfo
from std_msgs.msg import Header

from i2t_ros.errors import SourceMissingError
from i2t_ros.sources.calibration import Calibration, read_calibration


def load_camera_info(url: str) -> Calibration:
    """Read a calibration: a path, ``file:///path`` or ``package://PACKAGE/path``.

    Raises SourceMissingError, SourceUnreadableError.
    """
    parts = urlsplit(url)
    if parts.scheme == "package":
        try:
            share = get_package_share_directory(parts.netloc)
        except (PackageNotFoundError, ValueError) as error:
            raise SourceMissingError(f"{url}: no package {parts.netloc!r} is installed") from error
        except OSError as error:  # no ROS workspace is sourced
            raise SourceMissingError(f"{url}: {error}") from error
        return read_calibration(Path(share) / unquote(parts.path).lstrip("/"))
    path = unquote(parts.path) if parts.scheme == "file" else url
    return read_calibration(Path(path).expanduser())


def camera_info_to_msg(header: Header, calibration: Calibration) -> CameraInfo:
    """Return the message that goes with an image of this header."""
    return CameraInfo(
        header=header,
        width=calibration.width,
        height=calibration.height,
        distortion_model=calibration.distortion_model,
        d=calibration.d,
        k=calibration.k,
        r=calibration.r,
        p=calibration.p,
    )
