"""What ``i2t say`` prints."""

from __future__ import annotations

import argparse
import contextlib
import io
import shlex

from i2t_ros.cli import say


def said(arguments: str, language: str) -> str:
    """Return the sentence for the arguments of ``i2t say``, as one would type them."""
    parser = argparse.ArgumentParser()
    say.add_parser(parser.add_subparsers())
    args = parser.parse_args(["say", *shlex.split(arguments), "--language", language])
    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert say.run(args) == 0
    return out.getvalue().removesuffix("\n")
