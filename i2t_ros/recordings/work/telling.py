"""From what was found in each image to what writers get: tracks, changes, runs and moments."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import count

from i2t_ros.pipeline.describe_options import DescribeOptions
from i2t_ros.pipeline.description_json import description_to_json
from i2t_ros.pipeline.narrator import Narrator, SpeechOptions
from i2t_ros.pipeline.telling import draw
from i2t_ros.pipeline.tracking import ObjectTracker
from i2t_ros.recordings.base import SECOND, Damage
from i2t_ros.recordings.moments import MomentFinder
from i2t_ros.recordings.work.records import Record
from i2t_ros.recordings.work.streams import told_of
from i2t_ros.recordings.writing.base import Moment, Run, Stream, Told, Writer
from i2t_ros.types import Picture
from i2t_ros.vision.codecs import decode_image, encode_image

QUALITY = 75
"""Of the JPEG of a thumbnail that is shown."""
_SPEECH = SpeechOptions()


@dataclass(slots=True)
class _Following:
    """What one stream has shown so far."""

    stream: Stream
    narrator: Narrator
    finder: MomentFinder = field(default_factory=MomentFinder)
    number: int = 0


class Teller:
    """Tells writers about the recordings of a job, one after the other.

    It needs every record in order, because tracks, changes and runs come out of the images before.
    So they reach through the whole recording, however many processes looked at it.
    """

    def __init__(self, options: DescribeOptions, track: bool, writers: Sequence[Writer]) -> None:
        """``track``: whether objects get track ids. Raises BackendMissingError."""
        self._options = options
        self._track = track
        self._writers = writers
        self._streams: dict[str, _Following] = {}
        if track:
            ObjectTracker()  # it may be missing

    def begin(self, streams: Sequence[Stream]) -> None:
        """Begin a recording, whose streams these are."""
        self._streams = {}
        for stream in streams:
            tracker = ObjectTracker() if self._track and stream.timed else None
            # Stamps that do not advance get the time of their arrival, which must be the same in
            # every run: that they are one after the other is all that is known.
            narrator = Narrator(tracker, arrival=map(float, count()).__next__)
            self._streams[stream.topic] = _Following(stream, narrator)

    def tell(self, records: Sequence[Record]) -> Iterator[Record]:
        """Tell the next records of the recording, and yield those with a description, completed."""
        for record in records:
            if record.found is None:
                damage = Damage(record.source, record.topic, record.time, record.damage)
                for writer in self._writers:
                    writer.damage(damage)
                continue
            following = self._streams[record.topic]
            told = self._completed(record, following)
            for writer in self._writers:
                writer.image(told)
            self._pass_on(following.finder.follow(told))
            yield Record(
                *(record.source, record.topic, record.time, record.stamp, record.frame_id),
                dict(told.found),
                number=told.number,
            )

    def end(self) -> None:
        """End the recording."""
        for following in self._streams.values():
            self._pass_on(following.finder.end())

    def _pass_on(self, found: Iterator[Run | Moment]) -> None:
        for each in found:
            if isinstance(each, Run):
                for writer in self._writers:
                    writer.run(each)
            else:
                moment = replace(each, first=self._drawn(each.first))
                for writer in self._writers:
                    writer.moment(moment)

    def _drawn(self, told: Told) -> Told:
        """Return an image whose thumbnail shows what was found; most thumbnails are never shown."""
        if not told.thumbnail:
            return told
        small = decode_image(Picture(told.thumbnail))
        drawn = draw(small, told.description.scene, self._options)
        return replace(told, thumbnail=bytes(encode_image(drawn, "jpeg", QUALITY)))

    def _completed(self, record: Record, following: _Following) -> Told:
        """Return what there is to tell of an image, with what follows from those before it."""
        told = replace(told_of(record, following.stream), number=following.number)
        following.number += 1
        changes = self._options.style == "changes"
        if told.time is None or not (self._track or changes):
            return told
        seconds = told.time / SECOND
        description = told.description
        scene = following.narrator.follow(description.scene, seconds)
        sentence = description.sentence
        if changes:
            sentence = following.narrator.tell(scene, self._options, _SPEECH)
        description = replace(description, scene=scene, sentence=sentence)
        return replace(told, description=description, found=description_to_json(description))
