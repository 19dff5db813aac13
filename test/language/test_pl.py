"""Polish: cases, numerals, and verbs that agree with numerals."""

from __future__ import annotations

from pathlib import Path

import pytest
from saying import said

SENTENCE = {
    "person=2 dog=1": "Widzę dwie osoby i psa.",
    "dog=2 cow=1": "Widzę dwa psy i krowę.",
    "dog=5": "Widzę pięć psów.",
    "dog=12": "Widzę 12 psów.",
    "dog=21": "Widzę 21 psów.",
    "dog=22": "Widzę 22 psy.",
    "dog=112": "Widzę 112 psów.",
    "car=1 bird=1": "Widzę samochód i ptaka.",
    "chair=3 knife=2": "Widzę trzy krzesła i dwa noże.",
    "scissors=1 skis=1": "Widzę nożyczki i jedną parę nart.",
    "scissors=3 skis=5": "Widzę pięć par nart i trzy pary nożyczek.",
    "'class 7=2'": "Widzę dwa nieznane obiekty.",
    "forklift=2": "Widzę dwa „forklift”.",
    "cat=1 --unsure cat": "Wydaje mi się, że widzę kota.",
    "person=2 cat=1 --unsure cat": "Widzę dwie osoby, a prawdopodobnie także kota.",
    "--faces 2": "Na obrazie widać dwie twarze.",
    "--text EXIT --more-texts 1": "Napis brzmi: „EXIT”. Jest jeszcze jeden wiersz tekstu.",
    "--text EXIT --more-texts 3": "Napis brzmi: „EXIT”. Są jeszcze trzy wiersze tekstu.",
    "--text EXIT --more-texts 5": "Napis brzmi: „EXIT”. Jest jeszcze pięć wierszy tekstu.",
    "--shows dog": "Na obrazie: najprawdopodobniej pies.",
}
LIST = {
    "dog=1": "Wykryto: 1 psa.",
    "person=1 dog=1": "Wykryto: 1 osobę i 1 psa.",
    "scissors=1": "Wykryto: 1 parę nożyczek.",
}
SCENE = {
    "person=2@left dog=1@right": "Po lewej stronie widać dwie osoby; po prawej stronie – psa.",
    "person=5@left_far": "W tle po lewej stronie widać pięć osób.",
}
CHANGES = {
    "person=1": "W kadrze pojawiła się osoba.",
    "chair=1": "W kadrze pojawiło się krzesło.",
    "scissors=1": "W kadrze pojawiły się nożyczki.",
    "scissors=5": "W kadrze pojawiło się pięć par nożyczek.",
    "dog=5 cat=1": "W kadrze pojawiło się pięć psów i kot.",
    "dog=3 cat=2": "W kadrze pojawiły się trzy psy i dwa koty.",
    "dog=1 cat=1": "W kadrze pojawiły się pies i kot.",
    "car=22": "W kadrze pojawiły się 22 samochody.",
    "cow=-1": "Z kadru zniknęła krowa.",
    "dog=-5": "Z kadru zniknęło pięć psów.",
}
STYLES = {"sentence": SENTENCE, "list": LIST, "scene": SCENE, "changes": CHANGES}
CASES = [
    (style, scene, sentence) for style, table in STYLES.items() for scene, sentence in table.items()
]


@pytest.mark.parametrize(("style", "scene", "sentence"), CASES)
def test_what_a_pole_would_say(style: str, scene: str, sentence: str) -> None:
    assert said(scene, "pl", "--style", style) == sentence


@pytest.mark.parametrize(
    ("style", "scene", "sentence"),
    [
        ("sentence", "student=2", "Widzę dwóch studentów."),
        ("sentence", "student=5 dog=1", "Widzę pięciu studentów i psa."),
        ("changes", "student=1", "W kadrze pojawił się student."),
        ("changes", "student=2", "W kadrze pojawili się dwaj studenci."),
        ("changes", "student=5", "W kadrze pojawiło się pięciu studentów."),
        ("changes", "student=1 dog=1", "W kadrze pojawili się student i pies."),
    ],
)
def test_a_label_of_ones_own_may_be_virile(
    tmp_path: Path, style: str, scene: str, sentence: str
) -> None:
    student = (
        "{one: {nominative: student, accusative: studenta}, "
        "few: {nominative: studenci, accusative: studentów}, other: studentów, gender: v}"
    )
    (tmp_path / "pl.yaml").write_text(f"labels: {{student: {student}}}", encoding="utf-8")

    assert said(scene, "pl", "--style", style, "--language-folder", str(tmp_path)) == sentence
