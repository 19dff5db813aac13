"""Recordings made of small pictures, and what is written about them."""

import argparse
import os
from pathlib import Path
from unittest import mock

import cv2
import numpy as np

from i2t_ros.cli import annotate as command
from i2t_ros.recordings.work.annotate import Annotation, settle
from i2t_ros.recordings.work.crew import LocalCrew
from i2t_ros.recordings.work.plan import make_plan
from i2t_ros.recordings.work.store import open_store

DEADLY = Path(__file__).parent / "deadly"


class Counted:
    """Progress that keeps what it was told: of each part the total, and what is done."""

    def __init__(self):
        self.parts = {}
        self._now = [0, 0]

    def begin(self, what, total, done):
        self._now = self.parts[what] = [total, done]

    def advance(self, number):
        self._now[1] += number


def picture_folder(folder, number):
    """Make a folder of small pictures, each of another gray."""
    folder.mkdir()
    for each in range(number):
        assert cv2.imwrite(str(folder / f"p{each:03d}.png"), np.full((16, 24, 3), each, np.uint8))
    return folder


def mark(folder, number, how):
    """Have a picture do something to those who open it; see deadly/sitecustomize.py."""
    return (folder / f"p{number:03d}.png").rename(folder / f"p{number:03d}-{how}.png")


def job_of(recording, out, *more):
    """Return the job of a command line."""
    parser = argparse.ArgumentParser()
    command.add_parser(parser.add_subparsers())
    words = ["annotate", str(recording), "--out", str(out), "--model", "fake"]
    return command._job(parser.parse_args([*words, "--outputs", "jsonl", *more]))


def annotated(recording, out, crew_of, progress=None):
    """Annotate; return the files that were made, by name, and the summary."""
    store, plan = open_store(str(out)), make_plan(job_of(recording, out))
    settle(store, plan, overwrite=False)
    with crew_of(plan) as crew:
        summary = Annotation(store, plan, progress or Counted()).run(crew)
    assert store.names(".i2t") == []
    return files_of(store), summary


def files_of(store):
    """Return the files that were made, by name."""
    return {name: store.read(name) for name in store.names("")}


def by_processes(recording, out):
    """Annotate by two processes of this machine, for which pictures may be deadly."""
    with mock.patch.dict(os.environ, PYTHONPATH=str(DEADLY)):
        return annotated(recording, out, lambda _: LocalCrew(str(out), 2))
