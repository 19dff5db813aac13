"""What the keys of a language file do, each on a language that changes just that."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from i2t_ros.language import Languages, ObjectCount, TaskFacts, compose, load_languages
from i2t_ros.language.changes import Changes
from i2t_ros.language.grammar import Language
from i2t_ros.language.sentences import compose_changes
from i2t_ros.pipeline.tasks.classify import ClassFact, ClassFacts
from i2t_ros.pipeline.tasks.detect import ObjectFacts
from i2t_ros.pipeline.tasks.faces import FaceFacts
from i2t_ros.pipeline.tasks.text import TextFact, TextFacts

Say = Callable[..., str]


@pytest.fixture
def say(tmp_path: Path) -> Say:
    """Return a function that says counts in Spanish with a user's file laid over it."""

    def said(file: str, *facts: TaskFacts, style: str = "sentence", hedge: bool = False) -> str:
        return compose(facts, "es", style, hedge=hedge, languages=languages(tmp_path, file))

    return said


def languages(folder: Path, file: str) -> Languages:
    (folder / "es.yaml").write_text(file, encoding="utf-8")
    return load_languages(folder)


def counts(*, doubt: str = "", place: str = "", **numbers: int) -> ObjectFacts:
    return ObjectFacts(
        tuple(
            ObjectCount(name, number, score := 0.2 if name == doubt else 0.9, score, place)
            for name, number in numbers.items()
        )
    )


def test_a_number_may_have_a_template_of_its_own(say: Say) -> None:
    item = """item:
      words: {1: "{noun}", 2: "par de {noun}", other: "{number} {noun}"}
      digits: {1: "{noun} ({number})", other: "{number} {noun}"}"""

    assert say(item, counts(dog=1)) == "Veo perro."
    assert say(item, counts(dog=2, cat=1)) == "Veo par de perros y gato."
    assert say(item, counts(dog=3)) == "Veo tres perros."
    assert say(item, counts(dog=1, cat=2), style="list").endswith(": 2 gatos y perro (1).")


def test_a_noun_may_be_counted_in_a_way_of_its_own(say: Say) -> None:
    noun = 'nouns: {face: {one: cara, other: caras, gender: f, item: "{noun}: {number}"}}'

    assert say(noun, FaceFacts.of(2)) == "Hay caras: dos en la imagen."
    assert say(noun, counts(dog=2)) == "Veo dos perros."


def test_foreign_nouns_may_be_counted_in_a_way_of_their_own(say: Say) -> None:
    item = """borrowed:
      item: {words: {1: "1 × {noun}", other: "{number} {noun}"}, digits: "{number}× {noun}"}"""

    assert say(item, counts(forklift=1, dog=1)) == "Veo 1 × «forklift» y un perro."
    assert say(item, counts(forklift=2)) == "Veo dos «forklifts»."
    assert say(item, counts(forklift=3), style="list").endswith(": 3× «forklifts».")


def test_a_noun_that_is_always_plural_makes_its_verb_plural(say: Say) -> None:
    noun = "labels: {jeans: {one: vaqueros, other: vaqueros, gender: m, plural_only: true}}"
    phrases = "scene: {first: {one: '{place} está {things}', other: '{place} están {things}'}}"

    assert say(noun, counts(jeans=1), style="changes").startswith("Acaban de aparecer")
    assert say(f"{noun}\n{phrases}", counts(jeans=1, dog=1), style="scene").startswith(
        "En el centro están"
    )
    assert say(phrases, counts(dog=1), style="scene") == "En el centro está un perro."


def test_one_number_in_digits_makes_all_of_them_digits(say: Say) -> None:
    uniform = "numerals: uniform"

    assert say(uniform, counts(dog=30, cat=1)) == "Veo 30 perros y 1 gato."
    assert say(uniform, counts(dog=29, cat=1)) == "Veo veintinueve perros y un gato."
    assert say("numerals: mixed", counts(dog=30, cat=1)) == "Veo 30 perros y un gato."
    sure_and_unsure = say(uniform, counts(dog=30, cat=2, doubt="cat"), hedge=True)
    assert sure_and_unsure == "Veo 30 perros, y probablemente también 2 gatos."
    scene = say(uniform, counts(dog=2, cat=30, doubt="cat"), hedge=True, style="scene")
    assert "2 perros" in scene
    assert "30 gatos" in scene


