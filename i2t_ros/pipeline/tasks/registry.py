"""The tasks there are: those of this package, and those that other packages bring."""

import logging
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from i2t_ros.errors import UnknownTaskError
from i2t_ros.optional import entry_points_of
from i2t_ros.options import Option, options_of
from i2t_ros.pipeline.tasks.base import Task
from i2t_ros.pipeline.tasks.caption import CaptionTask
from i2t_ros.pipeline.tasks.classify import ClassifyTask
from i2t_ros.pipeline.tasks.detect import DetectTask
from i2t_ros.pipeline.tasks.faces import FacesTask
from i2t_ros.pipeline.tasks.pose import PoseTask
from i2t_ros.pipeline.tasks.segment import SegmentTask
from i2t_ros.pipeline.tasks.text import TextTask
from i2t_ros.types import Scene, TaskName

logger = logging.getLogger(__name__)

ENTRY_POINTS = "i2t_ros.tasks"
"""The group under which another package names its tasks: NAME = module:TaskClass."""


def check_tasks(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names of tasks, each once; raises UnknownTaskError for one that does not exist."""
    names = tuple(dict.fromkeys(names))
    for name in names:
        if name not in TASKS:
            raise UnknownTaskError(f"unknown task {name[:40]!r}; tasks are {', '.join(TASKS)}")
    return names


def _all_tasks() -> Mapping[str, Task[Any, Any, Any]]:
    # In the order in which they are drawn and spoken of.
    own: tuple[Task[Any, Any, Any], ...] = (
        *(DetectTask(), SegmentTask(), PoseTask()),
        *(FacesTask(), TextTask(), ClassifyTask()),
        CaptionTask(),
    )
    tasks = {task.name: task for task in own}
    for entry in entry_points_of(ENTRY_POINTS):
        if entry.name in tasks:
            logger.warning("task %s of %s is left out: the name is taken", entry.name, entry.value)
            continue
        try:
            task = entry.load()()
            if not isinstance(task, Task) or task.name != entry.name:
                raise TypeError(f"expected a Task named {entry.name}, got {task!r}")
        except Exception as error:  # another package's fault must not end this one
            logger.warning("task %s of %s is left out: %r", entry.name, entry.value, error)
            continue
        tasks[entry.name] = task
    return MappingProxyType(tasks)


TASKS = _all_tasks()
"""Name -> task."""


def live_options() -> dict[TaskName, tuple[Option, ...]]:
    """Return what is wanted of each image, by task: the options that no task before it has.

    ``segment`` has those of ``detect``.
    """
    known: set[str] = set()
    options = {}
    for name, task in TASKS.items():
        own = options_of(task.options)
        options[name] = tuple(option for option in own if option.name not in known)
        known |= {option.name for option in own}
    return options


def late_tasks(names: Iterable[str]) -> tuple[str, ...]:
    """Return those tasks that come after the others; see Task.after_others."""
    return tuple(name for name in names if TASKS[name].after_others)


def clues_of(scene: Scene) -> list[str]:
    """Return what the tasks found, as lines for a language model; see Task.clues."""
    size = scene.width, scene.height
    found = ((TASKS[name], result) for name, result in scene.results.items())
    return [line for task, result in found for line in task.clues(result, size)]


def scaled_scene(scene: Scene, size: tuple[int, int]) -> Scene:
    """Return the scene of a picture as that of the same picture with another width and height."""
    if size == (scene.width, scene.height):
        return scene
    factors = np.divide(size, (scene.width, scene.height), dtype=np.float32)
    results = {name: TASKS[name].scaled(result, factors) for name, result in scene.results.items()}
    return Scene(*size, MappingProxyType(results), scene.failures)
