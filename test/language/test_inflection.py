"""English agrees with inflect, and does without it; particles, and "y" or "e", fit their words."""

from __future__ import annotations

import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from i2t_ros.language import LANGUAGES, ObjectCount, compose, inflection, load_languages
from i2t_ros.language.inflection import fill_korean, fill_spanish
from i2t_ros.language.nouns import Noun
from i2t_ros.pipeline.tasks.detect import ObjectFacts
from i2t_ros.pipeline.tasks.text import TextFact, TextFacts

ENGLISH = load_languages().get("en")


@pytest.fixture(scope="module")
def engine():
    """Return inflect's engine; its import takes two seconds, which only this module should wait."""
    import inflect  # noqa: PLC0415

    return inflect.engine()


@pytest.fixture
def no_inflect(monkeypatch: pytest.MonkeyPatch):
    """Hide the package."""
    monkeypatch.setitem(sys.modules, "inflect", None)
    inflection._inflector.cache_clear()
    yield
    inflection._inflector.cache_clear()


@pytest.mark.parametrize("noun", ENGLISH.nouns.values(), ids=lambda noun: noun.key)
def test_plurals_and_articles_are_those_of_inflect(engine, noun: Noun) -> None:
    forms = noun.forms

    assert forms["other"] == engine.plural(forms["one"])
    assert forms["other"] == engine.plural_noun(forms["one"])
    if noun.gender != "one":
        assert f"{noun.gender} {forms['one']}" == engine.a(forms["one"])


def test_numbers_are_those_of_inflect(engine) -> None:
    for number in range(2, 11):
        assert ENGLISH.count(ENGLISH.noun("dog"), number, "sentence") == (
            f"{engine.number_to_words(number)} dogs"
        )


def test_people_not_persons() -> None:
    people = ObjectCount("person", 2, 0.9, 0.9)

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
        ("jeans", "", "jeans"),
        ("dwarf planet", "a", "dwarf planets"),
    ],
)
def test_labels_that_the_data_lack(word: str, article: str, plural: str) -> None:
    assert inflection.english_article(word) == article
    assert inflection.english_plural(word) == plural


def said(name: str, count: int, language: str = "en", style: str = "sentence") -> str:
    facts = ObjectCount(name, count, 0.9, 0.9, "left" if style == "scene" else None)
    return compose([ObjectFacts((facts,))], language, style)


def test_verbs_agree_with_a_label_that_is_plural() -> None:
    assert said("jeans", 1) == "I can see jeans."
    assert said("jeans", 1, style="scene") == "On the left there are jeans."
    assert said("jeans", 1, style="changes") == "Jeans have come into view."
    assert said("forklift", 1, style="changes") == "A forklift has come into view."
    assert said("furniture", 1, style="scene") == "On the left there is a piece of furniture."


def test_a_list_counts_objects_whatever_their_names() -> None:
    assert said("jeans", 1, style="list") == "The following object was detected: 1 jeans."
    assert said("jeans", 2, style="list") == "The following objects were detected: 2 jeans."
    assert said("rice", 2, style="list").endswith("objects were detected: 2 portions of rice.")


@pytest.mark.parametrize(
    ("name", "language", "sentence"),
    [
        ("furniture", "es", "Veo dos «furniture»."),
        ("furniture", "zh", "我看到两个“furniture”。"),
        ("person (walking)", "es", "Veo dos «people (walking)»."),
        ("jeans", "de", "Ich sehe zwei „Jeans“."),
        ("chest of drawers", "fr", "Je vois deux «\u00a0chests of drawers\u00a0»."),
    ],
)
def test_other_languages_borrow_the_plural_and_no_unit(
    name: str, language: str, sentence: str
) -> None:
    assert said(name, 2, language) == sentence


def test_the_bare_label_stays() -> None:
    for name in ("furniture", "jeans", "person (walking)", "a cat"):
        assert ENGLISH.noun(name).label == name


