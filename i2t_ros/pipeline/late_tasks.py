"""Tasks that take seconds, beside the images of one camera: which images they get, and when."""

import time
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from i2t_ros.errors import I2tError, NotActiveError
from i2t_ros.language.changes import ChangeTracker
from i2t_ros.pipeline.describe_options import DescribeOptions
from i2t_ros.pipeline.tasks.base import Outcome
from i2t_ros.pipeline.tasks.registry import TASKS, late_tasks
from i2t_ros.pipeline.telling import scene_facts
from i2t_ros.types import Image, Scene, TaskName

Start = Callable[[TaskName, Image, Scene, DescribeOptions], "Future[Outcome]"]


@dataclass(slots=True)
class _Task:
    """One task of one camera.

    running   what it will have found in the image that it is at
    begun     when that image came; before there was one, never
    counts    what the other tasks had found in that image, and how many of each
    asked     what was wanted of it then: its options, and the language
    outcome   what it found last, or why it found nothing, and when that image came
    is_due    whether something has changed since its last image
    """

    running: "Future[Outcome] | None" = None
    begun: float = float("-inf")
    counts: frozenset[tuple[str, str, int]] | None = None
    asked: tuple[Any, str] | None = None
    outcome: tuple[Outcome | I2tError, float] | None = None
    is_due: bool = True


class LateTasks:
    """Gives images of one camera to the tasks that come after the others; waits for none of them.

    A task gets an image if something has appeared or left since its last one, if that failed, or if
    something else is wanted of it, and not before its period is over; it has one image at a time.
    If no other task runs, nothing tells of changes, so it gets an image whenever its period is
    over. Its newest result is added to every scene, with its age, until the next one comes; if that
    one is an error, the error is.

    Use it from one thread at a time.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Know nothing yet; ``clock`` returns seconds."""
        self._clock = clock
        self._changes = ChangeTracker()
        self._tasks: dict[TaskName, _Task] = {}

    def follow(
        self, image: Image, scene: Scene, options: DescribeOptions, start: Start, hold: float = 1.0
    ) -> Scene:
        """Return the scene of the next image with the newest results of these tasks.

        start  gives a task its image: Describer.start_late
        hold   seconds that a change must last to count
        """
        wanted = late_tasks(options.tasks)
        self._tasks = {name: self._tasks.get(name) or _Task() for name in wanted}
        if not wanted:
            return scene
        now = self._clock()
        self._changes.hold = hold
        facts = scene_facts(scene, "changes")
        has_changed = bool(self._changes.update(facts, now))
        counts = frozenset((of.section, one.key, one.count) for of in facts for one in of.found)
        blind = len(wanted) == len(options.tasks)
        results, failures = dict(scene.results), dict(scene.failures)
        for name, task in self._tasks.items():
            # Changes are known after ``hold`` seconds, and its image may have shown them already.
            task.is_due |= blind or (has_changed and counts != task.counts)
            asked = options.task_options[name], options.language
            task.is_due |= asked != task.asked
            self._take(task)
            pause = TASKS[name].period(options.task_options[name])
            if task.running is None and task.is_due and now - task.begun >= pause:
                task.is_due, task.begun = False, now
                task.counts, task.asked = counts, asked
                task.running = start(name, image, scene, options)
            if task.outcome is not None:
                found, since = task.outcome
                if isinstance(found, I2tError):
                    failures[name] = found
                else:
                    results[name] = TASKS[name].aged(found.result, now - since)
        return replace(
            scene, results=MappingProxyType(results), failures=MappingProxyType(failures)
        )

    def _take(self, task: _Task) -> None:
        """Take what the task has found, if it is done with its image."""
        if task.running is None or not task.running.done():
            return
        try:
            task.outcome = task.running.result(), task.begun
        except CancelledError:
            task.outcome = NotActiveError("the task has been closed"), task.begun
        except I2tError as error:
            task.outcome = error, task.begun
            task.is_due = True  # the same image may do better later
        task.running = None
