"""Runs `i2t annotate` in tests, and compares what it leaves."""

import subprocess
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from bag_material import compressed, raw, write_bag
from film_material import Film
from project import I2T

GRAY = np.full((48, 64, 3), 128, np.uint8)
BLACK = np.zeros((48, 64, 3), np.uint8)


def make_pictures(folder: Path, number: int) -> Path:
    """Write pictures that show the fake detector a person, and every third one nothing."""
    folder.mkdir(parents=True)
    for i in range(number):
        cv2.imwrite(str(folder / f"{i:04d}.png"), BLACK if i % 3 == 2 else GRAY)
    return folder


EACH_KIND = 200 + 400 + 280
"""Images in make_each_kind()."""


def make_each_kind(folder: Path) -> tuple[Path, Path, Path]:
    """Make pictures, a video and a bag with two topics, of several units each."""
    film = Film(ticks=tuple(range(400)), base=Fraction(1, 5)).write(folder / "film.mp4")
    topics = ("/front", raw), ("/rear/compressed", compressed)
    images = [np.full((48, 64, 3), 90 + i % 3, np.uint8) for i in range(140)]
    messages = [
        make(i / 2, topic, image) for i, image in enumerate(images) for topic, make in topics
    ]
    bag = write_bag(folder / "drive", messages)
    return make_pictures(folder / "pictures", 200), film, bag


def command(*args) -> list[str]:
    """Return the command line, with the detector that needs no model."""
    return [str(I2T), "annotate", "--model", "fake", *map(str, args)]


def annotate(*args, code=0) -> subprocess.CompletedProcess[str]:
    """Run it to its end, and check the exit code."""
    done = subprocess.run(command(*args), capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == code, done.stderr
    return done


def tree(folder: Path) -> dict[str, bytes]:
    """Return all files of a folder with their bytes, without the file that is the lock."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".i2t-annotate.lock"
    }
