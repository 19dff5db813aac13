"""A backend that gives scripted answers, for tests and demos."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from i2t_ros.backends.base import Backend, BackendOptions, Tensor
from i2t_ros.errors import InferenceError
from i2t_ros.models.manifest import ModelSpec

Script = Callable[[Sequence[Tensor]], list[Tensor]]


def one_person(inputs: Sequence[Tensor]) -> list[Tensor]:
    """Find class 0 in the middle half of a picture, with score 0.9; nothing in a black one."""
    height, width = inputs[0].shape[:2]
    found = 1 if inputs[0].any() else 0
    box = [width / 4, height / 4, width * 3 / 4, height * 3 / 4]
    return [
        np.array([box], np.float32)[:found],
        np.array([0.9], np.float32)[:found],
        np.zeros(found, np.int32),
    ]


class FakeBackend(Backend):
    """Answers with ``script``; holds the picture at ``gate`` until it is opened.

    calls  how many inferences have begun
    begun  is set when one begins, so that a test can wait for it
    """

    title = "fake"
    device = "fake"
    report = "fake: scripted answers"

    def __init__(  # noqa: PLR0913 (what every backend takes, and what tests set)
        self,
        spec: ModelSpec | None = None,
        files: Sequence[Path] = (),
        options: BackendOptions = BackendOptions(),  # noqa: B008 (frozen)
        *,
        script: Script = one_person,
        gate: threading.Event | None = None,
        batch: int = 1,
    ) -> None:
        """Take what every backend takes, and what to answer.

        batch  how many images a call may hold, for a script that reads so many
        """
        self.model = script
        self._gate = gate
        self._timeout = options.timeout
        self.batch = batch
        self.calls = 0
        self.begun = threading.Event()

    def run(self, model: Script, inputs: Sequence[Tensor]) -> list[Tensor]:
        """Return what the script says; see Backend.

        Raises InferenceError if the gate stays shut for longer than ``options.timeout``.
        """
        self.calls += 1
        self.begun.set()
        if self._gate is not None and not self._gate.wait(self._timeout):
            raise InferenceError(f"fake: the gate stayed shut for {self._timeout} s")
        return model(inputs)
