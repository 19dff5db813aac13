from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from i2t_ros.cli import say
from i2t_ros.errors import UnknownLanguageError


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    parser = argparse.ArgumentParser(prog="i2t")
    say.add_parser(parser.add_subparsers())
    args = parser.parse_args(["say", *arguments])
    assert args.run(args) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("person=2 dog=1 --language es --style list",
         "Se detectaron los siguientes objetos: 2 personas y 1 perro."),
        ("dog=1 person=2", "I can see two people and a dog."),
        ("person=0", "I don't see anything I recognize."),
        ("", "I don't see anything I recognize."),
        ("dog=1@left --style scene", "On the left there is a dog."),
        ("dog=1 person=-2 --style changes",
         "A dog has come into view. Two people have gone out of view."),
        ("cat=1 --unsure cat", "I think I can see a cat."),
        ("car=2 --color car:red --color car:red", "I can see two red cars."),
        ("--faces 2 --language ja", "顔が二つ写っています。"),
        ("--text EXIT --translation Ausgang", "The text reads “EXIT” (“Ausgang”)."),
        ("--shows dog --language fr", "Classification la plus probable\u00a0: chien."),
        ("--unusable --language de", "Ich kann nichts erkennen: Das Bild ist unbrauchbar."),
        ("--nothing", "I was not able to analyze this picture."),
    ],
)  # fmt: skip
def test_it_prints_the_sentence(
    capsys: pytest.CaptureFixture[str], arguments: str, expected: str
) -> None:
    assert run(capsys, *arguments.split()) == expected + "\n"


def test_it_reads_language_files_of_ones_own(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "en.yaml").write_text("labels: {dog: {one: puppy, other: puppies}}", "utf-8")

    assert run(capsys, "dog=2", "--language-folder", str(tmp_path)) == "I can see two puppies.\n"


def test_an_unknown_language_is_an_error_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UnknownLanguageError):
        run(capsys, "dog=1", "--language", "tlh")


@pytest.mark.parametrize("count", ["dog", "dog=", "=1", "dog=many", "dog=1@above", "dog=1.5"])
def test_a_count_that_is_none_is_a_usage_error(
    capsys: pytest.CaptureFixture[str], count: str
) -> None:
    with pytest.raises(SystemExit) as stop:
        run(capsys, count)

    assert stop.value.code == 2
    assert "expected NAME=COUNT" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--faces", "--more-texts"])
@pytest.mark.parametrize("number", ["-3", "many", "1.5", "", "1" * 30, "٣"])
def test_a_number_that_is_none_is_a_usage_error(
    capsys: pytest.CaptureFixture[str], option: str, number: str
) -> None:
    with pytest.raises(SystemExit) as stop:
        run(capsys, f"{option}={number}")

    assert stop.value.code == 2
    assert "expected a number of 0 to 999999999" in capsys.readouterr().err


def test_texts_are_said_as_those_of_a_picture(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "--text", "WAY\n\u202eOUT ", "--text", " ") == "The text reads “WAY OUT.”\n"
    assert run(capsys, "--text", "") == "I don't see any text.\n"
