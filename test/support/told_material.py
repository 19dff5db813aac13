"""What is told of recordings that nobody has recorded: images, given by the counts in them."""

from collections import Counter
from pathlib import Path

import numpy as np
from making import scene_of

from i2t_ros.language import compose
from i2t_ros.pipeline.describe_options import DescribeOptions
from i2t_ros.pipeline.description_json import description_to_json
from i2t_ros.pipeline.tasks.detect import ObjectFacts, count_objects
from i2t_ros.recordings.base import SECOND, Selection
from i2t_ros.recordings.writing.base import Stream, Telling, Told
from i2t_ros.types import Description, Detections

WIDTH, HEIGHT = 640, 480


def stream_of(name="film", kind="video", *, recording=0, source="", topic="", begin=None):
    """Return a stream: of a video, unless ``kind`` says bag or pictures."""
    return Stream(recording, kind, source or f"{name}.mp4", topic, name, begin)


def objects_of(counts, **more):
    """Return so many objects of each class, beside one another; ``more`` are other fields."""
    names = list(Counter(counts).elements())
    labels = tuple(dict.fromkeys(names))
    return Detections(
        boxes=[[10 * i + 0.5, 20, 10 * i + 40.5, 100] for i in range(len(names))],
        scores=[0.9 - 0.01 * i for i in range(len(names))],
        class_ids=[labels.index(name) for name in names],
        labels=labels,
        **more,
    )


def told_of(stream, number, seconds, found, **how):
    """Return one image; ``found``: counts, or Detections.

    how  sentence, language, style, source, stamp, frame_id, and results of other tasks: poses
    """
    detections = found if isinstance(found, Detections) else objects_of(found)
    how = {"language": "en", "style": "sentence", "source": stream.source, **how}
    place = {name: how.pop(name, default) for name, default in (("stamp", None), ("frame_id", ""))}
    language, style, source = (how.pop(name) for name in ("language", "style", "source"))
    sentence = how.pop("sentence", None)
    if sentence is None:
        sentence = compose([ObjectFacts(count_objects(detections))], language, style)
    scene = scene_of(WIDTH, HEIGHT, detections, **how)
    description = Description(scene, sentence, language, style, "fake", 0.0)
    time = None if seconds is None else round(seconds * SECOND)
    found = description_to_json(description)
    return Told(stream, number, source, time, **place, description=description, found=found)


def told_all(stream, images, **how):
    """Return images of a stream, given as (seconds, counts) or (seconds, counts, sentence)."""
    return [
        told_of(stream, number, seconds, counts, **how, **({"sentence": said[0]} if said else {}))
        for number, (seconds, counts, *said) in enumerate(images)
    ]


def telling_of(folder, *streams):
    """Return what writers are told first."""
    return Telling(streams, Selection(), DescribeOptions(), folder=Path(folder))


def write(kind, folder, images, streams=None):
    """Have a writer of a class write images, and close it."""
    streams = streams or list(dict.fromkeys(told.stream for told in images))
    writer = kind(telling_of(folder, *streams))
    for told in images:
        writer.image(told)
    writer.close()


def outlines_of(*boxes):
    """Return a mask for each box: a triangle in it."""
    from i2t_ros.vision.masks import outlined_masks  # noqa: PLC0415  # few need it

    return outlined_masks(
        [
            [np.float32([[left, top], [right, top], [left, bottom]])]
            for left, top, right, bottom in boxes
        ]
    )
