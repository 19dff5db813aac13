"""Flags are made of options: their names, types, choices and help."""

import argparse
from dataclasses import dataclass

import pytest

from i2t_ros.cli.flags import GROUPS, add_flags
from i2t_ros.options import from_values, option, options_of


@dataclass(frozen=True)
class Settings:
    min_score: float = option(0.25, "100% is certain", bounds=(0.0, 1.0))
    count: int = option(3, "how many")
    style: str = option("list", "how", choices=("list", "scene"))
    hedge: bool = option(False, "say probably")
    loud: bool = option(True, "say it")
    tasks: tuple[str, ...] = option(("detect",), "which")
    allow: tuple[str, ...] = option((), "which")


FOUND = options_of(Settings)


@pytest.fixture
def parser():
    parser = argparse.ArgumentParser(prog="x")
    add_flags(parser, FOUND)
    return parser


def settings(parser, *args):
    return from_values(Settings, vars(parser.parse_args(args)))


def test_without_flags_there_are_the_defaults(parser):
    assert settings(parser) == Settings()


def test_every_type_is_read(parser):
    args = ["--min-score", "0.5", "--count", "7", "--style", "scene", "--hedge", "--no-loud"]
    lists = ["--tasks", "faces, text,", "--allow", "dog"]
    assert settings(parser, *args, *lists) == Settings(
        0.5, 7, "scene", True, False, ("faces", "text"), ("dog",)
    )
    assert settings(parser, "--no-hedge", "--tasks", "").tasks == ()


@pytest.mark.parametrize("args", [["--style", "baroque"], ["--count", "x"], ["--min-score", "x"]])
def test_what_cannot_be_read_is_wrong_usage(parser, capsys, args):
    with pytest.raises(SystemExit) as ended:
        parser.parse_args(args)
    assert ended.value.code == 2
    assert args[0] in capsys.readouterr().err


def test_help_says_what_it_is_and_what_is_allowed(parser):
    text = " ".join(parser.format_help().split())
    assert "--min-score 0..1 100% is certain (default: 0.25)" in text
    assert "--style {list,scene} how (default: list)" in text
    assert "--tasks A,B which (default: detect)" in text
    assert "--allow A,B which (default: empty)" in text
    assert "--hedge, --no-hedge" in text


def test_names_of_flags_are_unique():
    names = [each.name for options in GROUPS.values() for each in options]
    assert len(names) == len(set(names))
