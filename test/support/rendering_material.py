"""What is told of recordings in tests: one object in each image, without a model."""

import numpy as np
from making import scene_of

from i2t_ros.pipeline.describe_options import DescribeOptions
from i2t_ros.recordings.base import SECOND, RecordedImage, Selection
from i2t_ros.recordings.work.job import SPAN, Unit
from i2t_ros.recordings.writing.base import Stream, Telling, Told
from i2t_ros.types import Description, Detections

BOX = 8, 8, 40, 40


def stream_of(recording, name="", number=0):
    """Return the stream of a recording that has one."""
    kind, path = recording.kind, recording.path
    return Stream(number, kind, path, "", name or recording.name, recording.begin())


def description_of(width, height, box=BOX):
    """Return a description with one dog."""
    found = Detections(np.float32([box]), np.float32([0.9]), np.int32([0]), ("dog",))
    return Description(scene_of(width, height, found), "One dog.", "en", "list", "fake", 0.0)


def telling_of(folder, *streams, selection=None, **options):
    """Return what writers and renderers get."""
    options = DescribeOptions(**options)
    return Telling(streams, selection or Selection(), options, folder=folder)


def told_of(recording, stream, selection, span, box=BOX):
    """Return what is told of the images of a span that can be read."""
    told = []
    for number, item in enumerate(recording.items(span, selection)):
        if isinstance(item, RecordedImage):
            height, width = item.read().shape[:2]
            width, height = item.size() if item.size else (width, height)
            told.append(
                Told(
                    stream, number, item.source, item.time, item.stamp, item.frame_id,
                    description_of(width, height, box), {},
                )
            )  # fmt: skip
    return told


def rendered(make, recording, folder, *, streams=None, selection=None, length=SPAN, **options):
    """Render a recording part by part; return what join() returns, and the bytes of the parts."""
    selection = selection or Selection()
    streams = streams or [stream_of(recording)]
    own = [stream for stream in streams if stream.source == recording.path]
    folder.mkdir(exist_ok=True)
    telling = telling_of(folder, *streams, selection=selection, **options)
    renderer, parts = make(recording, own, telling), []
    (folder / "parts").mkdir(exist_ok=True)
    for number, span in enumerate(recording.spans(selection, length)):
        unit = Unit(0, number, span)
        parts.append(folder / "parts" / f"{unit.name}.{renderer.ending}")
        renderer.part(unit, told_of(recording, own[0], selection, span), parts[-1])
    return list(renderer.join(parts)), [part.read_bytes() for part in parts]


def seconds(*times):
    """Return nanoseconds."""
    return [round(time * SECOND) for time in times]
