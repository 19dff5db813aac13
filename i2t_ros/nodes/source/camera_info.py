"""Reads camera calibrations, in the YAML format of ROS's camera_calibration.

A file has image_width, image_height, camera_name, distortion_model and four matrices. Each matrix
is a mapping with rows, cols and data (row by row), as in camera_calibration_parsers.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import yaml
from ament_index_python.packages import PackageNotFoundError, get_package_share_directory
from sensor_msgs.msg import CameraInfo

from i2t_ros.errors import SourceMissingError, SourceUnreadableError

_MATRICES = {
    "d": ("distortion_coefficients", 1, None),
    "k": ("camera_matrix", 3, 3),
    "r": ("rectification_matrix", 3, 3),
    "p": ("projection_matrix", 3, 4),
}
"""Field of CameraInfo -> name in the file, rows, columns (None: any number)."""


def load_camera_info(url: str) -> CameraInfo:
    """Read a calibration from a path, ``file:///path`` or ``package://PACKAGE/path``.

    Raises SourceMissingError, SourceUnreadableError.
    """
    path = _path_of(url)
    try:
        return _camera_info(yaml.safe_load(path.read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise SourceMissingError(f"no such calibration file: {path.absolute()}") from error
    except (OSError, UnicodeError, yaml.YAMLError) as error:
        raise SourceUnreadableError(f"calibration {path.absolute()}: {error}") from error
    except (KeyError, TypeError, ValueError) as error:
        reason = f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error)
        raise SourceUnreadableError(
            f"calibration {path.absolute()}: {reason}; expected a file of camera_calibration"
        ) from error


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
    return Path(unquote(parts.path) if parts.scheme == "file" else url).expanduser()


def _camera_info(content: Any) -> CameraInfo:
    if not isinstance(content, Mapping):
        raise ValueError(f"expected a mapping, got {type(content).__name__}")
    return CameraInfo(
        width=int(content["image_width"]),
        height=int(content["image_height"]),
        distortion_model=str(content["distortion_model"]),
        **{
            field: _matrix(name, content[name], rows, columns)
            for field, (name, rows, columns) in _MATRICES.items()
        },
    )


def _matrix(name: str, content: Mapping[str, Any], rows: int, columns: int | None) -> list[float]:
    data = [float(number) for number in content["data"]]
    got = content["rows"], content["cols"]
    if got != (rows, columns or got[1]):
        raise ValueError(f"{name}: expected {rows}x{columns or 'N'}, got {got[0]}x{got[1]}")
    if len(data) != got[0] * got[1]:
        raise ValueError(f"{name}: expected {got[0] * got[1]} numbers, got {len(data)}")
    return data
