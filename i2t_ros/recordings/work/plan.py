"""The plan of a job: its units and streams, the same for everybody who works on it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import msgspec

from i2t_ros.pipeline.describe_options import DescribeOptions
from i2t_ros.recordings.base import Damage, Span
from i2t_ros.recordings.open import open_recording
from i2t_ros.recordings.work.job import SPAN, Job, Unit
from i2t_ros.recordings.work.places import MADE, PLAN
from i2t_ros.recordings.work.store import Store
from i2t_ros.recordings.work.streams import streams_of
from i2t_ros.recordings.writing.base import Stream, Telling

FORMAT = 1
"""Of the plan and the records; another number does not go on where an older version stopped."""


@dataclass(frozen=True)
class Plan:
    """What is to be done.

    fingerprints  of the recordings, which change if a recording does
    spans         of each recording
    """

    job: Job
    fingerprints: tuple[str, ...]
    streams: tuple[Stream, ...]
    spans: tuple[tuple[Span, ...], ...]
    format: int = FORMAT

    @cached_property
    def units(self) -> Sequence[Unit]:
        """All units, in order."""
        return [unit for number in range(len(self.spans)) for unit in self.units_of(number)]

    def units_of(self, recording: int) -> Sequence[Unit]:
        """Return the units of one recording, in order."""
        spans = enumerate(self.spans[recording])
        return [Unit(recording, number, span) for number, span in spans]

    def streams_of(self, recording: int) -> list[Stream]:
        """Return the streams of one recording."""
        return [stream for stream in self.streams if stream.recording == recording]

    def telling(self, options: DescribeOptions, folder: Path) -> Telling:
        """Return what writers and renderers know before the first image."""
        job = self.job
        return Telling(self.streams, job.selection, options, job.track, job.copy, folder)

    def to_json(self) -> bytes:
        """Return the plan as JSON; of equal plans the same bytes."""
        return _json(self)


@dataclass(frozen=True)
class Made:
    """What has been made: the whole of annotate.json, which is written last.

    files    relative to the folder of the results
    images   how many were described
    damaged  how many parts of recordings could not be read, or images described
    damage   the first of these
    """

    plan: Plan
    files: tuple[str, ...]
    images: int
    damaged: int
    damage: tuple[Damage, ...]

    def to_json(self) -> bytes:
        """Return it as JSON; of equal results the same bytes."""
        return _json(self)


def make_plan(job: Job) -> Plan:
    """Look at the recordings of a job; raises SourceError and InvalidRequestError."""
    recordings = [open_recording(path, job) for path in job.recordings]
    streams = streams_of(recordings, job.selection)
    return Plan(
        job,
        tuple(recording.fingerprint() for recording in recordings),
        tuple(streams),
        tuple(tuple(recording.spans(job.selection, SPAN)) for recording in recordings),
    )


def read_plan(store: Store) -> Plan:
    """Return the plan of the work in a folder; raises OSError and msgspec.MsgspecError."""
    return msgspec.json.decode(store.read(PLAN), type=Plan)


def read_made(store: Store) -> Made:
    """Return what has been made in a folder; raises OSError and msgspec.MsgspecError."""
    return msgspec.json.decode(store.read(MADE), type=Made)


def _json(value: object) -> bytes:
    plain = msgspec.to_builtins(value, order="sorted")
    return msgspec.json.format(msgspec.json.encode(plain), indent=1) + b"\n"
