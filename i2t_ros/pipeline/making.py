"""The describer and its options, made of plain values by name: a command line's, or a job's."""

import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

import cv2

from i2t_ros import language as words
from i2t_ros.backends.cores import usable_cores
from i2t_ros.errors import BackendError, I2tError, ModelError
from i2t_ros.options import from_values
from i2t_ros.pipeline.describe_options import STAGED, DescribeOptions
from i2t_ros.pipeline.describer import Describer
from i2t_ros.pipeline.loading import OpenOptions
from i2t_ros.pipeline.tasks.registry import TASKS
from i2t_ros.types import OBJECT_TASKS

PATIENCE = 3600.0
"""Seconds for a task: the user is watching, so a download may take long."""


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
    # Before 4.10, OpenCV ignores a quota of cgroup v2.
    cv2.setNumThreads(how.backend.threads or usable_cores().number)
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
