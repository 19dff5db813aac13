"""Short ways to what many tests need."""

import numpy as np

from i2t_ros.backends.base import BackendOptions
from i2t_ros.pipeline.describer import Describer
from i2t_ros.pipeline.loading import Loaded, OpenOptions
from i2t_ros.pipeline.object_detector import ObjectDetector
from i2t_ros.pipeline.tasks.detect import DetectSettings
from i2t_ros.pipeline.tasks.pose import Poses
from i2t_ros.pipeline.tasks.registry import TASKS
from i2t_ros.types import Picture, PictureHeader, Scene

FIELDS = {
    "detections": "detect",
    "poses": "pose",
    "faces": "faces",
    "texts": "text",
    "classification": "classify",
}


def scene_of(width, height, detections=None, *, failures=None, **found):
    """Return a scene: ``scene_of(4, 4, faces=...)``."""
    results = {FIELDS[name]: found for name, found in {"detections": detections, **found}.items()}
    results = {task: result for task, result in results.items() if result is not None}
    return Scene(width, height, results, failures or {})


def classes_of(labels, scores):
    """Return what the task classify finds."""
    return tuple(zip(labels, scores, strict=True))


def pose_of(points, box=(0, 0, 100, 200), score=0.9, certain=0.9, postures=()):
    """Return one person with these points, all as certain."""
    return Poses([box], [score], [points], np.full((1, 17), certain), (tuple(postures),))


def object_detector(spec, backend):
    """Return a detector of a backend that a test has made."""
    return ObjectDetector(Loaded(spec, backend, "fake", backend.report))


def open_detector(model="auto", backend="auto", *, options=None, **how):
    """Return the detector that a user would get; ``how``: offline, progress."""
    how = OpenOptions(backend=options or BackendOptions(), **how)
    return TASKS["detect"].open(DetectSettings(model, backend), how)


def open_task(task, model="auto", *, options=None, **how):
    """Return a task's runner as a user would get it; ``how``: offline, progress."""
    how = OpenOptions(backend=options or BackendOptions(), **how)
    return TASKS[task].open(TASKS[task].settings(model), how)


def describer_of(detector=None, openers=None, **more):
    """Return a describer with a detector that is there, and what opens the other tasks."""
    own = {} if detector is None else {"detect": lambda: detector}
    return Describer(own | dict(openers or {}), **more)


def picture_of(data, format="jpeg", size=(0, 0)):
    """Return a picture whose header is known."""
    return Picture(data, PictureHeader(format, *size))
