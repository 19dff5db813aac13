"""Keys of a language file that few languages need."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from saying import said

from i2t_ros.errors import InvalidRequestError
from i2t_ros.language import load_languages


def say(folder: Path, language: str, text: str, scene: str, *options: str) -> str:
    (folder / f"{language}.yaml").write_text(text, encoding="utf-8")
    return said(scene, language, "--language-folder", str(folder), *options)


# One dog and one cat are several in any case; "many" of Polish is five, but not three.
@pytest.mark.parametrize(
    ("agreement", "scene", "category"),
    [
        ("all", "dog=1", "one"),
        ("all", "dog=1 cat=1", "few"),
        ("all", "dog=3 cat=2", "many"),
        ("all", "dog=3 cat=2 --unsure cat", "few"),
        ("first", "dog=1", "one"),
        ("first", "dog=1 cat=1", "few"),
        ("first", "dog=3 cat=2", "few"),
        ("first", "dog=3 cat=2 --unsure cat", "few"),
        ("first", "dog=1 cat=1 --unsure cat", "one"),
        ("first", "dog=5 cat=1", "many"),
    ],
)
def test_a_phrase_agrees_with_all_things_or_the_first(
    tmp_path: Path, agreement: str, scene: str, category: str
) -> None:
    names = ("one", "few", "many", "other")
    plain = {name: f"{{things}} {name}." for name in names}
    mixed = {name: f"{{things}} {{hedged}} {name}." for name in names}
    phrases = {"agreement": agreement, "plain": plain, "mixed": mixed}

    got = say(tmp_path, "pl", yaml.safe_dump({"sentence": phrases}), scene)

    assert got.endswith(f" {category}.")


@pytest.mark.parametrize("agreement", ["all", "first"])
def test_several_of_what_is_always_plural_keep_their_number(tmp_path: Path, agreement: str) -> None:
    text = f"changes: {{agreement: {agreement}}}"
    changes = ("--style", "changes")

    assert say(tmp_path, "pl", text, "scissors=1", *changes) == "W kadrze pojawiły się nożyczki."
    assert say(tmp_path, "pl", text, "scissors=5", *changes) == (
        "W kadrze pojawiło się pięć par nożyczek."
    )


def test_the_template_of_one_number_may_have_no_field(tmp_path: Path) -> None:
    item = "{words: {1: des lunettes, other: '{number} {noun}'}, digits: '{number} {noun}'}"
    text = f"labels: {{glasses: {{other: paires de lunettes, item: {item}}}}}"

    assert say(tmp_path, "fr", text, "glasses=1") == "Je vois des lunettes."
    assert say(tmp_path, "fr", text, "glasses=2") == "Je vois deux paires de lunettes."


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "changes: {agreement: none}",
            r"changes.agreement: expected one of all, first, last, got 'none'",
        ),
        ("list: {agreement: 1}", r"list.agreement: expected .*, got 1"),
        (
            "labels: {x: {other: y, item: {words: {1: '{nuon}', other: '{number} {noun}'}, "
            "digits: '{number} {noun}'}}}",
            r"labels.x.item.words: expected a text with the fields .*, got '{nuon}'",
        ),
        (
            "labels: {x: {other: y, item: {words: {other: deux}, digits: '{number} {noun}'}}}",
            r"labels.x.item.words: expected a text with the fields .*, got 'deux'",
        ),
    ],
)
def test_a_wrong_value_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "fr.yaml").write_text(text, encoding="utf-8")

    with pytest.raises(InvalidRequestError, match=message):
        load_languages(tmp_path)
