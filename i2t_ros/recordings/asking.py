"""What somebody looks for in a recording: words and names of classes, checked and understood."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from functools import cache
from os.path import dirname

from i2t_ros.errors import InvalidRequestError, UnknownLanguageError
from i2t_ros.language import Languages
from i2t_ros.language.grammar import Language
from i2t_ros.language.searching import Asked, asked_for
from i2t_ros.models.manifest import read_labels
from i2t_ros.recordings.finding import Inside, Query, Rows, Wanted, key_of

MOST_LISTED = 15
"""Classes, sources or topics that an error lists."""
_TIME = re.compile(
    r"(?:\bfor\s+)?\b(?:(?P<number>\d{1,6}(?:\.\d{1,9})?)\s*|\w+\s+)"
    r"(?P<unit>ms|s|secs?|seconds?|min|mins|minutes?|h|hours?)\b",
    re.ASCII | re.IGNORECASE,
)
"""How long something lasts: no words of a class, but people write it beside them."""


def wanted_of_words(
    words: str, rows: Rows, languages: Languages, tag: str | None = None, *, exactly: bool = False
) -> list[Wanted]:
    """Return what words such as "two people and a dog" look for.

    tag      the language of the words; None: that of the recording's sentences, or else English
    exactly  whether more than the words say is too much

    Raises UnknownLanguageError, and InvalidRequestError with the words that are not understood.
    """
    spoken = [languages.get(tag)] if tag else _languages_of(rows, languages)
    asked = _read(words, rows, spoken)
    return [
        Wanted(key_of(key), count, count if exactly or not count else None)
        for key, count in asked.counts.items()
    ]


def check_classes(names: Sequence[str], rows: Rows) -> None:
    """Raise InvalidRequestError for a class that neither occurs nor is one of COCO's."""
    usual = {key_of(name) for name in usual_classes()}
    unknown = [name for name in names if key_of(name) not in usual]
    if not unknown:
        return
    occurring = rows.classes()
    keys = {key_of(name): name for name in occurring}
    for name in unknown:
        if key_of(name) not in keys:
            close = get_close_matches(key_of(name), [*keys, *usual], 1)
            hint = f"; did you mean {close[0]}?" if close else ""
            raise InvalidRequestError(
                f"class {name!r} is not known{hint}. {_listed('Classes', occurring)}"
            )


def check_places(query: Query, rows: Rows) -> None:
    """Raise InvalidRequestError for a source or a topic that does not occur, naming those that do.

    It takes a pass through the rows up to where all of them have occurred.
    """
    sources = {name: Inside([name]) for name in query.sources}
    topics = set(query.topics)
    sources_there: dict[str, None] = {}
    topics_there: dict[str, None] = {}
    for row in rows if sources or topics else ():
        sources = {name: inside for name, inside in sources.items() if not inside(row.source)}
        topics.discard(row.topic or "")
        if not sources and not topics:
            return
        # Of pictures, there may be any number: they are listed by their folder.
        source = row.source if row.seconds is not None else dirname(row.source) or row.source
        for there, name in ((sources_there, source), (topics_there, row.topic)):
            if name and len(there) <= MOST_LISTED:
                there[name] = None
    _refuse("source", sources, sources_there)
    _refuse("topic", [name for name in query.topics if name in topics], topics_there)


def _refuse(what: str, missing: Iterable[str], there: Iterable[str]) -> None:
    for name in missing:
        raise InvalidRequestError(
            f"--{what} {name!r}: no such {what}. {_listed(f'{what.capitalize()}s', [*there])}"
        )


@cache
def usual_classes() -> tuple[str, ...]:
    """Return COCO's classes: these may be looked for in vain, while others may be misspelled."""
    return read_labels("coco80", "i2t find")


def _languages_of(rows: Rows, languages: Languages) -> list[Language]:
    """Return the language of the recording's sentences, if it is known here, and English."""
    first = next(iter(rows), None)
    spoken = []
    for tag in dict.fromkeys((first.language if first else "", "en")):
        try:
            spoken.append(languages.get(tag))
        except UnknownLanguageError:
            continue  # the recording was described with a language file that is not here
    return spoken


def _read(words: str, rows: Rows, spoken: Sequence[Language]) -> Asked:
    """Return what words ask for, in the first language in which all of them are understood.

    The classes that occur are only looked up, which takes a pass through the rows, if the usual
    ones do not do.
    """
    more: tuple[Callable[[], list[str]], ...] = (list, rows.classes)
    for classes in more:
        occurring = classes()
        known = [*occurring, *usual_classes()]
        for language in spoken:
            found = asked_for(words, known, language)
            if found.counts and not found.unclear:
                return found
    times = [match[0] for match in _TIME.finditer(words)]
    rest = _TIME.sub(",", words)
    unclear = {
        language.tag: (*times, *asked_for(rest, known, language).unclear) for language in spoken
    }
    raise InvalidRequestError(_not_understood(words, unclear, occurring))


def _not_understood(
    words: str, unclear: Mapping[str, tuple[str, ...]], occurring: Sequence[str]
) -> str:
    """Return what to say of words; what is not clear is told in the language with the least."""
    tag, least = min(unclear.items(), key=lambda item: len(item[1]) or len(words))
    what = f"not understood: {', '.join(least)}" if least else "they name no class"
    others = ", ".join(other for other in unclear if other != tag)
    read = f"read in {tag}" + (f"; in {others} they are not understood either" if others else "")
    return (
        f'words {words!r} ({read}): {what}; expected classes and how many or more, such as "two '
        f'people and a dog". What words do not say: for "or", run i2t find for each; for "exactly",'
        f" give --exactly; for how long, {_for(words)}; for at most so many, --class and --max. "
        f"{_listed('Classes', occurring)}"
    )


def _for(words: str) -> str:
    """Return the flag for the time that words name, or for any."""
    match = _TIME.search(words)
    if match is None or match["number"] is None:
        return "--for 3s"
    unit = match["unit"].lower()
    return f"--for {match['number']}{'ms' if unit == 'ms' else unit[0]}"


def _listed(what: str, occurring: Sequence[str]) -> str:
    """Return the first of what occurs, for an error."""
    if not occurring:
        return f"{what} in these recordings: none"
    shown = ", ".join(map(repr, occurring[:MOST_LISTED]))
    more = len(occurring) - MOST_LISTED
    return f"{what} in these recordings: {shown}{f' and {more} more' if more > 0 else ''}"
