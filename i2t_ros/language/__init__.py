"""Words: from what the tasks found in an image (``facts``) to a sentence (``sentences``).

Nothing here names a task: each task brings its facts and builds its own phrases from the data of a
``grammar.Language``. The same facts always give the same sentence.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from i2t_ros.errors import InvalidRequestError, UnknownStyleError
from i2t_ros.language import facts as _facts
from i2t_ros.language.catalog import Languages
from i2t_ros.language.changes import Changes, ChangeTracker
from i2t_ros.language.facts import STYLES, Fact, ObjectCount, Style, TaskFacts
from i2t_ros.language.sentences import changes_sentence, sentence
from i2t_ros.resources import config_path
from i2t_ros.types import Detections

__all__ = [
    "LANGUAGES",
    "STYLES",
    "ChangeTracker",
    "Changes",
    "Fact",
    "Languages",
    "ObjectCount",
    "Style",
    "TaskFacts",
    "check_style",
    "compose",
    "compose_changes",
    "count_objects",
    "label",
    "load_languages",
    "resolve_language",
    "unusable_image_sentence",
]

LANGUAGES: tuple[str, ...] = ("en", "es", "zh", "ko", "fr", "de", "pt", "ja")
"""The languages that come with the package; a user's folder may add others (``load_languages``)."""


def load_languages(folder: Path | None = None) -> Languages:
    """Return the languages that come with the package, and over them those of a user's ``folder``.

    Every file of ``folder`` is read at once. Raises InvalidRequestError if the folder is missing or
    a file in it is wrong; the error names the file, the key, and what was expected.
    """
    if folder is None:
        return _shipped()
    if not folder.is_dir():
        raise InvalidRequestError(f"language folder {folder}: expected a folder of *.yaml files")
    languages = Languages([config_path("languages"), folder])
    for path in sorted(folder.glob("*.yaml")):
        languages.get(path.stem)
    return languages


@cache
def _shipped() -> Languages:
    return Languages([config_path("languages")])


def compose(
    facts: Sequence[TaskFacts],
    language: str = "en",
    style: str = "sentence",
    *,
    hedge: bool = False,
    languages: Languages | None = None,
) -> str:
    """Return what an image shows, in words; never empty.

    facts      those of each task that ran, in the order in which to say them
    language   a BCP 47 tag; "es" serves "es-MX", "es_MX" and "ES"
    style      "list", "sentence", "scene" (also says where things are), or "changes"; a single
               image has no past, so everything in it is new; ``ChangeTracker`` compares images
    hedge      whether to say "probably" of anything with a score below 0.5
    languages  None: those that come with the package

    Raises UnknownLanguageError or UnknownStyleError; they list the names that exist.
    """
    chosen = (languages or load_languages()).get(language)
    return sentence(facts, chosen, check_style(style), hedge=hedge)


def compose_changes(
    changes: Changes,
    language: str = "en",
    *,
    hedge: bool = False,
    languages: Languages | None = None,
) -> str:
    """Return what appeared and what left, in words; empty if nothing did.

    Things that are not counted, such as texts, are mentioned only when they appear.
    """
    chosen = (languages or load_languages()).get(language)
    return changes_sentence(changes.appeared, changes.left, chosen, hedge=hedge)


def check_style(style: str) -> Style:
    """Return ``style``, or raise UnknownStyleError if there is no style of that name."""
    for known in STYLES:
        if style == known:
            return known
    raise UnknownStyleError(f"style {style!r}: there is {', '.join(STYLES)}")


def resolve_language(tag: str, languages: Languages | None = None) -> str:
    """Return the tag of the language that serves ``tag``, such as "pt" for "pt_BR".

    Raises UnknownLanguageError, which lists the languages that exist.
    """
    return (languages or load_languages()).resolve(tag)


def label(name: str, language: str, languages: Languages | None = None) -> str:
    """Return the class ``name`` in a language, singular and without an article: "dog" -> "perro".

    A class that the language lacks gets its English label, or else the model's own.
    """
    return (languages or load_languages()).get(language).noun(name).label


def prepare_labels(labels: Iterable[str]) -> None:
    """Import ``inflect`` now if a label needs it, so that no image waits for that.

    The import takes 2 to 3 s. Only labels that the English language file lacks need it.
    """
    english = load_languages().get("en")
    unknown = (name for name in labels if name and not english.has(name))
    if (name := next(unknown, None)) is not None:
        english.noun(name)


def count_objects(
    detections: Detections, language: str = "", languages: Languages | None = None
) -> list[ObjectCount]:
    """Count the objects of each class: most first, then the largest, then the most certain.

    The order of the detections makes no difference. ``label`` is the class in ``language``, or the
    model's own label if no language is given.
    """
    counts = _facts.count_objects(detections)
    if not language:
        return list(counts)
    chosen = (languages or load_languages()).get(language)
    return [replace(count, label=chosen.noun(count.class_id).label) for count in counts]


def unusable_image_sentence(language: str = "en", languages: Languages | None = None) -> str:
    """Return the sentence for an image that cannot be used at all."""
    return (languages or load_languages()).get(language).phrase("image.unusable")
