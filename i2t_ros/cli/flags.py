"""Flags that are made of options."""

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from i2t_ros.cli import comma_list
from i2t_ros.options import Option, options_of
from i2t_ros.pipeline.describe_options import DescribeOptions
from i2t_ros.pipeline.loading import OpenOptions
from i2t_ros.pipeline.tasks.registry import TASKS, live_options

GROUPS = {
    "words and drawing": options_of(DescribeOptions),
    **{
        f"task {name}": (*options_of(TASKS[name].settings), *options)
        for name, options in live_options().items()
    },
    "models and backends": options_of(OpenOptions),
}


def add_flags(parser: argparse._ActionsContainer, options: Iterable[Option]) -> None:
    """Add a flag for each option, such as --min-score for min_score. Commas separate lists."""
    for option in options:
        help = option.text.replace("%", "%%")
        how: dict[str, Any]
        if isinstance(option.default, bool):
            how = {"action": argparse.BooleanOptionalAction, "help": help}
        else:
            how = {
                "type": comma_list if isinstance(option.default, list) else type(option.default),
                "choices": option.choices or None,
                "metavar": None if option.choices else _metavar(option),
                "help": f"{help} (default: {option.shown.strip('()')})",
            }
        flag = "--" + option.name.replace("_", "-")
        parser.add_argument(flag, default=option.default, **how)


def _metavar(option: Option) -> str:
    if option.bounds and isinstance(option.default, float):
        return "{:g}..{:g}".format(*option.bounds)
    if isinstance(option.default, list):
        return "A,B"
    return "N" if isinstance(option.default, int) else option.name.rpartition("_")[2].upper()


def add_language_folder(parser: argparse.ArgumentParser) -> None:
    """Add the flag for a user's own language files."""
    parser.add_argument(
        "--language-folder", type=Path, metavar="FOLDER", help="folder with your own language files"
    )
