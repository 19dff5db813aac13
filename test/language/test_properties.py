"""What holds for every class, count, language and style."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from making import classes_of, scene_of
from scene_words import compose_scene

from i2t_ros.language import LANGUAGES, STYLES, ObjectCount, compose, label, load_languages
from i2t_ros.language.facts import PLACES
from i2t_ros.pipeline.tasks.detect import ObjectFacts
from i2t_ros.pipeline.tasks.faces import Faces
from i2t_ros.pipeline.tasks.text import TextRegion
from i2t_ros.types import Detections, Scene

COCO = """
person bicycle car motorcycle airplane bus train truck boat traffic_light fire_hydrant stop_sign
parking_meter bench bird cat dog horse sheep cow elephant bear zebra giraffe backpack umbrella
handbag tie suitcase frisbee skis snowboard sports_ball kite baseball_bat baseball_glove skateboard
surfboard tennis_racket bottle wine_glass cup fork knife spoon bowl banana apple sandwich orange
broccoli carrot hot_dog pizza donut cake chair couch potted_plant bed dining_table toilet tv laptop
mouse remote keyboard cell_phone microwave oven toaster sink refrigerator book clock vase scissors
teddy_bear hair_drier toothbrush
"""
CLASSES = tuple(name.replace("_", " ") for name in COCO.split())
COUNTS = (1, 2, 3, 5, 10, 11, 21, 101, 1000)
FULL_STOP = {"zh": "。", "zh-Hant": "。", "ja": "。", "hi": "।"}
# No-break space; marks that isolate foreign words among Arabic ones; joiners within words.
UNPRINTABLE = {0xA0: " ", 0x2068: "", 0x2069: "", 0x200C: "", 0x200D: ""}
# What only a template may hold: fields, and Korean particles in both forms.
MARKS = ("{", "}", "이(가)", "과(와)", "을(를)", "은(는)")


def check(sentence: str, language: str) -> None:
    assert sentence == sentence.strip()
    assert sentence.endswith(FULL_STOP.get(language, "."))
    assert not any(mark in sentence for mark in MARKS)
    assert "  " not in sentence
    assert ".." not in sentence
    assert "。。" not in sentence
    assert "।।" not in sentence


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("style", STYLES)
def test_every_class_in_any_count(language: str, style: str) -> None:
    assert len(CLASSES) == 80
    for name, count in product(CLASSES, COUNTS):
        counted = ObjectCount(name, count, 0.9, 0.4)
        for hedge in (False, True):
            check(compose([ObjectFacts((counted,))], language, style, hedge=hedge), language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_class_has_a_label_of_its_own(language: str) -> None:
    labels = [label(name, language) for name in CLASSES]

    assert all(labels)
    assert len(set(labels)) == len(CLASSES)
    own = load_languages().get(language).nouns
    assert set(CLASSES) | {"face", "text", "unknown"} <= set(own)


@pytest.mark.parametrize("language", ["zh", "zh-Hant", "ja", "ko", "ru", "hi", "ar"])
def test_no_label_of_these_languages_is_in_latin_letters(language: str) -> None:
    assert not [
        name
        for name in CLASSES
        if any(c.isascii() for c in label(name, language).strip(" ") if c.isalpha())
    ]


def scenes(labels: tuple[str, ...]) -> st.SearchStrategy[Scene]:
    box = st.tuples(
        st.floats(0, 500, width=32), st.floats(0, 300, width=32),
        st.floats(1, 300, width=32), st.floats(1, 200, width=32),
    )  # fmt: skip
    thing = st.tuples(box, st.floats(0, 1, width=32), st.integers(0, len(labels) - 1))

    def scene(things: list[tuple[tuple[float, ...], float, int]]) -> Scene:
        boxes = [(x, y, x + width, y + height) for (x, y, width, height), _, _ in things]
        found = Detections(
            np.array(boxes, np.float32),
            np.array([score for _, score, _ in things], np.float32),
            np.array([class_id for _, _, class_id in things], np.int32),
            labels,
        )
        return scene_of(640, 480, detections=found)

    return st.lists(thing, max_size=12).map(scene)


languages_and_styles = st.tuples(st.sampled_from(LANGUAGES), st.sampled_from(STYLES), st.booleans())


@given(scenes((*CLASSES, "", "forklift")), languages_and_styles, st.randoms())
def test_any_scene_reads_well_and_the_same_however_it_is_shuffled(scene, options, random) -> None:
    language, style, hedge = options
    said = compose_scene(scene, language, style, hedge=hedge)
    order = list(range(len(scene.detections)))
    random.shuffle(order)
    shuffled = scene_of(640, 480, detections=scene.detections[np.array(order, np.intp)])

    check(said, language)
    assert compose_scene(shuffled, language, style, hedge=hedge) == said


@given(st.text(max_size=30), languages_and_styles, st.integers(1, 30))
def test_any_label_and_any_text_can_be_said(text, options, count) -> None:
    language, style, hedge = options
    many = Detections(
        np.tile(np.array([[0, 0, 9, 9]], np.float32), (count, 1)),
        np.full(count, 0.4), np.zeros(count), (text,),
    )  # fmt: skip
    region = TextRegion(np.array([[0, 0], [9, 0], [9, 9], [0, 9]]), text, 1.0, (0, 0, 0), (9, 9, 9))
    scene = scene_of(
        9, 9, detections=many, texts=(region,), faces=Faces(many.boxes, many.scores),
        classification=classes_of((text,), (0.4,)),
    )  # fmt: skip

    said = compose_scene(scene, language, style, hedge=hedge)

    assert said
    assert said.translate(UNPRINTABLE).isprintable()
    assert said.count("\u2068") == said.count("\u2069")
    assert ("\u2068" in said) <= (language == "ar")
    assert "\n" not in said


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("place", PLACES)
def test_every_place_is_said_in_its_own_words(language: str, place: str) -> None:
    def said(where: str) -> str:
        dog = ObjectCount("dog", 1, 0.9, 0.9, where)
        return compose([ObjectFacts((dog,))], language, "scene")

    assert [other for other in PLACES if said(other) == said(place)] == [place]
