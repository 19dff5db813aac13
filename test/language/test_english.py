"""English agrees with inflect, and does without it where it is not installed."""

from __future__ import annotations

import sys

import inflect
import pytest

from i2t_ros.language import LANGUAGES, ObjectCount, compose, english, load_languages
from i2t_ros.language.grammar import Noun
from i2t_ros.pipeline.tasks.detect import ObjectFacts

ENGLISH = load_languages().get("en")
engine = inflect.engine()


@pytest.fixture
def no_inflect(monkeypatch: pytest.MonkeyPatch):
    """Hide the package, and forget what was learned without it."""
    functions = (english.plural, english.article, english._inflector)
    monkeypatch.setitem(sys.modules, "inflect", None)
    for function in functions:
        function.cache_clear()
    yield
    for function in functions:
        function.cache_clear()


@pytest.mark.parametrize("noun", ENGLISH.nouns.values(), ids=lambda noun: noun.key)
def test_plurals_and_articles_are_those_of_inflect(noun: Noun) -> None:
    forms = noun.forms["nominative"]

    assert forms["other"] == engine.plural(forms["one"])
    assert forms["other"] == engine.plural_noun(forms["one"])
    assert f"{noun.gender} {forms['one']}" == engine.a(forms["one"])


def test_numbers_are_those_of_inflect() -> None:
    for number in range(2, 11):
        assert ENGLISH.numbers[number, "a", "nominative"] == engine.number_to_words(number)


def test_people_not_persons() -> None:
    people = ObjectCount("person", "person", 2, 0.9, 0.9)

    assert compose([ObjectFacts((people,))]) == "I can see two people."


@pytest.mark.parametrize(
    ("word", "article", "plural"),
    [
        ("forklift", "a", "forklifts"),
        ("hourglass", "an", "hourglasses"),
        ("unicorn", "a", "unicorns"),
        ("child", "a", "children"),
        ("safety vest", "a", "safety vests"),
        ("man in black", "a", "men in black"),
        ("AGV", "an", "AGVs"),
        ("Box", "a", "Boxes"),
    ],
)
def test_labels_that_the_data_lack(word: str, article: str, plural: str) -> None:
    assert english.article(word) == article
    assert english.plural(word) == plural


@pytest.mark.usefixtures("no_inflect")
@pytest.mark.parametrize(
    ("word", "article", "plural"),
    [
        ("forklift", "a", "forklifts"),
        ("apple cart", "an", "apple carts"),
        ("box", "a", "boxes"),
        ("battery", "a", "batteries"),
        ("tray", "a", "trays"),
        ("AGV", "an", "AGVs"),
    ],
)
def test_without_inflect_spelling_decides(word: str, article: str, plural: str) -> None:
    assert english.article(word) == article
    assert english.plural(word) == plural


@pytest.mark.usefixtures("no_inflect")
def test_no_label_of_coco_needs_inflect() -> None:
    for name in ENGLISH.nouns:
        two = [ObjectFacts((ObjectCount(name, name, 2, 0.9, 0.9),))]
        for language in LANGUAGES:
            compose(two, language)

    assert english._inflector.cache_info().currsize == 0
