"""Reads camera calibrations, in the YAML format of ROS's camera_calibration."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

import msgspec
from ament_index_python.packages import PackageNotFoundError, get_package_share_directory
from sensor_msgs.msg import CameraInfo

from i2t_ros.errors import SourceMissingError, SourceUnreadableError
from i2t_ros.resources import expanded, load_yaml


class _Matrix(msgspec.Struct):
    """A matrix, row by row, as in camera_calibration_parsers."""

    rows: int
    cols: int
    data: list[float]


class _Calibration(msgspec.Struct):
    image_width: int
    image_height: int
    distortion_model: str
    distortion_coefficients: _Matrix
    camera_matrix: _Matrix
    rectification_matrix: _Matrix
    projection_matrix: _Matrix


_SHAPES = {"camera_matrix": (3, 3), "rectification_matrix": (3, 3), "projection_matrix": (3, 4)}
"""Rows and columns of each matrix; there may be any number of distortion coefficients."""


def load_camera_info(url: str) -> CameraInfo:
    """Read a calibration from a path, ``file:///path`` or ``package://PACKAGE/path``.

    Raises SourceMissingError, SourceUnreadableError.
    """
    path = _path_of(url)
    try:
        # Not strict: some write 1e-05, which YAML takes for a text.
        found = msgspec.convert(load_yaml(path), _Calibration, strict=False)
        for name, (rows, cols) in _SHAPES.items():
            matrix = getattr(found, name)
            got = matrix.rows, matrix.cols, len(matrix.data)
            if got != (rows, cols, rows * cols):
                expected = f"expected {rows}x{cols} numbers"
                raise ValueError(f"{name}: {expected}, got {got[2]} numbers as {got[0]}x{got[1]}")
    except FileNotFoundError as error:
        raise SourceMissingError(f"no such calibration file: {path.absolute()}") from error
    except (OSError, ValueError) as error:
        raise SourceUnreadableError(
            f"calibration {path.absolute()}: {error}; expected a file of camera_calibration"
        ) from error
    return CameraInfo(
        width=found.image_width,
        height=found.image_height,
        distortion_model=found.distortion_model,
        d=found.distortion_coefficients.data,
        k=found.camera_matrix.data,
        r=found.rectification_matrix.data,
        p=found.projection_matrix.data,
    )


def _path_of(url: str) -> Path:
    parts = urlsplit(url)
    if parts.scheme == "package":
        try:
            share = get_package_share_directory(parts.netloc)
        except (PackageNotFoundError, ValueError) as error:
            raise SourceMissingError(f"{url}: no package {parts.netloc!r} is installed") from error
        except OSError as error:  # no ROS workspace is sourced
            raise SourceMissingError(f"{url}: {error}") from error
        return Path(share) / unquote(parts.path).lstrip("/")
    return expanded(unquote(parts.path) if parts.scheme == "file" else url)
