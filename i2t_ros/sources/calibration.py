"""A camera's calibration, as ROS's camera_calibration writes it.

Format: YAML with image_width, image_height, camera_name, distortion_model and four matrices, each a
mapping with rows, cols and data (row by row), as in camera_calibration_parsers. The letters are
those of sensor_msgs/CameraInfo.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from i2t_ros.errors import SourceMissingError, SourceUnreadableError

_SHAPES: dict[str, tuple[int, int | None]] = {
    "camera_matrix": (3, 3),
    "distortion_coefficients": (1, None),
    "rectification_matrix": (3, 3),
    "projection_matrix": (3, 4),
}
"""Rows and columns of each matrix; None: any number."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """What a camera does to the world, for images of one size.

    width, height     pixels
    distortion_model  plumb_bob, rational_polynomial or equidistant
    d                 distortion coefficients, as many as the model has
    k                 3x3 camera matrix, pixels, row by row
    r                 3x3 rectification, row by row
    p                 3x4 projection, pixels, row by row
    """

    width: int
    height: int
    distortion_model: str
    d: tuple[float, ...]
    k: tuple[float, ...]
    r: tuple[float, ...]
    p: tuple[float, ...]


def read_calibration(path: Path) -> Calibration:
    """Read a calibration file; raises SourceMissingError, SourceUnreadableError."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise SourceMissingError(f"no such calibration file: {path.absolute()}") from error
    except (OSError, UnicodeError, yaml.YAMLError) as error:
        raise SourceUnreadableError(f"calibration {path.absolute()}: {error}") from error
    try:
        return _calibration(content)
    except (KeyError, TypeError, ValueError) as error:
        what = f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error)
        raise SourceUnreadableError(
            f"calibration {path.absolute()}: {what}; expected a file of camera_calibration"
        ) from error


def _calibration(content: Any) -> Calibration:
    if not isinstance(content, Mapping):
        raise ValueError(f"expected a mapping, got {type(content).__name__}")
    matrices = {name: _matrix(name, content[name]) for name in _SHAPES}
    return Calibration(
        width=int(content["image_width"]),
        height=int(content["image_height"]),
        distortion_model=str(content["distortion_model"]),
        d=matrices["distortion_coefficients"],
        k=matrices["camera_matrix"],
        r=matrices["rectification_matrix"],
        p=matrices["projection_matrix"],
    )


def _matrix(name: str, content: Mapping[str, Any]) -> tuple[float, ...]:
    rows, columns = _SHAPES[name]
    data = tuple(float(number) for number in content["data"])
    got = content["rows"], content["cols"]
    if got[0] != rows or (columns is not None and got[1] != columns):
        raise ValueError(f"{name}: expected {rows}x{columns or 'N'}, got {got[0]}x{got[1]}")
    if len(data) != got[0] * got[1]:
        raise ValueError(f"{name}: expected {got[0] * got[1]} numbers, got {len(data)}")
    return data
