"""What `i2t say` prints."""

from __future__ import annotations

import argparse
import contextlib
import io
import shlex

from i2t_ros.cli import say


def said(scene: str, language: str, *options: str) -> str:
    """Return the sentence for a scene, written as the arguments of ``i2t say``."""
    parser = argparse.ArgumentParser()
    say.add_parser(parser.add_subparsers())
    args = parser.parse_args(["say", *shlex.split(scene), "--language", language, *options])
    with contextlib.redirect_stdout(io.StringIO()) as out:
        say.run(args)
    return out.getvalue().rstrip("\n")
