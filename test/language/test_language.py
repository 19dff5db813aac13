from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from making import scene_of
from scene_words import compose_scene

from i2t_ros.errors import UnknownLanguageError, UnknownStyleError
from i2t_ros.language import STYLES, label, load_languages
from i2t_ros.language.facts import count_objects
from i2t_ros.language.grammar import clean
from i2t_ros.language.sentences import plural_start
from i2t_ros.types import Detections, Scene

LABELS = ("person", "dog", "cat", "", "forklift")
WIDTH, HEIGHT = 600, 400
PLURAL = "Se detectaron los siguientes objetos: "


def detections(*objects: tuple[str, float, float, float]) -> Detections:
    """Make objects of (label, x of the middle, side, score), square, at half height."""
    rows = [
        (x - side / 2, HEIGHT / 2 - side / 2, x + side / 2, HEIGHT / 2 + side / 2)
        for _, x, side, _ in objects
    ]
    return Detections(
        boxes=np.array(rows, np.float32),
        scores=np.array([score for *_, score in objects], np.float32),
        class_ids=np.array([LABELS.index(name) for name, *_ in objects], np.int32),
        labels=LABELS,
    )


TWO_PEOPLE_AND_A_DOG = detections(
    ("person", 100, 80, 0.9), ("person", 150, 80, 0.8), ("dog", 300, 60, 0.7)
)


def scene(found: Detections | None) -> Scene:
    return scene_of(WIDTH, HEIGHT, detections=found)


@pytest.mark.parametrize(
    ("language", "style", "expected"),
    [
        ("en", "sentence", "I can see two people and a dog."),
        ("en", "list", "The following objects were detected: 2 people and 1 dog."),
        ("en", "scene", "On the left there are two people; in the middle, a dog."),
        ("en", "changes", "Two people and a dog have come into view."),
        ("es", "sentence", "Veo dos personas y un perro."),
        ("es", "list", "Se detectaron los siguientes objetos: 2 personas y 1 perro."),
        ("es", "scene", "A la izquierda hay dos personas; en el centro, un perro."),
    ],
)
def test_two_people_and_a_dog(language: str, style: str, expected: str) -> None:
    assert compose_scene(scene(TWO_PEOPLE_AND_A_DOG), language, style) == expected


@pytest.mark.parametrize("style", STYLES)
def test_shuffled_detections_give_the_same_sentence(style: str) -> None:
    shuffled = TWO_PEOPLE_AND_A_DOG[np.array([2, 1, 0])]

    assert compose_scene(scene(shuffled), style=style) == compose_scene(
        scene(TWO_PEOPLE_AND_A_DOG), style=style
    )


def test_nothing_seen_has_its_own_sentence() -> None:
    nothing = scene(Detections.empty(LABELS))

    assert compose_scene(nothing) == "I don't see anything I recognize."
    assert compose_scene(nothing, "es", "list") == "No se detectaron objetos."
    assert compose_scene(scene(None)) == "I was not able to analyze this picture."


def test_objects_are_counted_most_first_then_largest_then_most_certain() -> None:
    found = detections(
        ("cat", 100, 50, 0.6),
        ("dog", 200, 60, 0.5),
        ("forklift", 300, 50, 0.9),
        ("person", 400, 10, 0.3),
        ("person", 500, 10, 0.4),
    )

    counts = count_objects(found)

    assert [(c.key, c.count) for c in counts] == [
        ("person", 2),
        ("dog", 1),
        ("forklift", 1),
        ("cat", 1),
    ]
    assert counts[0].max_score == pytest.approx(0.4)
    assert counts[0].min_score == pytest.approx(0.3)
    assert count_objects(Detections.empty(LABELS)) == ()


@pytest.mark.parametrize(
    ("tag", "language"),
    [
        ("es", "es"), ("ES", "es"), (" es ", "es"), ("es_ES.UTF-8", "es"), ("es-x-mine", "es"),
        ("es-419", "es-419"), ("es-MX", "es-419"), ("es_AR.UTF-8", "es-419"), ("es-us", "es-419"),
        ("pt-BR", "pt"), ("pt-PT", "pt-PT"), ("pt_AO", "pt-PT"),
        ("zh-CN", "zh"), ("zh-Hans-SG", "zh"), ("zh-TW", "zh-Hant"), ("zh_HK.UTF-8", "zh-Hant"),
        ("zh-Hant-MO", "zh-Hant"), ("zh-hant", "zh-Hant"),
        ("es-Latn-MX", "es-419"), ("es-Latn-ES", "es"), ("pt-Latn-AO", "pt-PT"),
        ("zh-Hans-TW", "zh"), ("en-Latn-GB", "en-GB"),
        ("en-US", "en"), ("en_GB.UTF-8", "en-GB"), ("de-AT", "de"), ("fr-CA", "fr"),
    ],
)  # fmt: skip
def test_a_tag_gets_the_nearest_language(tag: str, language: str) -> None:
    assert load_languages().resolve(tag) == language


