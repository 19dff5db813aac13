"""Words: from what the tasks say of an image (``facts``) to a sentence (``sentences``).

No task is named in here: each brings its facts and builds its phrases itself, from the data of a
``grammar.Language``. Pure: the same facts give the same sentence.
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
"""The languages that ship; a folder of one's own may add others (``load_languages``)."""


def load_languages(folder: Path | None = None) -> Languages:
    """Return the languages that ship and, laid over them, those of a user's ``folder``.

    Every file of ``folder`` is read at once. Raises InvalidRequestError where the folder is
    missing or a file in it is wrong, naming file, key, and what was expected.
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

    facts      of each task that looked at the image, in the order in which they are said
    language   a BCP 47 tag; "es-MX", "es_MX" and "ES" are all served by "es"
    style      "list", "sentence", "scene" (says where), or "changes": a single image has no past,
               so that everything in it is new; ``ChangeTracker`` compares images
    hedge      whether to say "probably" of what has a score below 0.5
    languages  None: those that ship

    Raises UnknownLanguageError or UnknownStyleError, naming what there is.
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

    Of what cannot be counted, such as texts, only the new is said.
    """
    chosen = (languages or load_languages()).get(language)
    return changes_sentence(changes.appeared, changes.left, chosen, hedge=hedge)


def check_style(style: str) -> Style:
    """Return ``style``, or raise UnknownStyleError where there is none of that name."""
    for known in STYLES:
        if style == known:
            return known
    raise UnknownStyleError(f"style {style!r}: there is {', '.join(STYLES)}")


def resolve_language(tag: str, languages: Languages | None = None) -> str:
    """Return the tag of the language that serves ``tag``, "pt" for "pt_BR".

    Raises UnknownLanguageError, naming the languages there are.
    """
    return (languages or load_languages()).resolve(tag)


def label(name: str, language: str, languages: Languages | None = None) -> str:
    """Return the class ``name`` in a language, singular and bare: "dog" -> "perro".

    A class that the language lacks keeps its English label, or else the model's own.
    """
    return (languages or load_languages()).get(language).noun(name).label


def prepare_labels(labels: Iterable[str]) -> None:
    """Load what labels that English lacks will need, so that no image waits for it.

    That is ``inflect``, which takes 2 to 3 s to import. If English has all labels, nothing is.
    """
    english = load_languages().get("en")
    unknown = (name for name in labels if name and not english.has(name))
    if (name := next(unknown, None)) is not None:
        english.noun(name)


def count_objects(
    detections: Detections, language: str = "", languages: Languages | None = None
) -> list[ObjectCount]:
    """Count the objects of each class: most first, then the largest, then the most certain.

    The order of the detections makes no difference. If ``language`` is given, ``label`` is the
    class in it; otherwise it is the model's own.
    """
    counts = _facts.count_objects(detections)
    if not language:
        return list(counts)
    chosen = (languages or load_languages()).get(language)
    return [replace(count, label=chosen.noun(count.class_id).label) for count in counts]


def unusable_image_sentence(language: str = "en", languages: Languages | None = None) -> str:
    """Return the sentence for an image that cannot be decoded or used at all."""
    return (languages or load_languages()).get(language).phrase("image.unusable")
