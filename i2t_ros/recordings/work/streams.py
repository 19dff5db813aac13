"""The streams of a job, and what records say about their images."""

import re
from collections.abc import Sequence

from i2t_ros.pipeline.description_json import description_from_json
from i2t_ros.recordings.base import Recording, Selection
from i2t_ros.recordings.work.records import Record
from i2t_ros.recordings.writing.base import Stream, Told

LONGEST = 100
"""Letters of a recording's part of a stream's name, which is a part of file names."""


def streams_of(recordings: Sequence[Recording], selection: Selection) -> list[Stream]:
    """Return the streams of all recordings, in order; raises as Recording.topics does."""
    stems: set[str] = set()
    taken: set[str] = set()
    streams = []
    for number, recording in enumerate(recordings):
        topics = recording.topics(selection)
        stem = _free(_plain(recording.name) or recording.kind, stems)
        for topic in topics:
            # Without dots, so that whatever is before the last one is the recording's.
            of_topic = f".{_plain(topic).replace('.', '-')}" if len(topics) > 1 else ""
            name = _free(stem + of_topic, taken)
            path, begin = recording.path, recording.begin()
            streams.append(Stream(number, recording.kind, path, topic, name, begin))
    return streams


def _plain(text: str) -> str:
    """Return a text as a part of a file name: /camera/front becomes camera-front."""
    return re.sub(r"[^\w.-]+", "-", text)[:LONGEST].strip("-.")


def _free(stem: str, taken: set[str]) -> str:
    """Return a name that is not taken, on any file system, and take it."""
    name, number = stem, 1
    while name.lower() in taken:
        number += 1
        name = f"{stem}-{number}"
    taken.add(name.lower())
    return name


def told_of(record: Record, stream: Stream) -> Told:
    """Return what a record says about an image; it must have a description."""
    if record.found is None:
        raise ValueError(f"{record.source}: expected a record with a description")
    return Told(
        stream,
        record.number,
        record.source,
        record.time,
        record.stamp,
        record.frame_id,
        description_from_json(record.found),
        record.found,
        record.thumbnail,
    )
