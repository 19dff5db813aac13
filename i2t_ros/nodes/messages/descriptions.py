"""Descriptions as ROS messages, and back."""

from __future__ import annotations

from contextlib import suppress

from builtin_interfaces.msg import Duration
from std_msgs.msg import Header
from vision_msgs.msg import Detection2DArray

from i2t_ros import language as words
from i2t_ros.errors import UnknownLanguageError, error_from_code
from i2t_ros.msg import Description as DescriptionMsg
from i2t_ros.msg import TaskFailure
from i2t_ros.nodes.messages.tasks import converter
from i2t_ros.pipeline.description_json import label_of
from i2t_ros.pipeline.tasks.registry import TASKS
from i2t_ros.types import Description, Scene


def description_to_msg(
    header: Header, description: Description, detections: Detection2DArray | None = None
) -> DescriptionMsg:
    """Return a description. ``detections`` is its message if the caller has made it already."""
    scene = description.scene
    msg = DescriptionMsg(
        header=header,
        width=scene.width,
        height=scene.height,
        sentence=description.sentence,
        language=description.language,
        style=description.style,
        tasks=list(scene.results),
        failures=[
            TaskFailure(task=task, code=error.code, message=str(error))
            for task, error in scene.failures.items()
        ],
        model=description.model,
        elapsed=duration_to_msg(description.elapsed),
        detections=detections or Detection2DArray(header=header),
    )
    for task, result in scene.results.items():
        converter(task).fill(msg, result, label_of(description))
    return msg


def description_from_msg(msg: DescriptionMsg) -> Description:
    """Return a description; a task that this process does not know is left out."""
    scene = Scene(
        msg.width,
        msg.height,
        {task: converter(task).read(msg) for task in msg.tasks if task in TASKS},
        {failure.task: error_from_code(failure.code, failure.message) for failure in msg.failures},
    )
    elapsed = msg.elapsed.sec + msg.elapsed.nanosec / 1e9
    labels = {entry.class_id: entry.label for entry in msg.objects}

    def label(name: str) -> str:
        if name not in labels:
            with suppress(UnknownLanguageError):  # a language that only the detector has
                return words.label(name, msg.language)
        return labels.get(name, name)

    return Description(scene, msg.sentence, msg.language, msg.style, msg.model, elapsed, label)


def duration_to_msg(seconds: float) -> Duration:
    """Return a duration of at least 0 seconds."""
    nanoseconds = max(0, round(seconds * 1e9))
    return Duration(sec=nanoseconds // 10**9, nanosec=nanoseconds % 10**9)
