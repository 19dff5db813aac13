"""Runs `i2t annotate` in tests, and compares what it leaves."""

import subprocess
from pathlib import Path

import cv2
import numpy as np
from project import I2T

GRAY = np.full((48, 64, 3), 128, np.uint8)
BLACK = np.zeros((48, 64, 3), np.uint8)


def make_pictures(folder: Path, number: int) -> Path:
    """Write pictures that show the fake detector a person, and every third one nothing."""
    folder.mkdir(parents=True)
    for i in range(number):
        cv2.imwrite(str(folder / f"{i:04d}.png"), BLACK if i % 3 == 2 else GRAY)
    return folder


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
