from __future__ import annotations

import numpy as np
import pytest
from making import classes_of, scene_of
from scene_words import compose_scene

from i2t_ros.pipeline.tasks.faces import Faces
from i2t_ros.pipeline.tasks.text import TextRegion
from i2t_ros.pipeline.telling import scene_facts
from i2t_ros.types import Detections, Scene

BOX = np.array([[0, 100, 50, 200]], np.float32)
LINE = TextRegion(np.array([[0, 0], [50, 0], [50, 10], [0, 10]]), "EXIT", 0.9, (0, 0, 0), (9, 9, 9))
EVERYTHING = scene_of(
    600,
    400,
    detections=Detections(BOX, np.full(1, 0.9), np.zeros(1), ("dog",)),
    classification=classes_of(("beach",), (0.9,)),
    faces=Faces(BOX, np.ones(1)),
    texts=(LINE,),
)
FACELESS = Faces(np.empty((0, 4)), np.empty(0))
NOTHING = scene_of(
    600,
    400,
    detections=Detections.empty(("dog",)),
    classification=classes_of((), ()),
    faces=FACELESS,
    texts=(),
)
ORDER = ["objects", "faces", "texts", "classification"]


def test_a_task_that_did_not_run_leaves_no_facts() -> None:
    assert scene_facts(scene_of(600, 400), "sentence") == ()


def test_a_task_that_found_nothing_leaves_empty_facts() -> None:
    facts = scene_facts(NOTHING, "sentence")

    assert [(task.section, task.found, bool(task)) for task in facts] == [
        (section, (), False) for section in ORDER
    ]


def test_facts_are_in_the_order_in_which_they_are_said() -> None:
    facts = scene_facts(EVERYTHING, "sentence")

    assert [(task.section, [fact.key for fact in task.found]) for task in facts] == [
        ("objects", ["dog"]),
        ("faces", ["face"]),
        ("texts", ["EXIT"]),
        ("classification", ["beach"]),
    ]
    assert compose_scene(EVERYTHING) == (
        "I can see a dog. There is a face in the picture. The text reads “EXIT.” Best guess: beach."
    )


@pytest.mark.parametrize(
    ("style", "place"), [("list", ""), ("sentence", ""), ("scene", "left"), ("changes", "")]
)
def test_only_the_style_scene_has_places(style: str, place: str) -> None:
    (dog,) = scene_facts(EVERYTHING, style)[0].found

    assert dog.place == place


@pytest.mark.parametrize(
    ("scene", "expected"),
    [
        (scene_of(9, 9, faces=FACELESS), "I don't see any faces."),
        (scene_of(9, 9, texts=()), "I don't see any text."),
        (
            scene_of(9, 9, classification=NOTHING.results["classify"]),
            "I don't see anything I recognize.",
        ),
        (scene_of(9, 9, detections=NOTHING.detections), "I don't see anything I recognize."),
        (scene_of(9, 9, faces=FACELESS, texts=()), "I don't see anything I recognize."),
        (NOTHING, "I don't see anything I recognize."),
    ],
)
def test_a_task_that_looked_alone_says_itself_that_it_found_nothing(
    scene: Scene, expected: str
) -> None:
    assert compose_scene(scene) == expected


def test_a_class_of_the_whole_picture_that_is_not_likely_is_not_said() -> None:
    seen = classes_of(("cat", "lobster"), (0.6, 0.19))
    (facts,) = scene_facts(scene_of(600, 400, classification=seen), "sentence")
    assert [fact.key for fact in facts.found] == ["cat"]

    perhaps = scene_of(600, 400, classification=classes_of(("beach",), (0.29,)))
    assert compose_scene(perhaps) == "Tentative guess: beach."
    guess = classes_of(("lobster",), (0.02,))
    assert compose_scene(scene_of(600, 400, classification=guess)) == (
        "I don't see anything I recognize."
    )
