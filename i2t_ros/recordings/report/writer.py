"""report.html: what appeared when, in a page that needs nothing else."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from i2t_ros.recordings.base import Damage
from i2t_ros.recordings.report.collecting import (
    MILLISECOND,
    Classes,
    EvenlyKept,
    StreamSeen,
    Timelines,
)
from i2t_ros.recordings.report.page import write_page
from i2t_ros.recordings.report.wording import Sentences, language_data
from i2t_ros.recordings.writing.base import Moment, Run, Stream, Telling, Told, Writer

MOST_MOMENTS = 4_000
"""Fewer if their sentences are long."""
_USUAL_SIZE = 2_048
"""Bytes of a moment in the page: mostly its sentence in twenty languages."""
MOST_THUMBNAIL_BYTES = 10 << 20
"""Of all thumbnails; in the page they take a third more."""
MOST_DAMAGE = 500
_MOST_MODELS = 20
_LONGEST_TEXT = 1_000
"""Characters of a text from a file, such as a name."""


class _Told(NamedTuple):
    """A moment as it is kept.

    time  milliseconds from the beginning; None: a picture has none
    """

    stream: int
    time: int | None
    source: str
    changes: tuple[tuple[str, int, int], ...]
    sentences: tuple[str, ...]


class ReportWriter(Writer):
    """Writes report.html, of at most about 25 MB."""

    def __init__(self, telling: Telling) -> None:
        """See Writer."""
        self._telling = telling
        self._file = telling.path("report", "html").open("wb")
        self._numbers = {stream: number for number, stream in enumerate(telling.streams)}
        self._streams = [StreamSeen() for _ in telling.streams]
        self._classes = Classes()
        self._timelines = Timelines()
        self._moments: EvenlyKept[_Told] = EvenlyKept(MOST_MOMENTS * _USUAL_SIZE)
        self._thumbnails: EvenlyKept[bytes] = EvenlyKept(MOST_THUMBNAIL_BYTES)
        self._moments_seen = self._thumbnails_seen = 0
        self._sentences = Sentences(telling.options)
        self._damage: list[Damage] = []
        self._damaged = 0
        self._models: dict[str, None] = {}

    def image(self, told: Told) -> None:
        """See Writer."""
        self._streams[self._numbers[told.stream]].see(told)
        self._classes.see(told)
        if told.description.model and len(self._models) < _MOST_MODELS:
            self._models.setdefault(told.description.model)

    def run(self, run: Run) -> None:
        """See Writer."""
        if run.class_id in self._classes.seen:
            self._timelines.add(self._numbers[run.stream], run)

    def moment(self, moment: Moment) -> None:
        """See Writer."""
        told, number = moment.first, self._moments_seen
        self._moments_seen += 1
        self._thumbnails_seen += bool(told.thumbnail)
        if not self._moments.wants(number):
            return
        if told.thumbnail:
            self._thumbnails.add(number, told.thumbnail, len(told.thumbnail))
        changes = (
            (name, *change) for name, change in moment.changes.items() if name in self._classes.seen
        )
        sentences = self._sentences.of(moment)
        kept = _Told(
            self._numbers[told.stream],
            None if told.time is None else told.time // MILLISECOND,
            told.source[:_LONGEST_TEXT],
            tuple(changes),
            sentences,
        )
        size = sum(len(sentence.encode("utf-8", "replace")) for sentence in sentences)
        self._moments.add(number, kept, max(size, _USUAL_SIZE))
        self._thumbnails.thin(self._moments.step)

    def damage(self, damage: Damage) -> None:
        """See Writer."""
        self._damaged += 1
        if len(self._damage) < MOST_DAMAGE:
            self._damage.append(damage)

    def close(self) -> None:
        """See Writer."""
        with self._file:
            write_page(self._file, self._data(), list(self._thumbnails.items.values()))

    def _data(self) -> Mapping[str, Any]:
        classes = self._classes.ordered()
        places = {name: place for place, name in enumerate(classes)}
        distinct = dict.fromkeys(moment.sentences for moment in self._moments.items.values())
        sentences = {told: place for place, told in enumerate(distinct)}
        options = self._telling.options
        return {
            "language": options.language,
            "tasks": list(options.tasks),
            "models": list(self._models),
            "selection": self._selection(),
            "classes": [self._class_data(name) for name in classes],
            "streams": [
                self._stream(number, stream, places)
                for number, stream in enumerate(self._telling.streams)
            ],
            "moments": self._moments_data(places, sentences),
            "sentences": [list(told) for told in zip(*sentences, strict=True)],
            "languages": language_data(options, classes, self._counts(classes)),
            "damage": [self._damage_data(damage) for damage in self._damage],
            "left_out": {
                "moments": self._moments_seen,
                "thumbnails": self._thumbnails_seen,
                "damage": self._damaged - len(self._damage),
                "classes": len(self._classes.others),
                "grain": self._timelines.grain,
            },
        }

    def _moments_data(
        self, places: Mapping[str, int], sentences: Mapping[tuple[str, ...], int]
    ) -> list[list[Any]]:
        pictures = {number: place for place, number in enumerate(self._thumbnails.items)}
        return [
            [
                moment.stream,
                moment.time,
                moment.source,
                [[places[name], before, now] for name, before, now in moment.changes],
                sentences[moment.sentences],
                pictures.get(number, -1),
            ]
            for number, moment in self._moments.items.items()
        ]

    def _class_data(self, name: str) -> list[Any]:
        seen = self._classes.seen[name]
        return [name, seen.images, seen.most]

    def _selection(self) -> dict[str, Any]:
        selection = self._telling.selection
        end = None if selection.end is None else selection.end // MILLISECOND
        return {
            "topics": [topic[:_LONGEST_TEXT] for topic in selection.topics],
            "every": selection.every // MILLISECOND,
            "start": selection.start // MILLISECOND,
            "end": end,
        }

    def _stream(self, number: int, stream: Stream, places: Mapping[str, int]) -> dict[str, Any]:
        seen, rows = self._streams[number], self._timelines.rows(number)
        longest = sorted(rows, key=lambda name: (-sum(e - s for s, e, _ in rows[name]), name))
        return {
            "recording": stream.recording,
            "kind": stream.kind,
            "source": stream.source,
            "topic": stream.topic,
            "name": stream.name,
            "begin": None if stream.begin is None else stream.begin // MILLISECOND,
            "images": seen.images,
            "first": (seen.first or 0) // MILLISECOND,
            "last": (seen.last or 0) // MILLISECOND,
            "rows": [
                [places[name], [value for bar in rows[name] for value in bar]] for name in longest
            ],
        }

    def _counts(self, classes: list[str]) -> Iterator[tuple[str, int]]:
        """Yield the numbers of each class that the page speaks of."""
        for name in classes:
            yield from ((name, count) for count in range(1, self._classes.seen[name].most + 1))
        for name in classes[:1]:
            yield name, 2  # the example beside the search
        for moment in self._moments.items.values():
            for name, before, now in moment.changes:
                yield from ((name, before), (name, now))

    def _damage_data(self, damage: Damage) -> list[Any]:
        return [
            damage.source[:_LONGEST_TEXT],
            damage.topic[:_LONGEST_TEXT],
            None if damage.time is None else damage.time // MILLISECOND,
            damage.what[:_LONGEST_TEXT],
        ]
