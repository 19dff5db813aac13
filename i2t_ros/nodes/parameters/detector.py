"""The parameters of detector_node, and the settings made of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Any

from i2t_ros import language as words
from i2t_ros.backends.base import MOST_CALLS
from i2t_ros.backends.cores import usable_cores
from i2t_ros.nodes.parameters.declaration import AUTOSTART
from i2t_ros.options import Option, from_values, option, options_of
from i2t_ros.pipeline.describe_options import DescribeOptions
from i2t_ros.pipeline.loading import OpenOptions
from i2t_ros.pipeline.narrator import SpeechOptions
from i2t_ros.pipeline.reply_cache import CacheLimits
from i2t_ros.pipeline.task_worker import Opener
from i2t_ros.pipeline.tasks.base import Runner
from i2t_ros.pipeline.tasks.registry import TASKS, live_options
from i2t_ros.pipeline.tracking import MEMORY
from i2t_ros.resources import expanded
from i2t_ros.types import TaskName


@dataclass(frozen=True, slots=True)
class DetectorSettings:
    """Where images come from, and how they and Describe requests are processed."""

    opening: OpenOptions = field(default_factory=OpenOptions)
    cameras: tuple[str, ...] = option(
        (), "camera names, each with a topic <name>/image, or name=topic; empty: one topic, image"
    )
    image_transport: str = option(
        "raw",
        "raw: sensor_msgs/Image; compressed: sensor_msgs/CompressedImage on <topic>/compressed",
        choices=("raw", "compressed"),
    )
    depth: tuple[str, ...] = option(
        (),
        "depth images that are registered to a camera's: CAMERA=TOPIC, or TOPIC alone if there is "
        "one camera; sensor_msgs/Image, or CompressedImage if it ends in /compressedDepth. "
        "camera_info is beside it. See docs/guide.md",
    )
    depth_tolerance: float = option(
        0.05,
        "seconds between the stamps of an image and of its depth image at most",
        bounds=(0.0, 10.0),
    )
    target_frame: str = option(
        "",
        "frame of ~/detections_3d and ~/object_markers, to which tf2 leads; needs tf2_ros; empty: "
        "the camera's own frame",
    )
    bridge: str = option(
        "bridge_node",
        "the bridge_node whose WebSocket cameras are this node's cameras too; empty: no bridge",
    )
    reliability: str = option(
        "auto",
        "reliability of the image subscription; auto: reliable if every publisher is, otherwise "
        "best effort",
        choices=("auto", "best_effort", "reliable"),
    )
    max_rate: float = option(
        0.0,
        "at most this many images of each camera are processed each second, on average and by the "
        "time of their arrival; 0: no limit",
        bounds=(0.0, 1000.0),
        changes="live",
    )
    tracking: bool = option(
        False,
        "give objects numbers that stay with them (Detection2D.id) and count only those that have "
        "one; needs the package trackers",
    )
    tracking_memory: float = option(
        MEMORY,
        "seconds for which a tracked object may be out of sight and keep its number",
        bounds=(0.0, 3600.0),
    )
    request_threads: int = option(
        0,
        "Describe requests that are processed at once; 0: as many as the process may use cores, "
        "from 2 to 8. Large pictures leave one of two or more threads to others",
        bounds=(0, 64),
    )
    max_waiting_requests: int = option(
        64,
        "Describe requests that may wait; one more is refused as busy. Half of the places are for "
        "large pictures, too",
        bounds=(0, 10_000),
    )
    request_timeout: float = option(
        10.0,
        "a Describe request that has waited for this many seconds is refused; one that has run for "
        "as many and task_timeout is given up",
        bounds=(0.1, 3600.0),
    )
    task_timeout: float = option(
        30.0,
        "seconds that a task beside detect may take for one image, its loading included",
        bounds=(0.1, 3600.0),
    )
    cache: CacheLimits = field(default_factory=CacheLimits)
    language_folder: str = option(
        "", "folder of language files, or of labels, of your own; see docs/languages.md"
    )

    @property
    def threads(self) -> int:
        """How many Describe requests are processed at once.

        Of each, decoding, drawing and encoding are the work of one thread. With fewer than two the
        backend would wait for them, and so would a GPU with few.
        """
        return self.request_threads or min(max(usable_cores().number, 2), MOST_CALLS)


DETECTOR: tuple[Option, ...] = (
    *(found for task in TASKS.values() for found in options_of(task.settings)),
    *options_of(DetectorSettings),
    AUTOSTART,
    *options_of(DescribeOptions),
    *(found for options in live_options().values() for found in options),
    *options_of(SpeechOptions),
)
"""All parameters of detector_node."""


def describe_options(values: Mapping[str, Any]) -> DescribeOptions:
    """Return the describer's options; raises RequestError for names that do not exist."""
    folder = values["language_folder"]
    languages = words.load_languages(expanded(folder) if folder else None)
    languages.get(values["language"])  # read here: the first image would wait 20 ms for it
    task_options = {name: from_values(task.options, values) for name, task in TASKS.items()}
    return from_values(
        DescribeOptions, values, task_options=MappingProxyType(task_options), languages=languages
    )


def openers(values: Mapping[str, Any]) -> dict[TaskName, Opener]:
    """Return how each task is opened; nothing is opened yet."""
    how = from_values(OpenOptions, values)
    settings = {name: from_values(task.settings, values) for name, task in TASKS.items()}

    def opened(name: TaskName) -> Runner[Any]:
        runner = TASKS[name].open(settings[name], how)
        # Here, so that no image waits for it, also if the task is wanted later.
        words.prepare_labels(getattr(runner, "labels", ()))
        return runner

    return {name: partial(opened, name) for name in TASKS}
