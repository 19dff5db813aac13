"""Postures in words, in every language; test/golden/language/*_poses.txt has them all."""

from __future__ import annotations

import pytest

from i2t_ros.language import compose
from i2t_ros.language.facts import Fact
from i2t_ros.pipeline.tasks.pose import PoseFacts


def posture(tag: str, key: str, count: int) -> str:
    return compose([PoseFacts((Fact(key, count),))], tag)


@pytest.mark.parametrize(
    ("key", "one", "two"),
    [
        ("arms_raised", "There is a person with both arms raised.", "There are two people with"),
        ("arm_raised", "There is a person with one arm raised.", "There are two people with one"),
        ("lying", "There is a person lying down.", "There are two people lying down."),
        ("sitting", "There is a person sitting.", "There are two people sitting."),
        ("standing", "There is a person standing.", "There are two people standing."),
        ("facing_away", "There is a person facing away.", "There are two people facing away."),
    ],
)
def test_english_says_postures(key: str, one: str, two: str) -> None:
    assert posture("en", key, 1) == one
    assert posture("en", key, 2).startswith(two)


@pytest.mark.parametrize(
    ("tag", "key", "count", "said"),
    [
        ("es", "sitting", 2, "Hay dos personas sentadas."),
        ("es-419", "lying", 1, "Hay una persona acostada."),
        ("fr", "arms_raised", 2, "Il y a deux personnes qui lèvent les deux bras."),
        ("de", "lying", 2, "Zwei Personen liegen."),
        ("it", "sitting", 1, "C’è una persona seduta."),
        ("pl", "standing", 5, "W kadrze stoi pięć osób."),
        ("pl", "lying", 2, "W kadrze leżą dwie osoby."),
        ("pl", "facing_away", 1, "W kadrze jest osoba odwrócona tyłem."),
        ("ru", "sitting", 2, "В кадре сидят два человека."),
        ("ru", "arms_raised", 1, "В кадре человек с поднятыми руками."),
        ("ar", "sitting", 2, "يوجد شخصان جالسان."),
        ("hi", "lying", 2, "दो लोग लेटे हुए हैं।"),
        ("hi", "arm_raised", 2, "दो लोग एक-एक हाथ ऊपर उठाए हुए हैं।"),
        ("ja", "sitting", 3, "人が三人座っています。"),
    ],
)
def test_postures_agree_with_the_people(tag: str, key: str, count: int, said: str) -> None:
    assert posture(tag, key, count) == said