@pytest.mark.parametrize(
    ("language", "sentence", "expected"),
    [
        ("es", "Se detectó el siguiente objeto: 1 gato.", f"{PLURAL}1 gato."),
        ("es-MX", "Se detectó el siguiente objeto: 1 gato. Hay 1 cara en la imagen.",
         f"{PLURAL}1 gato. Hay 1 cara en la imagen."),
        ("es", "Probablemente está en la imagen el siguiente objeto: 1 gato.", f"{PLURAL}1 gato."),
        ("es", "Probablemente están en la imagen los siguientes objetos: 2 gatos.",
         f"{PLURAL}2 gatos."),
        ("es", f"{PLURAL}2 gatos.", f"{PLURAL}2 gatos."),
        ("es", "No se detectaron objetos.", "No se detectaron objetos."),
        ("es", "", ""),
        ("ko", "다음 물체가 감지되었습니다: 개 1마리.", "다음 물체가 감지되었습니다: 개 1마리."),
        ("tlh", "Se detectó: 1 gato.", "Se detectó: 1 gato."),
    ],
)  # fmt: skip
def test_old_programs_find_the_beginning_that_they_parse(language, sentence, expected) -> None:
    assert plural_start(sentence, language) == expected


def test_a_user_language_may_serve_wider_and_narrower_tags(tmp_path: Path) -> None:
    (tmp_path / "es-MX.yaml").write_text("extends: es-419\nlabels: {car: carro}")
    own = load_languages(tmp_path)

    assert own.resolve("es-MX") == "es-MX"
    assert own.resolve("es-CL") == "es-419"
    assert label("car", "es-MX", own) == "carro"
    assert label("cell phone", "es-MX", own) == "celular"
    assert label("fork", "es-MX", own) == "tenedor"


def test_a_tag_with_its_usual_script_gets_the_region(tmp_path: Path) -> None:
    (tmp_path / "zh-TW.yaml").write_text("extends: zh-Hant\nlabels: {car: 轎車}", encoding="utf-8")
    own = load_languages(tmp_path)

    assert own.resolve("zh-Hant-TW") == own.resolve("zh_TW.UTF-8") == "zh-TW"
    assert own.resolve("zh-Hant-HK") == own.resolve("zh-Hant") == "zh-Hant"
    assert own.resolve("zh-Hans-TW") == "zh"
    assert label("car", "zh-Hant-TW", own) == "轎車"


@pytest.mark.parametrize("tag", ["", "tlh", "english", "C"])
def test_an_unknown_language_names_those_there_are(tag: str) -> None:
    with pytest.raises(UnknownLanguageError, match=r"'.*': there is .*en, .*es"):
        load_languages().resolve(tag)


def test_an_unknown_style_names_those_there_are() -> None:
    with pytest.raises(UnknownStyleError, match="'poem': there is list, sentence, scene, changes"):
        compose_scene(scene(TWO_PEOPLE_AND_A_DOG), style="poem")


def test_labels() -> None:
    assert label("dog", "es") == "perro"
    assert label("tvmonitor", "en") == "television"
    assert label("Dining_Table", "es") == "mesa de comedor"
    assert label("forklift", "es") == "forklift"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  two \n lines\t", "two lines"),
        ("\x1b[2Jred\x00", "[2Jred"),
        ("क्\u200dष", "क्\u200dष"),  # Hindi spells with joiners
        ("می\u200cروم", "می\u200cروم"),  # and Persian with non-joiners
        ("\u200d\u200c", ""),
        ("a\u200d \u200cb", "a b"),
        ("a\u202eb\u2066c", "a b c"),  # marks of direction could turn the sentence around
    ],
)
def test_a_text_is_cleaned_and_keeps_its_spelling(text: str, expected: str) -> None:
    assert clean(text) == expected
