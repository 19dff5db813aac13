"""What is measured with: a model and photos from the shared folder, or what there is without it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from i2t_ros.backends.base import BackendOptions
from i2t_ros.pipeline.describer import Describer
from i2t_ros.pipeline.loading import OpenOptions
from i2t_ros.pipeline.object_detector import ObjectDetector
from i2t_ros.pipeline.tasks.detect import DetectSettings, DetectTask

SHARED = Path(os.environ.get("I2T_SHARED") or Path(__file__).resolve().parents[2] / "shared")


def photo(width: int = 640, height: int = 480, name: str = "images/pets.jpg") -> np.ndarray:
    """Return a photo in that size, BGR, or soft noise where there is none."""
    path = SHARED / name
    image = cv2.imread(str(path)) if path.exists() else None
    if image is None:
        noise = np.random.default_rng(1).integers(0, 256, (480, 640, 3), np.uint8)
        image = cv2.GaussianBlur(noise, (9, 9), 3)
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)


def jpeg(image: np.ndarray) -> bytes:
    """Return a picture as a camera or a client would send it."""
    return cv2.imencode(".jpg", image)[1].tobytes()


def model() -> str:
    """Return what to give for ``model``: yolox_nano where it is at hand, else the best there is."""
    path = SHARED / "models" / "yolox_nano.onnx"
    return str(path) if path.exists() else "auto"


def open_detector(
    model: str, backend: str = "auto", *, options: BackendOptions | None = None
) -> ObjectDetector:
    """Return a detector of what is on this machine."""
    how = OpenOptions(offline=True, backend=options or BackendOptions())
    return DetectTask().open(DetectSettings(model, backend), how)


def detector() -> ObjectDetector:
    return open_detector(model())


def describer() -> Describer:
    return Describer({"detect": detector})


def bare_engine(of: ObjectDetector, image: np.ndarray) -> Callable[[], list[np.ndarray]]:
    """Return the call that nobody can save: the engine on a tensor that is ready."""
    first, *constants = of.prepare(image).inputs
    inputs = [first.copy(), *constants]
    return lambda: of._backend.infer(inputs)
