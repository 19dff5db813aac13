"""coco.json: the images and their objects in the form of COCO (https://cocodataset.org/#format-data).

Two keys of an annotation are not COCO's own: its results have ``score``, and other tools know
``track_id``. An image has ``source``, ``topic``, ``seconds`` and ``stamp`` besides.
"""

import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import cache
from typing import Any

import msgspec

from i2t_ros.models.manifest import read_labels
from i2t_ros.recordings.writing.base import Telling, Told, Writer
from i2t_ros.recordings.writing.jsonl import place_of
from i2t_ros.vision.postures import KEY_POINTS, LIMBS, SURE

PERSON = "person"
SAME = 0.3
"""A person's key points belong to a box if the box around them and that one overlap by this much
(intersection over union). The box of key points is the smaller one: it ends at eyes and ankles."""

_encode = msgspec.json.Encoder().encode


class CocoWriter(Writer):
    """Writes images at once, and annotations to a file without a name until all images are there.

    That file is gone when it is closed, or when its process ends.
    """

    def __init__(self, telling: Telling) -> None:
        """See Writer."""
        self._images = self._annotations = 0
        self._categories: dict[str, int] = {}
        self._poses = False
        with ExitStack() as files:
            self._file = files.enter_context(telling.path("coco", "json").open("wb"))
            self._later = files.enter_context(tempfile.TemporaryFile(dir=telling.folder))
            self._file.write(b'{"info":{"description":"made by i2t annotate"},\n"images":[')
            self._files = files.pop_all()

    def image(self, told: Told) -> None:
        """See Writer."""
        self._images += 1
        size = told.description.scene
        row = {
            "id": self._images,
            "file_name": _file_name(told),
            "width": size.width,
            "height": size.height,
        }
        self._file.write(_item(row | place_of(told), self._images))
        for found in self._objects(told.found):
            self._annotations += 1
            known = {"id": self._annotations, "image_id": self._images}
            self._later.write(_item(known | found, self._annotations))

    def close(self) -> None:
        """See Writer."""
        with self._files:
            self._file.write(b'\n],\n"annotations":[')
            self._later.seek(0)
            shutil.copyfileobj(self._later, self._file)
            self._file.write(b'\n],\n"categories":[')
            named = sorted(self._categories.items(), key=lambda item: item[1])
            for number, (name, category) in enumerate(named, 1):
                self._file.write(_item(self._category(name, category), number))
            self._file.write(b"\n]}\n")

    def _objects(self, found: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Yield the annotations of an image: its objects, and people of whom only points are known.

        Without their ids.
        """
        poses = list(found.get("poses") or ())
        self._poses |= found.get("poses") is not None
        for item in found.get("detections") or ():
            annotation = self._annotation(item["class_id"], item)
            if item["class_id"] == PERSON and found.get("poses") is not None:
                annotation |= _key_points(_take_pose(poses, item["box"]))
            yield annotation
        for pose in poses:
            yield self._annotation(PERSON, pose) | _key_points(pose)

    def _annotation(self, name: str, item: Mapping[str, Any]) -> dict[str, Any]:
        left, top, right, bottom = item["box"]
        width, height = round(right - left, 3), round(bottom - top, 3)
        # A line with fewer than three corners is no polygon, and four numbers are a box to COCO.
        polygons = [line for line in item.get("polygons") or () if len(line) >= 6]
        area = sum(map(_area, polygons)) if polygons else width * height
        annotation = {
            "category_id": self._category_id(name),
            "bbox": [left, top, width, height],
            "area": round(area, 3),
            "iscrowd": 0,
            "segmentation": polygons,
            "score": item["score"],
        }
        if item.get("track_id") is not None:
            annotation["track_id"] = item["track_id"]
        return annotation

    def _category_id(self, name: str) -> int:
        """Return the id of a class: COCO's own, or else the next one after these."""
        if name not in self._categories:
            own = coco_ids()
            others = len(self._categories.keys() - own.keys())
            self._categories[name] = own.get(name) or max(own.values()) + 1 + others
        return self._categories[name]

    def _category(self, name: str, category: int) -> dict[str, Any]:
        row: dict[str, Any] = {"id": category, "name": name, "supercategory": "none"}
        if name == PERSON and self._poses:
            lines = [[KEY_POINTS.index(end) + 1 for end in limb] for limb in LIMBS]
            row |= {"keypoints": KEY_POINTS, "skeleton": lines}
        return row


@cache
def coco_ids() -> Mapping[str, int]:
    """Return COCO's 80 classes with their ids, which are 1 to 90 with ten left out."""
    used, numbered = (read_labels(name, "coco.json") for name in ("coco80", "coco91"))
    return {name: numbered.index(name) for name in used}


def _item(row: Mapping[str, Any], number: int) -> bytes:
    """Return an item of an array, on a line of its own."""
    return (b"\n" if number == 1 else b",\n") + _encode(row)


def _file_name(told: Told) -> str:
    """Return the file of a picture; for an image that is in no file of its own, a name."""
    if not told.stream.timed:
        return told.source
    return f"{told.stream.name}/{told.number:06d}.jpg"


def _take_pose(poses: list[Mapping[str, Any]], box: Sequence[float]) -> Mapping[str, Any] | None:
    """Take out and return the person whose box is most like this one; None if none is."""
    best = max(poses, key=lambda pose: _overlap(pose["box"], box), default=None)
    if best is None or _overlap(best["box"], box) < SAME:
        return None
    poses.remove(best)
    return best


def _key_points(pose: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the certain points, each x, y and 2; three zeros stand for one that is not certain."""
    numbers: list[float] = []
    for name in KEY_POINTS:
        x, y, score = pose["points"][name] if pose else (0, 0, 0)
        numbers += [x, y, 2] if score >= SURE else [0, 0, 0]
    return {"keypoints": numbers, "num_keypoints": sum(map(bool, numbers[2::3]))}


def _overlap(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the intersection of two boxes over their union."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    common = max(width, 0.0) * max(height, 0.0)
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return common / (areas - common) if areas > common else 0.0


def _area(line: Sequence[float]) -> float:
    """Return the area inside a closed line of x, y, x, y and so on (the shoelace formula)."""
    xs, ys = line[0::2], line[1::2]
    return abs(sum(xs[i - 1] * ys[i] - xs[i] * ys[i - 1] for i in range(len(xs)))) / 2
