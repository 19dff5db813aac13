"""`make demo`, with a model that needs no weights."""

import subprocess
import sys

import cv2
import numpy as np
from project import ROOT


def demo(*args):
    command = [sys.executable, ROOT / "tools" / "demo.py", *args]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def test_the_demo_shows_the_whole_chain(tmp_path):
    photo, saved = tmp_path / "photo.png", tmp_path / "out" / "seen.png"
    cv2.imwrite(str(photo), np.full((48, 64, 3), 128, np.uint8))
    ended = demo(photo, "--model", "fake", "--language", "fr", "--save", saved)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    for line in (
        "sentence    Je vois une personne.",
        "detection   person 0.90, 32x24 around (32, 24)",
        "service     Se detectó el siguiente objeto: 1 persona.",
        "TCP         Se detectaron los siguientes objetos: 1 persona. (",
        "demo        complete",
    ):
        assert line in ended.stdout
    assert cv2.imread(str(saved)).shape == (48, 64, 3)


def test_a_photo_that_is_missing_is_named(tmp_path):
    ended = demo(tmp_path / "none.jpg")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == f"demo: [Errno 2] No such file or directory: '{tmp_path}/none.jpg'\n"
