"""Language files: a user's own, and what is said of a wrong one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from project import ROOT

from i2t_ros.errors import InvalidRequestError, UnknownLanguageError
from i2t_ros.language import (
    LANGUAGES,
    Languages,
    ObjectCount,
    TaskFacts,
    compose,
    label,
    load_languages,
)
from i2t_ros.pipeline.tasks.detect import ObjectFacts
from i2t_ros.pipeline.tasks.faces import FaceFacts
from i2t_ros.pipeline.tasks.text import TextFact, TextFacts
from i2t_ros.resources import config_path

GERMAN = config_path("languages", "de.yaml").read_text("utf-8")
GUIDE = ROOT / "docs" / "languages.md"


def counts(**objects: int) -> list[TaskFacts]:
    found = (
        ObjectCount(name.replace("_", " "), count, 0.9, 0.9) for name, count in objects.items()
    )
    return [ObjectFacts(tuple(found))]


def say(
    facts: list[TaskFacts], language: str, languages: Languages, style: str = "sentence"
) -> str:
    return compose(facts, language, style, languages=languages)


def user_languages(folder: Path, **files: str) -> Languages:
    for name, text in files.items():
        (folder / f"{name.replace('_', '-')}.yaml").write_text(text, encoding="utf-8")
    return load_languages(folder)


def test_the_languages_that_ship_are_the_files_that_ship() -> None:
    files = {path.stem for path in config_path("languages").glob("*.yaml")}

    assert files == set(LANGUAGES) == set(load_languages().tags)
    for tag in LANGUAGES:
        assert load_languages().get(tag).tag == tag


def test_labels_of_ones_own_are_laid_over_those_that_ship(tmp_path: Path) -> None:
    own = user_languages(
        tmp_path,
        es="labels: {forklift: {one: carretilla, other: carretillas, gender: f}}",
        de="labels: {dog: {one: Hündin, other: Hündinnen, gender: f}}",
    )

    assert say(counts(forklift=1, dog=2), "es", own) == "Veo dos perros y una carretilla."
    assert say(counts(dog=1), "de", own) == "Ich sehe eine Hündin."
    assert say(counts(dog=1), "de", load_languages()) == "Ich sehe einen Hund."
    assert label("forklift", "es", own) == "carretilla"


def test_labels_are_compared_as_models_write_them(tmp_path: Path) -> None:
    own = user_languages(
        tmp_path, en="labels: {AGV_7: {one: mule, other: mules}}\naliases: {forklift: agv_7}"
    )

    assert say(counts(forklift=2), "en", own) == "I can see two mules."


def test_aliases_reach_every_language(tmp_path: Path) -> None:
    own = user_languages(tmp_path, en="aliases: {hound: dog}")

    assert say(counts(hound=1, dog=1), "fr", own) == "Je vois deux chiens."


def test_a_variety_extends_a_language(tmp_path: Path) -> None:
    own = user_languages(
        tmp_path,
        es_MX="extends: es\nname: Español de México\n"
        "labels: {car: {one: carro, other: carros, gender: m}}",
    )

    assert own.resolve("es_mx") == "es-MX"
    assert own.resolve("es-AR") == "es-419"
    assert say(counts(car=2), "es-mx", own) == "Veo dos carros."
    assert say(counts(car=2), "es", own) == "Veo dos coches."


def test_the_language_of_the_guide_works(tmp_path: Path) -> None:
    blocks = re.findall(r"```yaml\n# (\S+)\.yaml\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL)
    own = user_languages(tmp_path, **{name.replace("-", "_"): text for name, text in blocks})

    assert {name for name, _ in blocks} == {"en", "sv", "es", "es-AR", "de", "pl", "ru", "ar"}
    assert say(counts(no_helmet=2), "en", own) == "I can see two people without a helmet."
    assert say(counts(jeans=1), "en", own) == "I can see a pair of jeans."
    assert say(counts(jeans=2), "sv", own) == "Jag ser två ”jeans”."
    assert say(counts(groceries=1), "en", own, "scene") == "In the middle there are groceries."
    assert say(counts(person=2, dog=1), "sv", own) == "Jag ser två personer och en hund."
    assert say(counts(forklift=11), "sv-FI", own) == "Jag ser 11 ”forklifts”."
    assert say(counts(bus=1, forklift=1), "es-AR", own) == "Veo un colectivo y un “forklift”."
    assert say(counts(pallet_jack=5), "pl", own) == "Widzę pięć wózków paletowych."
    assert say(counts(pallet_jack=22), "ru", own) == "Я вижу 22 тележки."
    assert say(counts(pallet_jack=2), "ar", own) == "أرى رافعتين."
    assert label("beaker", "es", own) == "vaso de precipitados"
    assert say(counts(forklift=1), "de", own) == "Ich sehe einen Gabelstapler."


def test_the_language_of_the_guide_has_every_style(tmp_path: Path) -> None:
    (text,) = re.findall(r"```yaml\n# sv\.yaml\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL)
    own = user_languages(tmp_path, sv=text)

    assert say(counts(dog=2), "sv", own, "list") == "Följande objekt har upptäckts: 2 hundar."
    assert say(counts(dog=2), "sv", own, "scene") == "I mitten finns två hundar."
    assert say(counts(dog=1), "sv", own, "changes") == "En hund har dykt upp i bilden."
    assert say([FaceFacts.of(1)], "sv", own) == "Det finns ett ansikte i bilden."
    assert say([TextFacts((TextFact("UT"),), more=1)], "sv", own) == (
        "Det står ”UT”. Det finns en textrad till."
    )


def test_faces_and_texts_stand_in_the_case_of_their_own_phrases(tmp_path: Path) -> None:
    own = user_languages(
        tmp_path,
        de="""
            texts: {case: accusative, more: "Ich sehe noch {things}."}
            nouns:
              face: {one: Kopf, other: Köpfe, gender: m}
              text: {one: Satz, other: Sätze, gender: m}
        """,
    )
    found = [FaceFacts.of(1), TextFacts((TextFact("HALT"),), more=1)]

    for style in ("sentence", "scene"):
        assert say(found, "de", own, style) == (
            "Im Bild ist ein Kopf zu sehen. Zu lesen ist: „HALT“. Ich sehe noch einen Satz."
        )
    assert say(found, "de", own, "list") == (
        "Im Bild ist 1 Kopf zu sehen. Zu lesen ist: „HALT“. Ich sehe noch 1 Satz."
    )


@pytest.mark.parametrize(
    ("style", "expected"),
    [("sentence", "Un chien un chat, one"), ("list", "1 chien 1 chat, several")],
)
def test_a_verb_agrees_with_what_is_certain_and_a_list_announces_all(
    tmp_path: Path, style: str, expected: str
) -> None:
    mixed = "{one: '{things} {hedged}, one', other: '{things} {hedged}, several'}"
    own = user_languages(tmp_path, fr=f"{style}: {{mixed: {mixed}}}")
    dog, cat = (ObjectCount(name, 1, score, score) for name, score in (("dog", 0.9), ("cat", 0.4)))

    said = compose([ObjectFacts((dog, cat))], "fr", style, hedge=True, languages=own)

    assert said == expected


WRONG = {
    "labels: [1, 2]": r"labels: expected a mapping, got \[1, 2\]",
    "labels: {dog: {one: perro}}": None,  # laid over what ships, which has the other form
    "labels: {cow bell: {one: cencerro}}": r"labels.cow bell: missing other",
    "labels: {dog: {gender: x}}": r"labels.dog.gender: expected one of m, f, got 'x'",
    "labels: {dog: {plural_gender: n}}": r"labels.dog.plural_gender: expected one of m, f, got 'n'",
    "borrowed: {plural_gender: f}": r"borrowed: unknown field plural_gender",
    "labels: {dog: {plural: perros}}": r"labels.dog: unknown field plural .did you mean plural",
    "labels: {dog: 7}": r"labels.dog: expected a text or a mapping, got 7",
    "labels: {dog: {other: [a]}}": r"labels.dog.other: expected a text or a mapping, got \['a'\]",
    "numbers: {1: {m: 5}}": r"numbers.1.m: expected a text or a mapping, got 5",
    'item: "{number}"': r"item.words: expected a text with the fields .*, got '{number}'",
    'sentence: {plain: "Veo."}': r"sentence.plain.other: expected a text with the fields {things}",
    'sentence: {plain: "Veo {thing}."}': r"sentence.plain.other: expected a text with the fields",
    'sentence: {plain: "Veo {things"}': r"sentence.plain.other: expected a text with the fields",
    "sentence: {plain: {uno: x, other: y}}": r"sentence.plain: unknown field uno; known: few, ",
    "sentence: {case: dative}": r"sentence.case: expected one of nominative, got 'dative'",
    "scene: {places: {left: 3}}": r"scene.places.left: expected a text, got 3",
    "lists: {things: {last: x}}": r"lists.things: a key: expected one of 2, .*, got 'last'",
    'lists: {things: {"2": "{0}"}}': r"lists.things.2: expected a text with the fields {0} {1}",
    "lists: {thing: {}}": r"lists: a key: expected one of list, .*, got 'thing'",
    "counters: {x: y}": r"counters.x: expected a mapping, got 'y'",
    "counters: {x: {many: y}}": r"counters.x: a key: expected a whole number, got 'many'",
    "numbers: {1: {m: {accusative: un}}}": r"numbers.1.m: a key: expected one of nominative, got",
    "numbers: {1: {n: un}}": r"numbers.1: a key: expected one of m, f, got 'n'",
    "scene: {plain: {one: x, othr: y}}": r"scene.plain: missing other; unknown field othr",
    "numbers: {31: x}": r"numbers: expected 1, 2, 3 and so on without a gap, got .*29, 31]",
    "numbers: {once: x}": r"numbers: a key: expected a whole number, got 'once'",
    'item: {words: {1: "{noun}"}, digits: "{number} {noun}"}': r"item.words: expected a text with",
    "item: {words: {one: x}}": r"item",
    'borrowed: {item: "{noun}"}': r"borrowed.item.words: expected a text with the fields",
    'labels: {x: {other: y, item: "{numbr} {noun}"}}': r"labels.x.item.words: expected a text with",
    "sentence: {plain: {other: {m: x}}}": r"sentence.plain.other: .* f",
    "extends: es-420": r"extends: expected one of ar, .*, got 'es-420'; did you mean es-419\\?",
    "numerals: roman": r"numerals: expected one of mixed, uniform, got 'roman'",
    "borrowed: {gender: n}": r"borrowed.gender: expected one of m, f, got 'n'",
    "sentence: {plane: x}": r"sentence: unknown field plane .did you mean plain",
    "labels: {no: {one: no, other: noes}}": r"labels: a key: expected a text, got False",
    "space:": r"space: expected a text, got None",
    "capitals: all": r"capitals: expected one of sentences, nouns, none, got 'all'",
    "cldr: tlh": r"cldr: expected the tag of a language that CLDR has data for, got 'tlh'",
    "extends: es": r"extends itself",
    "lables: {}": r"unknown field lables .did you mean labels",
    "- a list": r"expected a mapping of keys",
    "a: [": r"cannot be read",
}  # fmt: skip


@pytest.mark.parametrize("text", WRONG)
def test_a_wrong_file_is_refused_by_what_is_wrong(tmp_path: Path, text: str) -> None:
    if WRONG[text] is None:
        user_languages(tmp_path, es=text)
    else:
        with pytest.raises(InvalidRequestError, match=WRONG[text]) as refusal:
            user_languages(tmp_path, es=text)
        assert "es" in str(refusal.value)


def test_a_new_language_says_what_it_lacks(tmp_path: Path) -> None:
    with pytest.raises(
        InvalidRequestError, match=r"language da: missing numbers, item, nouns, labels"
    ):
        user_languages(tmp_path, da="name: Dansk")


def test_a_language_unknown_to_cldr_says_so(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequestError, match=r"language tlh: cldr: expected the tag"):
        user_languages(tmp_path, tlh=GERMAN.replace("name: Deutsch", "name: tlhIngan Hol"))


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequestError, match=r"language folder .*nowhere: expected a folder"):
        load_languages(tmp_path / "nowhere")


def test_a_language_is_read_when_it_is_first_asked_for(tmp_path: Path) -> None:
    (tmp_path / "xx.yaml").write_text("name: [", encoding="utf-8")
    languages = Languages(config_path("languages"), tmp_path)

    assert "xx" in languages.tags
    assert languages.get("en").tag == "en"
    with pytest.raises(InvalidRequestError):
        languages.get("xx")
    with pytest.raises(UnknownLanguageError, match=r"there is .*de, en, .*es, .*xx"):
        languages.get("yy")


@pytest.mark.parametrize("tag", LANGUAGES)
def test_the_files_that_ship_hold_each_key_once(tag: str) -> None:
    class Loader(yaml.SafeLoader):
        def construct_mapping(self, node, deep=False):
            keys = [self.construct_object(key) for key, _ in node.value]
            assert len(keys) == len(set(keys)), keys
            return super().construct_mapping(node, deep)

    yaml.load(config_path("languages", f"{tag}.yaml").read_text("utf-8"), Loader=Loader)  # noqa: S506


def test_an_english_label_of_ones_own_is_lent_to_other_languages(tmp_path: Path) -> None:
    own = user_languages(tmp_path, en="labels: {ox: {one: ox, other: oxen, gender: an}}")

    assert say(counts(ox=2), "en", own) == "I can see two oxen."
    assert say(counts(ox=2), "es", own) == "Veo dos «oxen»."
    assert say(counts(ox=2), "zh", own) == "我看到两个“ox”。"
