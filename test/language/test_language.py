from __future__ import annotations

import numpy as np
import pytest
from making import scene_of
from scene_words import compose_scene

from i2t_ros.errors import UnknownLanguageError, UnknownStyleError
from i2t_ros.language import STYLES, label, load_languages
from i2t_ros.language.facts import count_objects
from i2t_ros.types import Detections, Scene

LABELS = ("person", "dog", "cat", "", "forklift")
WIDTH, HEIGHT = 600, 400


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


@pytest.mark.parametrize("tag", ["es", "ES", "es-MX", "es_MX", "es_MX.UTF-8", "es-419", " es "])
def test_tags_are_resolved(tag: str) -> None:
    assert load_languages().resolve(tag) == "es"


@pytest.mark.parametrize("tag", ["", "tlh", "english", "C"])
def test_an_unknown_language_names_those_there_are(tag: str) -> None:
    with pytest.raises(UnknownLanguageError, match=r"'.*': there is .*en, es"):
        load_languages().resolve(tag)


def test_an_unknown_style_names_those_there_are() -> None:
    with pytest.raises(UnknownStyleError, match="'poem': there is list, sentence, scene, changes"):
        compose_scene(scene(TWO_PEOPLE_AND_A_DOG), style="poem")


def test_labels() -> None:
    assert label("dog", "es") == "perro"
    assert label("tvmonitor", "en") == "television"
    assert label("Dining_Table", "es") == "mesa de comedor"
    assert label("forklift", "es") == "forklift"
