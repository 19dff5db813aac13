"""What a process or a machine does with one unit: it looks at its images, or renders them."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np

from i2t_ros.errors import I2tError, ImageError, SourceUnreadableError
from i2t_ros.pipeline.describe_options import DescribeOptions
from i2t_ros.pipeline.describer import Describer
from i2t_ros.pipeline.description_json import description_to_json
from i2t_ros.pipeline.making import make_describer, read_options
from i2t_ros.recordings.base import Damage, RecordedImage, Recording
from i2t_ros.recordings.moments import counts_of
from i2t_ros.recordings.open import open_recording
from i2t_ros.recordings.reading.pictures import legible
from i2t_ros.recordings.rendering.registry import renderer_of
from i2t_ros.recordings.work.job import Unit
from i2t_ros.recordings.work.places import PARTS, TOLD, UNITS
from i2t_ros.recordings.work.plan import read_plan
from i2t_ros.recordings.work.records import Record, UnitRecords, decode_records
from i2t_ros.recordings.work.store import open_store
from i2t_ros.recordings.work.streams import told_of
from i2t_ros.types import Image
from i2t_ros.vision.codecs import encode_image

KEEP = 1.0
"""Seconds of work after which records are written: what a crash costs at most."""
MOST_FAILURES = 20
"""Images of a process that may fail one after the other, from its first, before it is not for
them."""
THUMBNAIL = 320
"""Pixels of the longer side of a thumbnail."""
THUMBNAIL_QUALITY = 85
"""For JPEG; it is drawn on and encoded again if it is shown."""

Advance = Callable[[int], None]
"""Is told how many more images are done; it may raise to end the work."""


@dataclass(frozen=True, slots=True)
class Duty:
    """Something to do with one unit.

    kind     "look" or "render"
    careful  whether each image is recorded at once, because a process has died of one
    """

    kind: str
    unit: Unit
    careful: bool = False


class Worker:
    """Does duties, one after the other, with models that are loaded once."""

    def __init__(self, folder: str) -> None:
        """Read the plan in the folder of the results, and load no model yet; raises OSError."""
        self._store = open_store(folder)
        self._plan = read_plan(self._store)
        self._opened: tuple[int, Recording] | None = None

    @cached_property
    def _options(self) -> DescribeOptions:
        return read_options(self._plan.job.values)

    @cached_property
    def _looking(self) -> "_Looking":
        describer = make_describer(self._plan.job.values, progress=False)
        return _Looking(describer, self._options)

    def close(self) -> None:
        """Release the models and the recording."""
        self._leave()
        if "_looking" in vars(self):
            self._looking.describer.close()

    def do(self, duty: Duty, advance: Advance) -> None:
        """Do a duty, or the part of it that is not done yet. Raises I2tError and OSError."""
        {"look": self._look, "render": self._render}[duty.kind](duty, advance)

    def _recording(self, number: int) -> Recording:
        """Return a recording; only the last one is kept, as it may hold a copy of many bytes."""
        if self._opened is None or self._opened[0] != number:
            job = self._plan.job
            self._leave()
            recording = open_recording(job.recordings[number], job)
            if recording.fingerprint() != self._plan.fingerprints[number]:
                raise SourceUnreadableError(
                    f"{recording.path}: it has changed since the work began, or is not the same on "
                    "every machine; name it again with --overwrite"
                )
            self._opened = number, recording
        return self._opened[1]

    def _leave(self) -> None:
        if self._opened is not None:
            self._opened[1].close()
            self._opened = None

    def _look(self, duty: Duty, advance: Advance) -> None:
        """Describe the images of a unit, and keep what was found about once a second."""
        records = UnitRecords(self._store, f"{UNITS}/{duty.unit.name}")
        known, complete = records.load()
        if complete:
            return
        looking = self._looking
        looking.begin(known)
        recording = self._recording(duty.unit.recording)
        fresh: list[Record] = []
        written, due = len(known), time.monotonic() + KEEP
        for item in recording.items(duty.unit.span, self._plan.job.selection, written):
            fresh.append(looking.look(item))
            advance(1)
            if duty.careful or time.monotonic() >= due:
                records.add(written, fresh, last=False)
                written, fresh, due = written + len(fresh), [], time.monotonic() + KEEP
        records.add(written, fresh, last=True)

    def _render(self, duty: Duty, advance: Advance) -> None:
        """Make the unit's part of the annotated recording."""
        recording, unit = self._recording(duty.unit.recording), duty.unit
        streams = {stream.topic: stream for stream in self._plan.streams_of(unit.recording)}
        records = decode_records(self._store.read(f"{TOLD}/{unit.name}.jsonl"))
        told = [told_of(record, streams[record.topic]) for record in records]
        renderer = renderer_of(recording, self._plan.telling(self._options, Path()))
        with self._store.scratch() as folder:
            file = folder / f"{unit.name}.{renderer.ending}"
            renderer.part(unit, told, file)
            self._store.put(file, f"{PARTS}/{file.name}")
        advance(len(told))


class _Looking:
    """Describes the images of units, one unit after the other."""

    def __init__(self, describer: Describer, options: DescribeOptions) -> None:
        self.describer = describer
        self._options = options
        self._counts: dict[str, Counter[str]] = {}
        self._failed = 0
        self._has_succeeded = False

    def begin(self, known: Sequence[Record]) -> None:
        """Begin a unit, of which there are these records already."""
        self._counts = {
            record.topic: counts_of(record.found) for record in known if record.found is not None
        }
        self._has_succeeded = self._has_succeeded or bool(self._counts)

    def look(self, item: RecordedImage | Damage) -> Record:
        """Return what there is to know of an item; raises I2tError if nothing works at all."""
        if isinstance(item, Damage):
            return Record(legible(item.source), item.topic, item.time, damage=item.what)
        where = legible(item.source), item.topic, item.time, item.stamp, item.frame_id
        try:
            image = item.read()
            size = item.size() if item.size else None
            seen = self.describer.describe(image, self._options, size=size, measure=item.measure)
        except ImageError as error:
            return Record(*where, damage=f"{error} [{error.code}]")
        except I2tError as error:
            self._failed += 1
            if not self._has_succeeded and self._failed >= MOST_FAILURES:
                raise
            return Record(*where, damage=f"{error} [{error.code}]")
        self._has_succeeded = True
        found = description_to_json(seen)
        counts = counts_of(found)
        same = item.time is not None and self._counts.get(item.topic) == counts
        self._counts[item.topic] = counts
        thumbnail = b"" if same else _thumbnail(image)
        return Record(*where, found, thumbnail=thumbnail)


def _thumbnail(image: Image) -> bytes:
    height, width = image.shape[:2]
    share = min(1.0, THUMBNAIL / max(width, height))
    small = max(1, round(width * share)), max(1, round(height * share))
    reduced = np.asarray(cv2.resize(image, small, interpolation=cv2.INTER_AREA), np.uint8)
    return bytes(encode_image(reduced, "jpeg", THUMBNAIL_QUALITY))
