"""Options as command-line flags."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from typing import Any

from i2t_ros.options import Option


def add_flags(parser: argparse._ActionsContainer, options: Iterable[Option]) -> None:
    """Add a flag for each option, such as --min-score for min_score. Commas separate lists."""
    for option in options:
        help = option.text.replace("%", "%%")
        how: dict[str, Any]
        if isinstance(option.default, bool):
            how = {"action": argparse.BooleanOptionalAction, "help": help}
        else:
            how = {
                "type": _list if isinstance(option.default, list) else type(option.default),
                "choices": option.choices or None,
                "metavar": None if option.choices else _metavar(option),
                "help": f"{help} (default: {option.shown})",
            }
        flag = "--" + option.name.replace("_", "-")
        parser.add_argument(flag, default=option.default, **how)


def _list(text: str) -> list[str]:
    return [part for part in map(str.strip, text.split(",")) if part]


def _metavar(option: Option) -> str:
    if option.bounds and isinstance(option.default, float):
        return "{:g}..{:g}".format(*option.bounds)
    if isinstance(option.default, list):
        return "A,B"
    return "N" if isinstance(option.default, int) else option.name.rpartition("_")[2].upper()
