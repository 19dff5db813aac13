"""What somebody looks for in a recording: words and names of classes, checked and understood."""

from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from functools import cache

from i2t_ros.errors import InvalidRequestError, UnknownLanguageError
from i2t_ros.language import Languages
from i2t_ros.language.grammar import Language
from i2t_ros.language.searching import Asked, asked_for
from i2t_ros.recordings.finding import Rows, Wanted, key_of
from i2t_ros.resources import config_path

MOST_LISTED = 40
"""Classes that an error lists."""


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
            raise InvalidRequestError(f"class {name!r} is not known{hint} {_listed(occurring)}")


@cache
def usual_classes() -> tuple[str, ...]:
    """Return COCO's classes: these may be looked for in vain, while others may be misspelled."""
    names = (config_path("labels") / "coco80.txt").read_text("utf-8").split("\n")
    return tuple(name for name in names if name)


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
    occurring: list[str] = []
    unclear: Mapping[str, tuple[str, ...]] = {}
    more: tuple[Callable[[], list[str]], ...] = (list, rows.classes)
    for classes in more:
        occurring = classes()
        asked = {
            language.tag: asked_for(words, [*occurring, *usual_classes()], language)
            for language in spoken
        }
        for found in asked.values():
            if found.counts and not found.unclear:
                return found
        unclear = {tag: found.unclear for tag, found in asked.items()}
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
        f'words {words!r} ({read}): {what}; expected classes and how many, such as "two people and '
        f'a dog"; --class and --min say the same without words {_listed(occurring)}'
    )


def _listed(occurring: Sequence[str]) -> str:
    """Return the classes that occur, for an error."""
    if not occurring:
        return "(no object was found in these recordings)"
    shown = ", ".join(occurring[:MOST_LISTED])
    more = len(occurring) - MOST_LISTED
    return f"(classes found in these recordings: {shown}{f' and {more} more' if more > 0 else ''})"
