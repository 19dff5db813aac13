"""OpenCV's own detectors where apt's python3-opencv came without the files of opencv-data."""

import runpy
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from making import open_detector

from i2t_ros.backends import opencv
from i2t_ros.backends.base import BackendOptions
from i2t_ros.backends.registry import load_backend
from i2t_ros.errors import BackendUnavailableError
from i2t_ros.models.manifest import find_spec


@pytest.fixture
def without_cascades(monkeypatch, tmp_path):
    monkeypatch.setattr(opencv, "CASCADE_FOLDERS", (str(tmp_path),))
    monkeypatch.setattr(cv2, "data", SimpleNamespace(haarcascades=str(tmp_path)), raising=False)


def test_people_are_found_and_the_report_says_what_is_missing(without_cascades):
    backend = load_backend("opencv", find_spec("opencv_people_faces"), [], BackendOptions())
    assert "HOG people, no faces" in backend.report
    assert "sudo apt install opencv-data" in backend.report
    boxes, scores, classes = backend.infer([np.zeros((240, 320, 3), np.uint8)])
    assert boxes.shape == (0, 4)
    assert scores.dtype == np.float32
    assert classes.shape == (0,)


def test_without_any_weights_either_the_detector_is_degraded(
    without_cascades, monkeypatch, tmp_path
):
    for name in ("I2T_MODEL_PATH", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    detector = open_detector(offline=True)
    assert detector.degraded
    assert "opencv-data" in detector.report
    detector.close()


def test_faces_alone_cannot_be_found(without_cascades):
    with pytest.raises(BackendUnavailableError, match="sudo apt install opencv-data"):
        load_backend("opencv", find_spec("opencv_faces"), [], BackendOptions())


def test_the_files_of_the_distribution_are_enough(monkeypatch):
    if not hasattr(cv2, "data"):
        pytest.skip("this OpenCV brings no cascades")
    monkeypatch.setattr(opencv, "CASCADE_FOLDERS", (cv2.data.haarcascades,))
    monkeypatch.delattr(cv2, "data")
    backend = load_backend("opencv", find_spec("opencv_faces"), [], BackendOptions())
    assert "Haar" in backend.report


@pytest.mark.parametrize(
    "absent", ["typing", "FaceDetectorYN", "HOGDescriptor", "CascadeClassifier"]
)
def test_other_versions_of_opencv_can_be_imported(monkeypatch, absent):
    """Ubuntu 22.04 has 4.5.4 and 24.04 has 4.6, without cv2.typing; 5 has no built-in detectors."""
    monkeypatch.delattr(cv2, absent, raising=False)
    assert "OpenCvBackend" in runpy.run_path(opencv.__file__)
