"""Types are checked among the tests and not before them, so that no core waits meanwhile."""

import subprocess
import sys

from project import ROOT


def test_mypy_finds_nothing():
    command = [sys.executable, "-m", "mypy"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