def test_one_number_in_digits_reaches_what_left(tmp_path: Path) -> None:
    changes = Changes((counts(dog=1),), (counts(cat=30),))
    own = languages(tmp_path, "numerals: uniform")

    assert compose_changes(changes, "es", languages=own) == (
        "Acaba de aparecer en la imagen 1 perro. Acaban de desaparecer de la imagen 30 gatos."
    )


def test_a_number_without_a_word_may_take_another_case(say: Say) -> None:
    cases = """
      cases: [nominative, accusative]
      digit_cases: {other: nominative}
      sentence: {case: accusative}
      labels: {dog: {one: perro, other: {nominative: perros, accusative: canes}, gender: m}}"""

    assert say(cases, counts(dog=2)) == "Veo dos canes."
    assert say(cases, counts(dog=31)) == "Veo 31 perros."


def test_a_phrase_may_agree_with_the_gender_of_what_it_speaks_of(say: Say) -> None:
    phrases = """
      changes:
        appeared:
          one: {m: "Aparecido: {things}.", f: "Aparecida: {things}."}
          other: "Nuevo: {things}."
      faces: {plain: {other: {m: "Visto: {things}.", f: "Vista: {things}."}}}"""

    assert say(phrases, counts(dog=1), style="changes") == "Aparecido: un perro."
    assert say(phrases, counts(cow=1), style="changes") == "Aparecida: una vaca."
    assert say(phrases, counts(cow=1, dog=1), style="changes") == "Nuevo: una vaca y un perro."
    assert say(phrases, FaceFacts.of(1)) == "Vista: una cara."


def test_each_doubtful_thing_of_a_list_may_say_so(say: Say) -> None:
    mark = 'list: {noun_hedged: "{noun} (?)"}'
    found = counts(dog=2, cat=1, cow=1, doubt="cat")

    assert say(mark, found, style="list", hedge=True) == (
        "Se detectaron los siguientes objetos: 2 perros y 1 vaca, "
        "y probablemente también 1 gato (?)."
    )
    assert "(?)" not in say(mark, found, style="list")


SPANISH_TWO = ObjectFacts(
    (ObjectCount("dog", 2, 0.9, 0.9, "left"), ObjectCount("cat", 1, 0.2, 0.2, "right"))
)


def test_phrases_that_a_language_leaves_out_are_taken_from_others(tmp_path: Path) -> None:
    spanish = load_languages().get("es")._data
    kept = {"case", "plain", "hedged", "group", "places"}
    scene = {key: value for key, value in spanish["scene"].items() if key in kept}
    data = {**spanish, "scene": scene | {"plain": "Hay {things}.", "hedged": "Quizá {things}."}}
    own = Language("es", data, load_languages().get("en"))

    assert SPANISH_TWO.sentences(own, "scene", hedge=True) == [
        "Hay a la izquierda, dos perros.",
        "Quizá a la derecha, un gato.",
    ]


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["EXIT"], "The text reads “EXIT.”"),
        (["EXIT", "PUSH"], "The text reads “EXIT” and “PUSH.”"),
        (["A", "B", "C"], "The text reads “A,” “B,” and “C.”"),
        (["Stop!"], "The text reads “Stop!”"),
        (["Why?"], "The text reads “Why?”"),
        (["Mr."], "The text reads “Mr.”"),
        (["And so on…"], "The text reads “And so on…”"),
        (["No, thanks", "a”, b"], "The text reads “No, thanks” and “a”, b.”"),
    ],
)
def test_american_periods_and_commas_stand_inside_quotation_marks(texts, expected) -> None:
    assert compose([TextFacts(tuple(TextFact(text) for text in texts))], "en") == expected


def test_british_periods_and_commas_stand_outside() -> None:
    texts = TextFacts((TextFact("A"), TextFact("B"), TextFact("C")))

    assert compose([texts], "en-GB") == "The text reads “A”, “B” and “C”."


