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
        if isinstance(option.default, bool):
            parser.add_argument(
                _flag(option), action=argparse.BooleanOptionalAction, default=option.default,
                help=help,
            )  # fmt: skip
        else:
            parser.add_argument(
                _flag(option),
                default=option.default,
                type=_list if isinstance(option.default, list) else type(option.default),
                choices=option.choices or None,
                metavar=None if option.choices else _metavar(option),
                help=f"{help} (default: {_shown(option)})",
            )


def values_of(args: argparse.Namespace, options: Iterable[Option]) -> dict[str, Any]:
    """Return the values of the flags by the names of their options."""
    return {option.name: getattr(args, option.name) for option in options}


def _flag(option: Option) -> str:
    return "--" + option.name.replace("_", "-")


def _list(text: str) -> list[str]:
    return [part for part in map(str.strip, text.split(",")) if part]


def _metavar(option: Option) -> str:
    if option.bounds and isinstance(option.default, float):
        return "{:g}..{:g}".format(*option.bounds)
    if isinstance(option.default, list):
        return "A,B"
    return "N" if isinstance(option.default, int) else option.name.rpartition("_")[2].upper()


def _shown(option: Option) -> str:
    if isinstance(option.default, list) and option.default:
        return ",".join(option.default)
    return option.shown
