"""From facts to words, in any language: which phrases, in which order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, get_args

from i2t_ros.language.facts import SURE, ClassFact, Facts, ObjectCount, TextFact
from i2t_ros.language.grammar import Language, Noun
from i2t_ros.language.places import Place

Style = Literal["list", "sentence", "scene", "changes"]
STYLES: tuple[Style, ...] = get_args(Style)


def sentence(facts: Facts, language: Language, style: Style, *, hedge: bool) -> str:
    """Return what the facts say; never empty.

    Objects come first, then faces, texts and the picture as a whole. What was looked for and not
    found is said only where nothing at all was found.
    """
    if not facts.usable:
        return language.phrase("image.unusable")
    if not facts:
        return language.phrase(_nothing(facts, style))
    if style == "changes":
        return changes_sentence(facts, Facts(), language, hedge=hedge)
    compose = _scene if style == "scene" else _counts
    parts = compose(facts.objects or (), language, style, hedge)
    if facts.faces:
        parts.append(_faces(facts.faces, language, style))
    return _paragraph([*parts, *_rest(facts, language, style, hedge)], language)


def changes_sentence(appeared: Facts, left: Facts, language: Language, *, hedge: bool) -> str:
    """Return what came and what went; empty where nothing did.

    Of texts and of the picture as a whole only the new is said.
    """
    parts = _appeared((*(appeared.objects or ()), *_face_count(appeared)), language, hedge)
    if gone := _Things((*(left.objects or ()), *_face_count(left)), language, "changes"):
        parts.append(language.phrase("changes.left", gone.total, things=gone.text()))
    return _paragraph([*parts, *_rest(appeared, language, "changes", hedge)], language)


def _rest(facts: Facts, language: Language, style: Style, hedge: bool) -> list[str]:
    parts = []
    if facts.texts:
        parts += _texts(facts.texts, facts.more_texts, language, style)
    if facts.classification:
        parts.append(_classification(facts.classification[0], language, hedge))
    return parts


def _paragraph(parts: Sequence[str], language: Language) -> str:
    if language.capitals != "none":
        parts = [part[:1].upper() + part[1:] for part in parts]
    return language.space.join(parts)


def _nothing(facts: Facts, style: Style) -> str:
    """Return the name of the phrase for a picture in which nothing was found."""
    looked_for = [
        name
        for name, found in (
            ("objects", facts.objects),
            ("faces", facts.faces),
            ("texts", facts.texts),
            ("classification", facts.classification),
        )
        if found is not None
    ]
    if not looked_for:
        return "image.not_analyzed"
    if looked_for in (["faces"], ["texts"]):
        return f"{looked_for[0]}.empty"
    return "list.empty" if style == "list" else "sentence.empty"


class _Things:
    """Counted objects as the items of a list; two labels with one noun are one item.

    They are for a phrase of ``section``, by default that of their style.
    """

    def __init__(
        self, objects: Iterable[ObjectCount], language: Language, style: Style, section: str = ""
    ) -> None:
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
        return self._language.join(self.items, self._join)


def _split(
    objects: Iterable[ObjectCount], hedge: bool
) -> tuple[list[ObjectCount], list[ObjectCount]]:
    """Return the counts that are sure and those that are not.

    A count is as sure as the least certain of its objects: with one of three cats in doubt, that
    there are three is in doubt.
    """
    sure: list[ObjectCount] = []
    unsure: list[ObjectCount] = []
    for fact in objects:
        (unsure if hedge and fact.min_score < SURE else sure).append(fact)
    return sure, unsure


def _counts(
    objects: Sequence[ObjectCount], language: Language, style: Style, hedge: bool
) -> list[str]:
    """Compose the styles ``list`` and ``sentence``: one sentence for all objects."""
    sure, unsure = (_Things(part, language, style) for part in _split(objects, hedge))
    if sure and unsure:
        total = sure.total + unsure.total
        fields = {"things": sure.text(), "hedged": unsure.text()}
        return [language.phrase(f"{style}.mixed", total, **fields)]
    if sure:
        return [language.phrase(f"{style}.plain", sure.total, things=sure.text())]
    if unsure:
        return [language.phrase(f"{style}.hedged", unsure.total, things=unsure.text())]
    return []


def _scene(
    objects: Sequence[ObjectCount], language: Language, style: Style, hedge: bool
) -> list[str]:
    """Compose the style ``scene``: what is sure, then what is not, each place by place."""
    sure, unsure = _split(objects, hedge)
    return [
        _placed(part, language, f"{style}.{phrase}", f"{style}.{group}")
        for part, phrase, group in (
            (sure, "plain", "group"),
            (unsure, "hedged", "group_hedged"),
        )
        if part
    ]


def _placed(
    objects: Sequence[ObjectCount], language: Language, phrase: str, group_phrase: str
) -> str:
    by_place: dict[Place, list[ObjectCount]] = {}
    for fact in objects:
        by_place.setdefault(fact.place or "middle", []).append(fact)
    things = {place: _Things(facts, language, "scene") for place, facts in by_place.items()}
    groups = [
        language.phrase(
            group_phrase, group.total, things=group.text(), place=language.places[place]
        )
        for place, group in things.items()
    ]
    nested = any(len(group.items) > 1 for group in things.values())
    # "There is a dog and there are two cats": the verb goes with what stands next to it.
    first = next(iter(things.values())).first
    return language.phrase(
        phrase, first, things=language.join(groups, "nested" if nested else "groups")
    )


def _appeared(objects: Sequence[ObjectCount], language: Language, hedge: bool) -> list[str]:
    sure, unsure = (_Things(part, language, "changes") for part in _split(objects, hedge))
    return [
        language.phrase(phrase, things.total, things=things.text())
        for things, phrase in ((sure, "changes.appeared"), (unsure, "changes.appeared_hedged"))
        if things
    ]


def _face_count(facts: Facts) -> tuple[ObjectCount, ...]:
    return (ObjectCount("face", "face", facts.faces, 1.0, 1.0),) if facts.faces else ()


def _faces(number: int, language: Language, style: Style) -> str:
    things = _Things(_face_count(Facts(faces=number)), language, style, "faces")
    return language.phrase("faces.plain", number, things=things.text())


def _texts(texts: Sequence[TextFact], more: int, language: Language, style: Style) -> list[str]:
    quoted = []
    for fact in texts:
        text = language.phrase("texts.quote", text=fact.text)
        if fact.translation:
            translation = language.phrase("texts.quote", text=fact.translation)
            text = language.phrase("texts.translation", text=text, translation=translation)
        quoted.append(text)
    parts = [language.phrase("texts.plain", len(quoted), texts=language.join(quoted, "texts"))]
    if more:
        lines = language.count(language.noun("text"), more, "texts", digits=style == "list")
        parts.append(language.phrase("texts.more", more, things=lines))
    return parts


def _classification(best: ClassFact, language: Language, hedge: bool) -> str:
    doubt = hedge and best.score < SURE
    label = language.noun(best.label).label
    return language.phrase(f"classification.{'hedged' if doubt else 'plain'}", label=label)
