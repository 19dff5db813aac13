"""detections.jsonl: a line an object, and images.jsonl: a line an image."""

from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

import msgspec

from i2t_ros.recordings.base import SECOND
from i2t_ros.recordings.moments import counts_of
from i2t_ros.recordings.writing.base import Telling, Told, Writer

_encode = msgspec.json.Encoder().encode


def place_of(told: Told) -> dict[str, Any]:
    """Return where an image is: the first columns of every table.

    seconds   from the beginning of the recording, by the recorder's clock
    stamp     nanoseconds since 1970, of the message's header
    frame_id  of the same: the frame of x, y and z
    """
    return {
        "source": told.source,
        "topic": told.stream.topic or None,
        "seconds": None if told.time is None else told.time / SECOND,
        "stamp": told.stamp,
        "frame_id": told.frame_id or None,
    }


def object_rows(told: Told) -> list[dict[str, Any]]:
    """Return a row for each object, the best first; what is not known is None.

    The columns are those of `i2t describe --csv`, and those of place_of().
    """
    return [place_of(told) | _columns(found) for found in told.found.get("detections") or ()]


def _columns(found: Mapping[str, Any]) -> dict[str, Any]:
    x, y, z = found.get("position") or (None,) * 3
    left, top, right, bottom = found["box"]
    return {
        "class_id": found["class_id"],
        "label": found["label"],
        "score": found["score"],
        "left": left,
        "top": top,
        "right": right,
        "bottom": bottom,
        "track_id": found.get("track_id"),
        "distance": found.get("distance"),
        "x": x,
        "y": y,
        "z": z,
        "color": found.get("color"),
    }


class JsonLinesWriter(Writer):
    """Writes both files; `i2t find` reads images.jsonl."""

    def __init__(self, telling: Telling) -> None:
        """See Writer."""
        with ExitStack() as files:
            objects, images = (
                files.enter_context(telling.path(stem, "jsonl").open("wb"))
                for stem in ("detections", "images")
            )
            self._objects, self._images = objects, images
            self._files = files.pop_all()

    def image(self, told: Told) -> None:
        """See Writer."""
        for row in object_rows(told):
            self._objects.write(_encode(row) + b"\n")
        row = place_of(told) | {
            "recording": told.stream.recording,
            "stream": told.stream.name,
            "number": told.number,
            "counts": dict(sorted(counts_of(told.found).items())),
            "language": told.description.language,
            "sentence": told.description.sentence,
        }
        self._images.write(_encode(row) + b"\n")

    def close(self) -> None:
        """See Writer."""
        self._files.close()
