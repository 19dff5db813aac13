"""The depth images of a bag: which one belongs to an image, and where its objects are.

As in a live detector, it is the one whose stamp is nearest to the image's. Here it may come later:
all that were recorded about the same time are looked at. The camera is that of the first good
camera_info beside the depth images, because cameras seldom change while they are recorded.
"""

from collections import OrderedDict
from dataclasses import replace
from typing import NamedTuple

from i2t_ros.errors import ImageError, InvalidRequestError
from i2t_ros.recordings.base import SECOND
from i2t_ros.recordings.reading.bag_contents import Bag, BagReading
from i2t_ros.recordings.reading.bag_images import IMAGES, INFO, depth_of, header_of, parse
from i2t_ros.recordings.reading.bag_parts import DamagedPartError, Found
from i2t_ros.types import Scene
from i2t_ros.vision.depth import DepthImage, Intrinsics, intrinsics, locate
from i2t_ros.vision.image_messages import camera_info_topic

TOLERANCE = SECOND // 20
"""Nanoseconds between the stamps of an image and of its depth image at most: the default of
detector_node."""
AROUND = SECOND
"""Nanoseconds by which one of them may have been recorded later than the other."""
MOST_STAMPS = 10_000
"""Depth images whose stamps are kept."""
MOST_INFOS = 100
"""Messages of camera_info that are tried."""


class _Place(NamedTuple):
    """Where a depth image is: the number of its file, and where it is there."""

    file: int
    found: Found


class BagDepth:
    """Measures the objects in the images of one topic, while the bag is open."""

    def __init__(self, bag: Bag, reading: BagReading, topic: str) -> None:
        """``topic`` has the depth images; raises InvalidRequestError if it has none."""
        kind = bag.topics[topic].kind if topic in bag.topics else ""
        if kind not in IMAGES:
            there = ", ".join(n for n, t in sorted(bag.topics.items()) if t.kind in IMAGES)
            raise InvalidRequestError(
                f"{bag.path} has no depth images on {topic}; topics with images: {there}"
            )
        self._bag = bag
        self._reading = reading
        self._topic = topic
        self._kind = kind
        self._camera: Intrinsics | None = None
        self._looked = False
        self._stamps: OrderedDict[_Place, int | None] = OrderedDict()

    def measure(self, scene: Scene, time: int, stamp: int | None) -> Scene:
        """Return a scene with the positions of its objects, if they can be measured.

        time   of the image, nanoseconds since 1970, by the recorder's clock
        stamp  of its header
        """
        found, camera = scene.detections, self._model()
        if not found or stamp is None or camera is None:
            return scene
        depth = self._nearest(time, stamp)
        if depth is None:
            return scene
        located = locate(found, (scene.width, scene.height), depth, camera)
        return scene.with_detections(replace(found, positions=located.positions))

    def _nearest(self, time: int, stamp: int) -> DepthImage | None:
        """Return the depth image of a stamp, of several the last one."""
        nearest, least = None, TOLERANCE
        start, end = time - AROUND, time + AROUND + 1
        for file, part in self._reading.find({self._topic}, start, end, start):
            if isinstance(part, Found):
                place = _Place(file, part)
                other = self._stamp(place)
                if other is not None and abs(other - stamp) <= least:
                    nearest, least = place, abs(other - stamp)
        if nearest is None:
            return None
        try:
            return depth_of(parse(self._reading.read(*nearest), self._kind), self._kind)
        except (ImageError, DamagedPartError, OSError):
            return None

    def _stamp(self, place: _Place) -> int | None:
        if place not in self._stamps:
            try:
                stamp = header_of(parse(self._reading.read(*place), self._kind)).stamp
            except (ImageError, DamagedPartError, OSError):
                stamp = None
            self._stamps[place] = stamp
            if len(self._stamps) > MOST_STAMPS:
                self._stamps.popitem(last=False)
        return self._stamps[place]

    def _model(self) -> Intrinsics | None:
        """Return the camera of the depth images; None if nothing tells."""
        if not self._looked:
            self._looked = True
            self._camera = self._read_model()
        return self._camera

    def _read_model(self) -> Intrinsics | None:
        topic = camera_info_topic(self._topic)
        if topic not in self._bag.topics or self._bag.topics[topic].kind != INFO:
            return None
        tried = 0
        for file, part in self._reading.find({topic}, self._bag.begin, self._bag.end, 0):
            if tried >= MOST_INFOS:
                break
            if isinstance(part, Found):
                tried += 1
                try:
                    message = parse(self._reading.read(file, part), INFO)
                    return intrinsics(message.k, message.p, message.width, message.height)
                except (ImageError, DamagedPartError, OSError, ValueError):
                    continue
        return None