def test_only_a_foreign_class_of_the_picture_stands_in_quotation_marks() -> None:
    def shows(name: str, language: str) -> str:
        return compose([ClassFacts((ClassFact(name, score=0.9),))], language)

    assert shows("Egyptian cat", "en") == "Best guess: Egyptian cat."
    assert shows("Egyptian cat", "en-GB") == "Best guess: Egyptian cat."
    assert shows("Egyptian cat", "es") == "Clasificación más probable: «Egyptian cat»."
    assert shows("Egyptian cat", "ko") == "사진 속 대상은 “Egyptian cat”일 가능성이 가장 높습니다."
    assert shows("Egyptian cat", "zh-TW") == "圖中最有可能是「Egyptian cat」。"
    assert shows("dog", "es") == "Clasificación más probable: perro."
    assert shows("dog", "ko") == "사진 속 대상은 개일 가능성이 가장 높습니다."


def test_also_is_said_only_of_a_place_that_was_named() -> None:
    def said(place: str) -> str:
        found = ObjectFacts(
            (ObjectCount("dog", 2, 0.9, 0.9, "left"), ObjectCount("cat", 1, 0.2, 0.2, place))
        )
        return compose([found], "en", "scene", hedge=True)

    assert said("left").endswith(" On the left there is probably also a cat.")
    assert said("right").endswith(" On the right there is probably a cat.")


def test_an_acronym_takes_the_plural_that_the_language_gives_it() -> None:
    def two(name: str, language: str) -> str:
        return compose([counts(**{name: 2})], language)

    assert two("SUV", "en") == "I can see two SUVs."
    assert two("SUV", "es") == "Veo dos «SUV»."
    assert two("SUV", "nl") == "Ik zie twee ‘SUV’s’."
    assert two("SUV", "de") == "Ich sehe zwei „SUVs“."
    assert two("forklift", "es") == "Veo dos «forklifts»."


def test_several_places_keep_their_things_apart() -> None:
    found = tuple(
        ObjectCount(name, count, 0.9, 0.9, place)
        for name, count, place in (("dog", 2, "left"), ("cat", 1, "left"), ("cow", 1, "right"))
    )

    assert (
        compose([ObjectFacts(found)], "ja", "scene")
        == "左に犬が二匹と猫が一匹、右に牛が一頭見えます。"
    )
    assert compose([ObjectFacts(found[:2])], "ja", "scene") == "左に犬が二匹、猫が一匹見えます。"


def came(language: str, **numbers: int) -> str:
    return compose([counts(**numbers)], language, "changes")


def test_no_sentence_begins_with_a_figure_where_that_is_bad_style() -> None:
    assert came("en", dog=21, cat=12).startswith("Twenty-one dogs and 12 cats have")
    assert came("en-GB", dog=101).startswith("One hundred and one dogs have")
    assert came("fr", cow=31, dog=30).startswith("Trente et une vaches et 30 chiens viennent")
    assert came("de", dog=21).startswith("21 Hunde sind")
    assert compose([counts(dog=21)], "en") == "I can see 21 dogs."
    gone = compose_changes(Changes((), (counts(cow=31),)), "pt")
    assert gone == "Trinta e uma vacas acabaram de desaparecer da imagem."


def test_without_the_package_for_it_a_figure_begins_a_sentence(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "unicode_rbnf", None)
    english = load_languages().get("en")
    monkeypatch.setattr(english, "count", english._count)  # what is known already is not in it

    assert came("en", dog=21) == "21 dogs have come into view."


def test_the_foreground_is_its_middle_unless_a_side_of_it_is_named() -> None:
    def said(*places: str, language: str = "en") -> str:
        names = ("dog", "cat", "cow")
        found = [
            ObjectCount(name, 1, 0.9, 0.9, place)
            for name, place in zip(names, places, strict=False)
        ]
        return compose([ObjectFacts(tuple(found))], language, "scene")

    assert said("middle_near") == "In the foreground there is a dog."
    assert said("middle_near", "left_far").startswith("In the foreground there is a dog;")
    assert said("middle_near", "left_near").startswith("In the middle of the foreground there is")
    assert said("right_far", "middle_far").endswith("; in the middle of the background, a cat.")
    assert said("right_far", "middle").endswith("; in the middle, a cat.")
    assert said("middle_near", "left_near", language="de").startswith("Vorne in der Mitte ist")
