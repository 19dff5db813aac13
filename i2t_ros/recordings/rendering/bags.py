"""The annotated form of a bag: what was found, beside the images, in an MCAP bag of its own."""

import heapq
import importlib
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import ClassVar, NamedTuple

from i2t_ros.errors import InvalidRequestError
from i2t_ros.installation import how_to_install
from i2t_ros.optional import needed_for
from i2t_ros.recordings.base import Recording
from i2t_ros.recordings.reading.bag_images import INFO
from i2t_ros.recordings.reading.bag_parts import LATEST_TIME, Found, Topic
from i2t_ros.recordings.reading.bags import BagRecording
from i2t_ros.recordings.reading.mcap_chunks import McapReading
from i2t_ros.recordings.reading.mcap_index import read_index
from i2t_ros.recordings.rendering.bag_messages import KINDS, messages_of
from i2t_ros.recordings.rendering.bag_writing import our_topic, writing
from i2t_ros.recordings.rendering.base import Renderer
from i2t_ros.recordings.work.job import Unit
from i2t_ros.recordings.writing.base import Stream, Telling, Told
from i2t_ros.vision.image_messages import camera_info_topic


class _Message(NamedTuple):
    topic: Topic
    time: int
    published: int
    data: memoryview


class BagRenderer(Renderer):
    """Writes the folder ``annotated``, a bag of rosbag2 with one MCAP file.

    A topic of images has topics beside it, by KINDS. Their messages have the time and the header of
    the image. Topics of the recording that have the same names are left out: it may be an annotated
    one itself.
    """

    ending: ClassVar[str] = "mcap"

    def __init__(self, recording: Recording, streams: Sequence[Stream], telling: Telling) -> None:
        """See Renderer."""
        with needed_for("writing bags", how_to_install("recordings")):
            for module in ("mcap.writer", "rosbags.typesys", "zstandard"):
                importlib.import_module(module)
        super().__init__(recording, streams, telling)
        self._ours = {
            name: our_topic(name, kind)
            for stream in streams
            for ending, kind in KINDS.items()
            for name in [f"{stream.topic}/{ending}"]
        }

    @property
    def _bag(self) -> BagRecording:
        bag = self.recording.here()
        if not isinstance(bag, BagRecording):
            raise InvalidRequestError(f"expected a bag to annotate, got {bag.kind}")
        return bag

    def part(self, unit: Unit, told: Sequence[Told], file: Path) -> None:
        """See Renderer.part."""
        begin = self._bag.begin() or 0
        with writing(file) as bag:
            for one in told:
                time = begin + (one.time or 0)
                measured = one.stream.topic in self._bag.depth
                for name, data in messages_of(one, self.telling.options, measured=measured):
                    bag.add(self._ours[name], time, time, data)

    def join(self, parts: Sequence[Path]) -> Sequence[Path]:
        """See Renderer.join."""
        folder = self.telling.folder / self._folder()
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{folder.name}_0.mcap"
        ours = chain.from_iterable(self._read(part) for part in parts if part.stat().st_size)
        with writing(file) as bag:
            for message in heapq.merge(self._originals(), ours, key=lambda message: message.time):
                bag.add(*message)
        (folder / "metadata.yaml").write_bytes(bag.metadata(file.name, self._bag.begin() or 0))
        return [folder]

    def _folder(self) -> str:
        """Return the name of the folder; that of the recording is in it if there are several."""
        streams = self.telling.streams
        if len({stream.recording for stream in streams}) < 2:
            return "annotated"
        name = self.streams[0].name
        if len(self.streams) > 1:
            name = name.rpartition(".")[0]  # see work.streams.streams_of
        return f"annotated.{name}"

    def _originals(self) -> Iterator[_Message]:
        """Yield the messages of the recording that are wanted."""
        topics = self._bag.bag().detailed_topics()
        images = [stream.topic for stream in self.streams]
        wanted = {"all": set(topics), "none": set()}.get(self.telling.copy)
        if wanted is None:
            infos = {camera_info_topic(topic) for topic in images}
            wanted = {
                *images,
                *(name for name in infos & topics.keys() if topics[name].kind == INFO),
            }
        wanted -= self._ours.keys()
        for found, data in self._bag.messages(self.telling.selection, wanted):
            yield _Message(topics[found.topic], found.time, found.published, data)

    def _read(self, part: Path) -> Iterator[_Message]:
        reading = McapReading(part, read_index(part))
        try:
            for found in reading.find(self._ours, 0, LATEST_TIME, 0):
                if not isinstance(found, Found):
                    raise OSError(f"{part}: {found.what}")
                data = reading.read(found)
                yield _Message(self._ours[found.topic], found.time, found.published, data)
        finally:
            reading.close()
