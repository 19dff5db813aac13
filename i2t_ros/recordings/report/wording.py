"""The words of a report in every language: those of the page, of classes and of sentences."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

from i2t_ros import language as words
from i2t_ros.errors import I2tError
from i2t_ros.language.changes import Changes
from i2t_ros.language.facts import ObjectCount
from i2t_ros.language.grammar import Language
from i2t_ros.language.tags import tag_key, widening
from i2t_ros.pipeline.describe_options import DescribeOptions
from i2t_ros.pipeline.tasks.detect import ObjectFacts
from i2t_ros.pipeline.telling import tell
from i2t_ros.recordings.moments import counts_of
from i2t_ros.recordings.report.search_words import search_words
from i2t_ros.recordings.writing.base import Moment, Told

_STRINGS = Path(__file__).parent / "strings"
_LARGEST_TOLD = 20
"""Larger numbers of a class stand beside its label."""
_LONGEST_SENTENCE = 5_000
"""Characters; a picture may be full of text."""
_KNOWN_SENTENCES = 2_000
"""Images that look alike are not told again."""


class Sentences:
    """The sentences of a report in all languages, each one once.

    tags  of the languages
    """

    def __init__(self, options: DescribeOptions) -> None:
        self._options = options
        languages = options.languages or words.load_languages()
        self.tags = languages.tags
        self._each = [replace(options, language=tag) for tag in self.tags]
        self._told: dict[tuple[Any, ...], tuple[str, ...]] = {}

    def of(self, moment: Moment) -> tuple[str, ...]:
        """Return the sentence of a moment in all languages, in the order of ``tags``."""
        told = moment.first
        if self._options.style == "changes" and told.time is not None:
            # The image itself says nothing yet: changes are told once they have lasted.
            changes = _changes_of(moment)
            key: tuple[Any, ...] = (changes,)
            say = partial(_told_changes, changes)
        else:
            key = (told.description.sentence, *sorted(counts_of(told.found).items()))
            say = partial(self._tell, told)
        if key not in self._told:
            if len(self._told) >= _KNOWN_SENTENCES:
                self._told.clear()
            self._told[key] = tuple(self._said(say, options, told) for options in self._each)
        return self._told[key]

    def _tell(self, told: Told, options: DescribeOptions) -> str:
        """Return what the image shows, with all objects, as the job's own sentence has them."""
        if options.language == self._options.language:
            return told.description.sentence
        scene = told.description.scene
        if scene.detections is not None:
            scene = scene.with_detections(replace(scene.detections, track_ids=None))
        return tell(scene, options)

    @staticmethod
    def _said(say: Callable[[DescribeOptions], str], options: DescribeOptions, told: Told) -> str:
        try:
            return say(options)[:_LONGEST_SENTENCE]
        except I2tError:  # no voice in this language
            return told.description.sentence[:_LONGEST_SENTENCE]


def _changes_of(moment: Moment) -> Changes:
    """Return what has appeared and what has left, most first."""
    by = {name: now - before for name, (before, now) in moment.changes.items()}
    by = dict(sorted(by.items(), key=lambda item: (-abs(item[1]), item[0])))
    more, fewer = (
        tuple(ObjectCount(name, sign * count) for name, count in by.items() if sign * count > 0)
        for sign in (1, -1)
    )
    return Changes((ObjectFacts(more),) if more else (), (ObjectFacts(fewer),) if fewer else ())


def _told_changes(changes: Changes, options: DescribeOptions) -> str:
    return words.compose_changes(
        changes, options.language, spoken=options.spoken, languages=options.languages
    )


def language_data(
    options: DescribeOptions, classes: Sequence[str], counts: Iterable[tuple[str, int]]
) -> list[dict[str, Any]]:
    """Return what the page needs of each language, in the order of their tags.

    classes  those of the report, in its order
    counts   which numbers of which classes it speaks of
    """
    languages = options.languages or words.load_languages()
    counted = sorted({(name, count) for name, count in counts if 0 < count <= _LARGEST_TOLD})
    return [_language(languages.get(tag), classes, counted) for tag in languages.tags]


def _language(
    language: Language, classes: Sequence[str], counts: Sequence[tuple[str, int]]
) -> dict[str, Any]:
    said: list[dict[int, str]] = [{} for _ in classes]
    places = {name: place for place, name in enumerate(classes)}
    for name, count in counts:
        said[places[name]][count] = language.count(language.noun(name), count, "list")
    example = [said[place].get(2 - place, "") for place in range(min(2, len(classes)))]
    strings = page_strings(language.tag)
    for name, place in places.items():
        said[place][0] = strings["none"].format(things=_things(language, name))
    return {
        "tag": language.tag,
        "name": strings["name"] if tag_key(language.tag) in _tags() else language.tag,
        "direction": language.direction,
        "strings": strings,
        "labels": [language.noun(name).label for name in classes],
        "counted": said,
        "example": language.join([text for text in example if text], "things"),
        "search": search_words(language, classes),
    }


def _things(language: Language, name: str) -> str:
    """Return the name of a class in the form that it has with zero: "people"."""
    noun = language.noun(name)
    counted = language.count(noun, 0, "list", "digits")
    return noun.label if noun.counter else counted.removeprefix("0").strip()


@cache
def page_strings(tag: str) -> Mapping[str, str]:
    """Return the page's own words in a language, or in the next wider one, or in English."""
    key = next((key for key in widening(tag) if key in _tags()), "en")
    content: dict[str, str] = json.loads(_tags()[key].read_text(encoding="utf-8"))
    if base := content.pop("extends", ""):
        return {**page_strings(base), **content}
    return content


@cache
def _tags() -> Mapping[str, Path]:
    return {tag_key(path.stem): path for path in sorted(_STRINGS.glob("*.json"))}