@given(st.text(max_size=40) | st.text(alphabet="aAsS- /&().,'’é1w", max_size=40))
def test_no_label_is_refused(label: str) -> None:
    assert inflection.english_article(label) in ("a", "an", "")
    assert len(inflection.english_plural(label)) >= len(label) // 4
    assert inflection.english_singular(label).endswith(label[-1:])


@pytest.mark.parametrize("part", ["a", "a ", "-of-a", "a/b", " w/", "(", "aing ", "A", "and a "])
def test_a_long_label_takes_no_time(part: str) -> None:
    label = (part * 10_000)[:10_000]
    start = time.process_time()

    inflection.english_plural(label)
    inflection.english_article(label)

    assert time.process_time() - start < 1


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
    assert inflection.english_article(word) == article
    assert inflection.english_plural(word) == plural


@pytest.mark.usefixtures("no_inflect")
def test_no_label_of_coco_needs_inflect() -> None:
    for name in ENGLISH.nouns:
        two = [ObjectFacts((ObjectCount(name, 2, 0.9, 0.9),))]
        for language in LANGUAGES:
            compose(two, language)

    assert inflection._inflector.cache_info().currsize == 0


@pytest.mark.parametrize(
    ("template", "word", "expected"),
    [
        ("{x}이(가) 있습니다", "사람", "사람이 있습니다"),
        ("{x}이(가) 있습니다", "고양이 한 마리", "고양이 한 마리가 있습니다"),
        ("{x}을(를)", "책", "책을"),
        ("{x}을(를)", "의자", "의자를"),
        ("{x}은(는)", "곰", "곰은"),
        ("{x}은(는)", "개", "개는"),
        ("{x}과(와)", "말", "말과"),
        ("{x}과(와)", "사과", "사과와"),
        ("{x}이(가)", "10", "10이"),
        ("{x}이(가)", "2", "2가"),
        ("{x}이(가)", "3", "3이"),
        ("{x}이(가)", "AGV", "AGV이(가)"),
        ("{x}이(가)", "", "이(가)"),
        ("({x})", "“이(가)”", "(“이(가)”)"),
    ],
)
def test_particles_follow_the_sound_before_them(template: str, word: str, expected: str) -> None:
    assert fill_korean(template, {"x": word}) == expected


def test_what_is_filled_into_korean_is_not_read_as_a_template() -> None:
    assert fill_korean("{x}과(와) {y}", {"x": "{y}", "y": "개"}) == "{y}과(와) 개"


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("hilo", "aguja e hilo"),
        ("«IGLESIA»", "aguja e «IGLESIA»"),
        ("«Ícaro»", "aguja e «Ícaro»"),
        ("«¡Hijo!»", "aguja e «¡Hijo!»"),
        ("hielo", "aguja y hielo"),
        ("iones", "aguja y iones"),
        ("dos perros", "aguja y dos perros"),
        ("«YOGUR»", "aguja y «YOGUR»"),
        ("«»", "aguja y «»"),
        ("", "aguja y "),
    ],
)
def test_and_follows_the_sound_behind_it(word: str, expected: str) -> None:
    assert fill_spanish("{first} y {second}", {"first": "aguja", "second": word}) == expected


def test_what_is_filled_into_spanish_is_not_read_as_a_template() -> None:
    assert fill_spanish("{a} y {b}", {"a": "hay {b}", "b": "hilo"}) == "hay {b} e hilo"


@pytest.mark.parametrize("texts", [("SALIDA", "IZQUIERDA"), ("ENTRADA", "SALIDA", "INICIO")])
def test_texts_that_were_read(texts: tuple[str, ...]) -> None:
    found = TextFacts(tuple(TextFact(text) for text in texts))

    assert f" e «{texts[-1]}»." in compose([found], "es")


def test_dutch_and_turkish_capitals() -> None:
    assert inflection.capital_dutch("ijs") == "IJs"
    assert inflection.capital_dutch("een hond") == "Een hond"
    assert inflection.capital_turkish("iki köpek") == "İki köpek"
    assert inflection.capital_turkish("ırmak") == "Irmak"
