"""Made-up recordings for reports: told images, runs and moments."""

import functools
import io
import random
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from i2t_ros import language as words
from i2t_ros.pipeline.describe_options import DescribeOptions
from i2t_ros.pipeline.description_json import description_to_json
from i2t_ros.pipeline.telling import tell
from i2t_ros.recordings.base import SECOND, Selection
from i2t_ros.recordings.moments import MomentFinder
from i2t_ros.recordings.report.writer import ReportWriter
from i2t_ros.recordings.writing.base import Run, Stream, Telling, Told
from i2t_ros.types import Description, Detections, Scene

BEGIN = 1_700_000_000 * SECOND
SIZE = 640, 480
CLASSES = (
    *("person", "dog", "car", "bicycle", "chair", "bottle"),
    *("cat", "bus", "truck", "bird", "cup", "book"),
)


def stream_of(name="drive", kind="bag", number=0, **more):
    """Return a stream: ``stream_of("drive", topic="/camera/image_raw")``."""
    known = {"recording": number, "source": f"/data/{name}", "topic": "", "begin": BEGIN}
    if kind == "pictures":
        known["begin"] = None
    return Stream(kind=kind, name=name, **{**known, **more})


def scene_of_counts(counts):
    """Return a scene with so many objects of each class, in boxes beside each other."""
    labels = tuple(counts)
    ids = [at for at, count in enumerate(counts.values()) for _ in range(count)]
    boxes = [(40 * at % 600, 100, 40 * at % 600 + 30, 200) for at in range(len(ids))]
    boxes = np.array(boxes, np.float32).reshape(-1, 4)
    found = Detections(boxes, np.full(len(ids), 0.9), np.array(ids, np.int32), labels)
    return Scene(*SIZE, {"detect": found}, {})


def told_of(stream, number, counts, options=None, *, seconds=None, source="", thumbnail=b""):
    """Return a told image with so many objects of each class, ``seconds`` after the beginning."""
    options = options or DescribeOptions()
    scene = scene_of_counts(counts)
    sentence = tell(scene, options)
    description = Description(scene, sentence, options.language, options.style, "made-up", 0.0)
    return Told(
        stream,
        number,
        source or stream.source,
        None if seconds is None else round(seconds * SECOND),
        None,
        "camera",
        description,
        description_to_json(description),
        thumbnail,
    )


def write_report(folder, streams, images, options=None, *, damage=(), selection=None):
    """Write a report of told images, as the work on recordings does; return its path."""
    telling = Telling(
        streams, selection or Selection(), options or DescribeOptions(), folder=folder
    )
    writer = ReportWriter(telling)
    finders = {stream: MomentFinder() for stream in streams}
    for told in images:
        writer.image(told)
        hand_over(writer, finders[told.stream].follow(told))
    for finder in finders.values():
        hand_over(writer, finder.end())
    for damaged in damage:
        writer.damage(damaged)
    writer.close()
    return Path(folder) / "report.html"


def drive(name="drive", number=0):
    """Return a stream of 100 s: a dog from 20 to 60 s, two people from 40 to 80 s."""
    stream = stream_of(name, number=number, source=f"/data/it's {name}")
    return stream, [
        told_of(
            stream,
            second,
            {
                **({"person": 2} if 40 <= second < 80 else {}),
                **({"dog": 1} if 20 <= second < 60 else {}),
            },
            seconds=second,
            thumbnail=thumbnail((("dog", 1),)),
        )
        for second in range(101)
    ]


def hand_over(writer, found):
    """Give a writer what a MomentFinder has found."""
    for one in found:
        (writer.run if isinstance(one, Run) else writer.moment)(one)


def made_up_images(stream, seconds, options=None, *, classes=CLASSES, seed=1, thumbnails=True):
    """Yield an image each second, in which now and then something comes or goes."""
    chance, counts = random.Random(seed), {}
    for second in range(seconds):
        changed = second == 0
        for at, name in enumerate(classes):
            if chance.random() < 0.04 / (1 + at / 3):
                counts[name] = chance.choice((0, 0, 1, 1, 2, 3))
                changed = True
        seen = {name: count for name, count in counts.items() if count}
        small = thumbnail(tuple(sorted(seen.items()))) if changed and thumbnails else b""
        yield told_of(stream, second, seen, options, seconds=second, thumbnail=small)


@functools.lru_cache(512)
def thumbnail(counts, size=(240, 160)):
    """Return a small JPEG: a street with a colored shape for each object."""
    picture = Image.new("RGB", size, (168, 200, 224))
    pen = ImageDraw.Draw(picture)
    pen.rectangle((0, 90, 240, 160), fill=(96, 104, 108))
    pen.polygon([(100, 90), (140, 90), (240, 160), (0, 160)], fill=(72, 78, 84))
    labels = [name for name, count in counts for _ in range(count)]
    for at, name in enumerate(labels):
        hue = sum(map(ord, name)) * 47 % 360
        left, top = 10 + at * 53 % 200, 62 + at * 29 % 60
        pen.rounded_rectangle((left, top, left + 30, top + 34), 6, fill=f"hsl({hue}, 65%, 55%)")
        pen.rectangle((left - 3, top - 3, left + 33, top + 37), outline="white", width=2)
    data = io.BytesIO()
    picture.save(data, "JPEG", quality=80)
    return data.getvalue()


@functools.cache
def languages():
    """Return the languages that come with the package."""
    return words.load_languages()
