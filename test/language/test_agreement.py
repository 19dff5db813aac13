"""What verbs agree with, and the forms of foreign nouns, as a language file says."""

from __future__ import annotations

from pathlib import Path

import pytest

from i2t_ros.errors import InvalidRequestError
from i2t_ros.language import ObjectCount, compose, load_languages
from i2t_ros.pipeline.tasks.detect import ObjectFacts

AGREEING = """
sentence:
  agreement: {agreement}
  plain:
    one: {{m: "{{things}} m1", f: "{{things}} f1"}}
    other: {{m: "{{things}} m2", f: "{{things}} f2"}}
scene:
  agreement: {agreement}
  plain: "{{things}}"
  first: {{one: "{{place}} 1 {{things}}", other: "{{place}} 2 {{things}}"}}
"""


def say(folder: Path, text: str, style: str = "sentence", **objects: int) -> str:
    (folder / "es.yaml").write_text(text, encoding="utf-8")
    found = tuple(ObjectCount(name, count, 0.9, 0.9) for name, count in objects.items())
    return compose([ObjectFacts(found)], "es", style, languages=load_languages(folder))


@pytest.mark.parametrize(
    ("agreement", "objects", "form"),
    [
        ("first", {"cow": 1}, "f1"),
        ("all", {"cow": 1}, "f1"),
        ("all", {"cow": 2}, "f2"),
        ("all", {"cow": 1, "person": 1}, "f2"),
        ("first", {"cow": 2, "dog": 1}, "f2"),
        ("all", {"cow": 2, "dog": 1}, "m2"),
        ("all", {"dog": 2, "cow": 1}, "m2"),
        ("last", {"dog": 2, "cow": 1}, "f2"),
        ("last", {"cow": 2, "dog": 1}, "m2"),
        ("last", {"cow": 1}, "f1"),
    ],
)
def test_genders_that_differ_agree_as_the_language_says(
    tmp_path: Path, agreement: str, objects: dict[str, int], form: str
) -> None:
    said = say(tmp_path, AGREEING.format(agreement=agreement), **objects)

    assert said.endswith(f" {form}")


@pytest.mark.parametrize(("agreement", "number"), [("first", 1), ("all", 2), ("last", 2)])
def test_the_verb_of_a_place_agrees_with_one_thing_or_with_all(
    tmp_path: Path, agreement: str, number: int
) -> None:
    said = say(tmp_path, AGREEING.format(agreement=agreement), "scene", cow=1, dog=1)

    assert said == f"En el centro {number} una vaca y un perro"


@pytest.mark.parametrize(
    ("forms", "one", "two"),
    [
        ("{}", "Veo un «forklift».", "Veo dos «forklifts»."),
        ('{other: "{noun}"}', "Veo un «forklift».", "Veo dos «forklift»."),
        ('{one: "objeto {noun}", other: "objetos {noun}"}',
         "Veo un objeto «forklift».", "Veo dos objetos «forklift»."),
        ('{one: {nominative: "objeto {noun}"}, other: "objetos {noun}"}',
         "Veo un objeto «forklift».", "Veo dos objetos «forklift»."),
        ('{gender: f, other: "{noun}"}', "Veo una «forklift».", "Veo dos «forklift»."),
    ],
)  # fmt: skip
def test_a_foreign_noun_has_the_forms_that_the_language_gives_it(
    tmp_path: Path, forms: str, one: str, two: str
) -> None:
    assert say(tmp_path, f"borrowed: {forms}", forklift=1) == one
    assert say(tmp_path, f"borrowed: {forms}", forklift=2) == two


def test_a_foreign_noun_with_braces_is_not_read_as_a_template(tmp_path: Path) -> None:
    said = say(tmp_path, 'borrowed: {other: "{noun}"}', **{"{noun} {x}": 2})

    assert said == "Veo dos «{noun} {x}»."


WRONG = {
    "borrowed: {other: x}": r"borrowed.other: expected a text with the fields {noun}, got 'x'",
    'borrowed: {one: "{noun}"}': r"borrowed: expected the form other, if there is any, got",
    'borrowed: {some: "{noun}"}': r"borrowed: unknown field some; known: counter, few",
    'borrowed: {other: {dative: "{noun}"}}': r"borrowed.other: .* nominative",
    'borrowed: {other: {nominative: "{nown}"}}': r"borrowed.other: expected .*, got '{nown}'",
    "borrowed: {other: 5}": r"borrowed.other: expected a text or a mapping, got 5",
}


@pytest.mark.parametrize("text", WRONG)
def test_a_wrong_value_is_refused_by_what_is_wrong(tmp_path: Path, text: str) -> None:
    (tmp_path / "es.yaml").write_text(text, encoding="utf-8")

    with pytest.raises(InvalidRequestError, match=WRONG[text]):
        load_languages(tmp_path)
