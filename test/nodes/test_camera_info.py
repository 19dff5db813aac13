"""Calibration files of camera_calibration."""

import pytest
import yaml

from i2t_ros.errors import SourceMissingError, SourceUnreadableError
from i2t_ros.nodes.messages.camera_info import load_camera_info

CONTENT = {
    "image_width": 640,
    "image_height": 480,
    "camera_name": "front",
    "camera_matrix": {"rows": 3, "cols": 3, "data": [500, 0, 320, 0, 501, 240, 0, 0, 1]},
    "distortion_model": "plumb_bob",
    "distortion_coefficients": {"rows": 1, "cols": 5, "data": [0.1, -0.2, 0.001, 0.002, 0]},
    "rectification_matrix": {"rows": 3, "cols": 3, "data": [1, 0, 0, 0, 1, 0, 0, 0, 1]},
    "projection_matrix": {
        "rows": 3,
        "cols": 4,
        "data": [500, 0, 320, 0, 0, 501, 240, 0, 0, 0, 1, 0],
    },
}


def write(tmp_path, **changes):
    path = tmp_path / "camera.yaml"
    content = {key: value for key, value in (CONTENT | changes).items() if value is not None}
    path.write_text(yaml.safe_dump(content))
    return path


def test_a_calibration_is_read(tmp_path):
    calibration = load_camera_info(str(write(tmp_path)))
    assert (calibration.width, calibration.height) == (640, 480)
    assert calibration.distortion_model == "plumb_bob"
    assert list(calibration.d) == [0.1, -0.2, 0.001, 0.002, 0.0]
    assert calibration.k[4] == 501.0
    assert list(calibration.p[:4]) == [500.0, 0.0, 320.0, 0.0]
    assert sum(calibration.r) == 3.0


def test_numbers_that_yaml_takes_for_texts_are_numbers(tmp_path):
    tiny = {"rows": 1, "cols": 5, "data": ["1e-05", "-2e-06", 0, 0, 0]}
    path = write(tmp_path, distortion_coefficients=tiny)
    assert list(load_camera_info(str(path)).d) == [1e-05, -2e-06, 0, 0, 0]


def test_any_number_of_distortion_coefficients_is_taken(tmp_path):
    eight = {"rows": 1, "cols": 8, "data": [0.5] * 8}
    path = write(tmp_path, distortion_coefficients=eight)
    assert list(load_camera_info(str(path)).d) == [0.5] * 8


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"camera_matrix": None}, "missing required field `camera_matrix`"),
        (
            {"camera_matrix": {"rows": 3, "cols": 3, "data": [1, 2]}},
            "camera_matrix: expected 3x3 numbers, got 2 numbers as 3x3",
        ),
        (
            {"camera_matrix": {"rows": 2, "cols": 2, "data": [1, 2, 3, 4]}},
            "camera_matrix: expected 3x3 numbers, got 4 numbers as 2x2",
        ),
        ({"image_width": "wide"}, "`int`, got `str` .*image_width"),
        ({"distortion_coefficients": [1, 2]}, "distortion_coefficients.*camera_calibration"),
    ],
)
def test_a_bad_calibration_says_what_is_wrong(tmp_path, changes, message):
    with pytest.raises(SourceUnreadableError, match=message):
        load_camera_info(str(write(tmp_path, **changes)))


def test_no_file_and_no_yaml(tmp_path):
    with pytest.raises(SourceMissingError, match=r"none\.yaml"):
        load_camera_info(str(tmp_path / "none.yaml"))
    (tmp_path / "bad.yaml").write_text("{")
    with pytest.raises(SourceUnreadableError, match=r"bad\.yaml"):
        load_camera_info(str(tmp_path / "bad.yaml"))
    (tmp_path / "list.yaml").write_text("[1]")
    with pytest.raises(SourceUnreadableError, match="`object`, got `array`"):
        load_camera_info(str(tmp_path / "list.yaml"))
