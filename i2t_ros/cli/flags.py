"""Flags that are made of options, and the describer that a command line asks for."""

import argparse
import logging
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import cv2

from i2t_ros import language as words
from i2t_ros.backends.cores import usable_cores
from i2t_ros.cli import comma_list
from i2t_ros.errors import BackendError, I2tError, ModelError
from i2t_ros.options import Option, from_values, options_of
from i2t_ros.pipeline.describe_options import STAGED, DescribeOptions
from i2t_ros.pipeline.describer import Describer
from i2t_ros.pipeline.loading import OpenOptions
from i2t_ros.pipeline.tasks.registry import TASKS, live_options
from i2t_ros.types import OBJECT_TASKS

PATIENCE = 3600.0
"""Seconds for a task: the user is watching, so a download may take long."""

GROUPS = {
    "words and drawing": options_of(DescribeOptions),
    **{
        f"task {name}": (*options_of(TASKS[name].settings), *options)
        for name, options in live_options().items()
    },
    "models and backends": options_of(OpenOptions),
}


def add_flags(parser: argparse._ActionsContainer, options: Iterable[Option]) -> None:
    """Add a flag for each option, such as --min-score for min_score. Commas separate lists."""
    for option in options:
        help = option.text.replace("%", "%%")
        how: dict[str, Any]
        if isinstance(option.default, bool):
            how = {"action": argparse.BooleanOptionalAction, "help": help}
        else:
            how = {
                "type": comma_list if isinstance(option.default, list) else type(option.default),
                "choices": option.choices or None,
                "metavar": None if option.choices else _metavar(option),
                "help": f"{help} (default: {option.shown.strip('()')})",
            }
        flag = "--" + option.name.replace("_", "-")
        parser.add_argument(flag, default=option.default, **how)


def _metavar(option: Option) -> str:
    if option.bounds and isinstance(option.default, float):
        return "{:g}..{:g}".format(*option.bounds)
    if isinstance(option.default, list):
        return "A,B"
    return "N" if isinstance(option.default, int) else option.name.rpartition("_")[2].upper()


def add_language_folder(parser: argparse.ArgumentParser) -> None:
    """Add the flag for a user's own language files."""
    parser.add_argument(
        "--language-folder", type=Path, metavar="FOLDER", help="folder with your own language files"
    )


def read_options(values: Mapping[str, Any]) -> DescribeOptions:
    """Return the options that the flags ask for; raises I2tError for one that is wrong."""
    return from_values(
        DescribeOptions,
        values,
        task_options={name: from_values(task.options, values) for name, task in TASKS.items()},
        languages=words.load_languages(values.get("language_folder")),
    )


def make_describer(values: Mapping[str, Any], *, progress: bool) -> Describer:
    """Return what describes as the flags ask; nothing is loaded yet. Raises I2tError.

    progress  whether downloads show how far they are
    """
    settings = {name: from_values(task.settings, values) for name, task in TASKS.items()}
    how = replace(from_values(OpenOptions, values), progress=progress)
    # The failure is printed as any other, and the pause that the warning announces does not matter
    # to a command.
    logging.getLogger("i2t_ros.pipeline.translation").setLevel(logging.ERROR)
    cv2.setNumThreads(usable_cores().number)  # before 4.10, OpenCV ignores a quota of cgroup v2
    openers = {name: partial(task.open, settings[name], how) for name, task in TASKS.items()}
    return Describer(openers, time_limit=PATIENCE)


def prepare(describer: Describer, options: DescribeOptions) -> None:
    """Load the models, so that the time shown does not include loading.

    Raises I2tError if none can be, and InvalidRequestError for a class that the model lacks.
    """
    errors = []
    for task in options.tasks:
        try:
            describer.prepare([task])
        except I2tError as error:  # printed later, if other tasks succeed
            errors.append(error)
    if len(errors) == len(options.tasks):
        raise errors[0]
    if {*OBJECT_TASKS} & {*options.tasks}:
        with suppress(ModelError, BackendError):  # not loaded: printed as any other failure
            describer.finder(options.tasks).check_classes(
                sorted(options.task_options[STAGED].named)
            )
