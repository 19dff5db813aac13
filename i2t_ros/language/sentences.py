"""From facts to words in any language, and the parts from which tasks build their phrases."""

from collections.abc import Iterable, Sequence

from i2t_ros.language.catalog import Languages, load_languages
from i2t_ros.language.changes import Changes
from i2t_ros.language.facts import SURE, ObjectCount, Style, TaskFacts, check_style
from i2t_ros.language.grammar import Language, Noun


def compose(
    facts: Sequence[TaskFacts],
    language: str = "en",
    style: str = "sentence",
    *,
    hedge: bool = False,
    languages: Languages | None = None,
) -> str:
    """Return what an image shows, in words; never empty.

    That something was not found is said only if nothing at all was found.

    facts      those of each task that ran, in the order in which to say them
    language   a BCP 47 tag; "es" serves "es-MX", "es_MX" and "ES"
    style      "list", "sentence", "scene" (also says where things are), or "changes"; a single
               image has no past, so everything in it is new; ``ChangeTracker`` compares images
    hedge      whether to say "probably" of anything with a score below 0.5
    languages  None: those that come with the package

    Raises UnknownLanguageError or UnknownStyleError; they list the names that exist.
    """
    chosen, known_style = (languages or load_languages()).get(language), check_style(style)
    if not any(facts):
        return chosen.phrase(_nothing(facts, chosen, known_style))
    if style == "changes":
        new = Changes(tuple(facts), ())
        return compose_changes(new, language, hedge=hedge, languages=languages)
    parts = [part for task in facts if task for part in task.sentences(chosen, known_style, hedge)]
    return _paragraph(parts, chosen)


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
    came = _counts(changes.appeared)
    phrases = ("changes.appeared", "changes.appeared_hedged", "changes.left")
    parts = []
    for phrase, objects in zip(phrases, (*split(came, hedge), _counts(changes.left)), strict=True):
        if things := Things(objects, chosen, "changes"):
            parts.append(chosen.phrase(phrase, things.total, things=things.text()))
    for task in changes.appeared:
        if task and not _counts([task]):
            parts += task.sentences(chosen, "changes", hedge)
    return _paragraph(parts, chosen)


def _counts(tasks: Iterable[TaskFacts]) -> list[ObjectCount]:
    return [fact for task in tasks for fact in task.found if isinstance(fact, ObjectCount)]


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
    first  the number that a verb agrees with if it stands before the first item
    total  the same for all items
    """

    def __init__(
        self, objects: Iterable[ObjectCount], language: Language, style: Style, section: str = ""
    ) -> None:
        nouns: dict[str, Noun] = {}
        counts: dict[str, int] = {}
        for fact in objects:
            noun = language.noun(fact.key)
            nouns[noun.key] = noun
            counts[noun.key] = counts.get(noun.key, 0) + fact.count
        ranked = sorted(counts.items(), key=lambda item: -item[1])
        self.items = [
            language.count(nouns[key], number, section or style, style == "list")
            for key, number in ranked
        ]
        # A list is of objects, whatever their names: "The following object was detected: 1 jeans."
        agreed = [
            number if style == "list" else language.agreement(nouns[key], number)
            for key, number in ranked
        ]
        self.first = agreed[0] if agreed else 0
        self.total = sum(agreed)
        self._style = style
        self._language = language

    def __bool__(self) -> bool:
        return bool(self.items)

    def text(self) -> str:
        """Return all items as one list."""
        return self._language.join(self.items, "list" if self._style == "list" else "things")


def split(
    objects: Sequence[ObjectCount], hedge: bool
) -> tuple[list[ObjectCount], list[ObjectCount]]:
    """Return the certain and the uncertain counts.

    A count is as certain as its least certain object: if one of three cats is in doubt, so is that
    there are three.
    """
    least = SURE if hedge else 0.0
    sure = [fact for fact in objects if fact.min_score >= least]
    return sure, [fact for fact in objects if fact.min_score < least]
