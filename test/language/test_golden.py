"""The sentences are those of test/golden/language/, which were read line by line."""

from __future__ import annotations

import runpy
import shlex

import pytest
from project import ROOT

from i2t_ros.language import LANGUAGES, OWN_STYLES

FOLDER = ROOT / "test" / "golden" / "language"
regenerate = runpy.run_path(str(FOLDER / "regenerate.py"))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("style", [*OWN_STYLES, regenerate["SPOKEN"], regenerate["POSES"]])
def test_the_sentences_are_those_that_were_read(language: str, style: str) -> None:
    read = (FOLDER / f"{language}_{style}.txt").read_text(encoding="utf-8")

    assert regenerate["golden"](language, style).splitlines() == read.splitlines()


@pytest.mark.parametrize("style", OWN_STYLES)
def test_the_scenes_cover_every_class_once_and_several_times(style: str) -> None:
    scenes = regenerate["scenes"](style)
    counts: dict[str, set[int]] = {}
    for scene in scenes:
        for word in shlex.split(scene):
            name, equals, count = word.partition("=")
            if equals:
                counts.setdefault(name, set()).add(int(count.split("@")[0]))

    assert len(scenes) >= 60
    assert counts["person"] >= {0, 1, 2, 11, 21, 101}
    covered = {name for name, seen in counts.items() if seen >= {1, 2}}
    assert len(covered) >= 80
