"""Russian: animate accusatives, numerals up to 101, and verbs that agree with them."""

from __future__ import annotations

import pytest
from saying import said

SENTENCE = {
    "person=2 dog=1": "Я вижу двух человек и собаку.",
    "dog=4": "Я вижу четырёх собак.",
    "dog=5": "Я вижу пять собак.",
    "dog=11": "Я вижу 11 собак.",
    "dog=21": "Я вижу 21 собаку.",
    "dog=22": "Я вижу 22 собаки.",
    "dog=111": "Я вижу 111 собак.",
    "person=21": "Я вижу 21 человека.",
    "person=22": "Я вижу 22 человека.",
    "car=2 apple=2": "Я вижу два автомобиля и два яблока.",
    "kite=2 'teddy bear=3'": "Я вижу трёх плюшевых мишек и двух воздушных змеев.",
    "toothbrush=2 'dining table=2'": "Я вижу две зубные щётки и два обеденных стола.",
    "mouse=2": "Я вижу две компьютерные мыши.",
    "clock=1": "Я вижу часы.",
    "clock=3": "Я вижу трое часов.",
    "clock=5": "Я вижу пятеро часов.",
    "clock=22": "Я вижу 22 штуки часов.",
    "scissors=2 skis=1": "Я вижу две пары ножниц и пару лыж.",
    "forklift=1": "Я вижу «forklift».",
    "cat=2 --unsure cat": "Кажется, я вижу двух кошек.",
    "person=2 cat=1 --unsure cat": "Я вижу двух человек, а также, вероятно, кошку.",
    "--text EXIT --more-texts 1": "Надпись гласит: «EXIT». Есть ещё одна строка текста.",
    "--text EXIT --more-texts 21": "Надпись гласит: «EXIT». Есть ещё 21 строка текста.",
    "--shows dog": "В кадре, скорее всего, собака.",
}
LIST = {
    "dog=2 person=2": "Обнаружено: 2 собаки и 2 человека.",
    "dog=21": "Обнаружено: 21 собака.",
    "clock=2": "Обнаружено: 2 штуки часов.",
}
SCENE = {
    "person=2@left dog=1@right": "Слева — два человека; справа — собака.",
    "cat=1@left dog=2@right --unsure cat --unsure dog": (
        "Справа, вероятно, две собаки; слева, вероятно, кошка."
    ),
}
CHANGES = {
    "dog=1": "В кадре появилась собака.",
    "apple=1": "В кадре появилось яблоко.",
    "scissors=1": "В кадре появились ножницы.",
    "dog=21": "В кадре появилась 21 собака.",
    "scissors=21": "В кадре появилась 21 пара ножниц.",
    "dog=22": "В кадре появились 22 собаки.",
    "dog=5 cat=1": "В кадре появилось пять собак и кошка.",
    "dog=1 cat=1": "В кадре появились собака и кошка.",
    "elephant=-1": "Из кадра исчез слон.",
    "cow=-2": "Из кадра исчезли две коровы.",
}
STYLES = {"sentence": SENTENCE, "list": LIST, "scene": SCENE, "changes": CHANGES}
CASES = [
    (style, scene, sentence) for style, table in STYLES.items() for scene, sentence in table.items()
]


@pytest.mark.parametrize(("style", "scene", "sentence"), CASES)
def test_what_a_russian_would_say(style: str, scene: str, sentence: str) -> None:
    assert said(scene, "ru", "--style", style) == sentence
