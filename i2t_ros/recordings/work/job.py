"""What is to be done with recordings, as plain values that other processes and machines get."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from i2t_ros.recordings.base import SECOND, Selection, Span

SPAN = 30 * SECOND
"""Nanoseconds of a recording that are worked on as a whole. Short enough that all processors have
work until the end, and long enough that finding the beginning of a span in a video costs little."""
COPIES = ("images", "all", "none")
"""What of a bag goes into the annotated one: the selected images, with the camera_info beside them;
every topic; or nothing, for one that is played together with the original."""


@dataclass(frozen=True, slots=True)
class Job:
    """What to find in which recordings, and what to write.

    recordings  paths or URLs
    values      of the options of describing, as the command line gives them; see
                pipeline.making.read_options
    depth       topic of images -> topic of the depth images that belong to them
    track       whether objects get track ids
    outputs     names of what is written; see recordings.writing.registry
    """

    recordings: tuple[str, ...]
    selection: Selection
    values: Mapping[str, Any]
    depth: tuple[tuple[str, str], ...] = ()
    track: bool = False
    outputs: tuple[str, ...] = ()
    copy: str = "images"


@dataclass(frozen=True, slots=True)
class Unit:
    """A span of one of the job's recordings; ``number`` counts the spans of that one, from 0."""

    recording: int
    number: int
    span: Span

    @property
    def name(self) -> str:
        """For files; in alphabetical order, units are in the order of the job."""
        return f"{self.recording:05d}-{self.number:06d}"
