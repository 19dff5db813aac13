"""From facts to words in any language, and the parts from which tasks build their phrases."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from i2t_ros.language.facts import SURE, ObjectCount, Style, TaskFacts
from i2t_ros.language.grammar import Language, Noun


def sentence(facts: Sequence[TaskFacts], language: Language, style: Style, *, hedge: bool) -> str:
    """Return what the tasks found, in words and in their order; never empty.

    That something was not found is said only if nothing at all was found.
    """
    if not any(facts):
        return language.phrase(_nothing(facts, language, style))
    if style == "changes":
        return changes_sentence(facts, (), language, hedge=hedge)
    parts = [part for task in facts if task for part in task.sentences(language, style, hedge)]
    return _paragraph(parts, language)


def changes_sentence(
    appeared: Iterable[TaskFacts], left: Iterable[TaskFacts], language: Language, *, hedge: bool
) -> str:
    """Return what appeared and what left, in words; empty if nothing did.

    Things that are not counted, such as texts, are mentioned only when they appear.
    """
    came: list[ObjectCount] = []
    others: list[str] = []
    for task in appeared:
        if counts := _counts(task):
            came += counts
        elif task:
            others += task.sentences(language, "changes", hedge)
    parts = [
        language.phrase(phrase, things.total, things=things.text())
        for things, phrase in zip(
            sure_and_unsure(came, language, "changes", hedge),
            ("changes.appeared", "changes.appeared_hedged"),
            strict=True,
        )
        if things
    ]
    if gone := Things((count for task in left for count in _counts(task)), language, "changes"):
        parts.append(language.phrase("changes.left", gone.total, things=gone.text()))
    return _paragraph([*parts, *others], language)


def _counts(task: TaskFacts) -> list[ObjectCount]:
    return [fact for fact in task.found if isinstance(fact, ObjectCount)]


def _paragraph(parts: Sequence[str], language: Language) -> str:
    if language.capitals != "none":
        parts = [part[:1].upper() + part[1:] for part in parts]
    return language.space.join(parts)


def _nothing(facts: Sequence[TaskFacts], language: Language, style: Style) -> str:
    """Return the name of the phrase for an image in which nothing was found."""
    if not facts:
        return "image.not_analyzed"
    own = f"{facts[0].section}.empty"
    if len(facts) == 1 and own in language.phrases:
        return own
    return "list.empty" if style == "list" else "sentence.empty"


class Things:
    """Counted objects as the items of a list; labels with the same noun are one item.

    The words suit a phrase of ``section``, by default that of the style.

    items  number and noun in words, most first
    first  the count of the first item
    total  the sum of all counts
    """

    def __init__(
        self, objects: Iterable[ObjectCount], language: Language, style: Style, section: str = ""
    ) -> None:
        """Add up the counts of each noun and put them into words."""
        counts: dict[str, tuple[Noun, int]] = {}
        for fact in objects:
            noun = language.noun(fact.class_id)
            counts[noun.key] = (noun, fact.count + counts.get(noun.key, (noun, 0))[1])
        ranked = sorted(counts.values(), key=lambda item: -item[1])
        self.items = [
            language.count(noun, number, section or style, digits=style == "list")
            for noun, number in ranked
        ]
        self.first = ranked[0][1] if ranked else 0
        self.total = sum(number for _, number in ranked)
        self._join = "list" if style == "list" else "things"
        self._language = language

    def __bool__(self) -> bool:
        return bool(self.items)

    def text(self) -> str:
        """Return all items as one list."""
        return self._language.join(self.items, self._join)


def split(
    objects: Iterable[ObjectCount], hedge: bool
) -> tuple[list[ObjectCount], list[ObjectCount]]:
    """Return the certain and the uncertain counts.

    A count is as certain as its least certain object: if one of three cats is in doubt, so is that
    there are three.
    """
    sure: list[ObjectCount] = []
    unsure: list[ObjectCount] = []
    for fact in objects:
        (unsure if hedge and fact.min_score < SURE else sure).append(fact)
    return sure, unsure


def sure_and_unsure(
    objects: Iterable[ObjectCount], language: Language, style: Style, hedge: bool
) -> tuple[Things, Things]:
    """Return the certain and the uncertain counts as Things; either may be empty."""
    sure, unsure = split(objects, hedge)
    return Things(sure, language, style), Things(unsure, language, style)
