"""Write the golden sentences anew: ``python test/golden/language/regenerate.py``.

Then read every line that changed as a native reader would; test_golden.py holds the
package to what was read.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import shlex
from pathlib import Path

import yaml

from i2t_ros.cli import say
from i2t_ros.language import LANGUAGES, OWN_STYLES, compose, load_languages
from i2t_ros.language.facts import Fact
from i2t_ros.pipeline.tasks.pose import PoseFacts

HERE = Path(__file__).parent

SPOKEN = "spoken"
"""Not a style: a choice of scenes in all styles, in words for a voice."""


POSES = "poses"
"""No style either: each posture, of several numbers of people."""


def scenes(style: str) -> list[str]:
    """Return the scenes that a style is tried on, as arguments of ``i2t say``."""
    by_style = yaml.safe_load((HERE / "scenes.yaml").read_text(encoding="utf-8"))
    if style == SPOKEN:
        return list(by_style[SPOKEN])
    return [*by_style["all"], *by_style.get(style, [])]


def poses(tag: str) -> str:
    """Return the golden file of the postures: one, of how many people, and its sentence."""
    lines = []
    for name in (name for name in load_languages().get(tag).phrases if name.startswith("poses.")):
        for count in [0] if name == "poses.empty" else (1, 2, 3, 5, 12, 22):
            found = (Fact(name.removeprefix("poses."), count),) if count else ()
            lines.append(f"{name}={count}\t{compose([PoseFacts(found)], tag)}\n")
    return "".join(lines)


def golden(language: str, style: str) -> str:
    """Return the golden file of a language and style: a scene and its sentence in each line."""
    if style == POSES:
        return poses(language)
    parser = argparse.ArgumentParser()
    say.add_parser(parser.add_subparsers())
    lines = []
    for scene in scenes(style):
        how = ["--spoken"] if style == SPOKEN else ["--style", style]
        options = ["--language", language, *how]
        args = parser.parse_args(["say", *shlex.split(scene), *options])
        with contextlib.redirect_stdout(io.StringIO()) as said:
            say.run(args)
        lines.append(f"{scene}\t{said.getvalue()}")
    return "".join(lines)


if __name__ == "__main__":
    for language in LANGUAGES:
        for style in (*OWN_STYLES, SPOKEN, POSES):
            path = HERE / f"{language}_{style}.txt"
            path.write_text(golden(language, style), encoding="utf-8")
