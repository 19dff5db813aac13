"""Tasks that answer as they are told to, without an engine."""

import threading

import numpy as np
from making import classes_of

from i2t_ros.errors import InferenceError
from i2t_ros.pipeline.tasks.base import Outcome
from i2t_ros.pipeline.tasks.faces import Faces
from i2t_ros.pipeline.tasks.text import TextRegion

FOUND = {
    "classify": classes_of(("Egyptian cat",), (0.9,)),
    "faces": Faces([[1, 1, 5, 5]], [0.8]),
    "text": (
        TextRegion(np.float32([[0, 0], [9, 0], [9, 3], [0, 3]]), "Exit", 0.9, (0, 0, 0), (9, 9, 9)),
    ),
}


class ScriptedTask:
    """Finds what FOUND says; fails with ``error``, or in part with ``failure``.

    Works at ``gate`` until it is opened.

    begun  is set when an image is begun
    most   how many images it had in hand at once
    """

    degraded = False

    def __init__(self, task, *, error=None, gate=None, failure=None):
        self.name = f"{task} standin"
        self.report = f"{task} standin: scripted"
        self._found = FOUND[task]
        self._error = error
        self._gate = gate
        self._failure = failure
        self._inside = threading.Semaphore(1)
        self.begun = threading.Event()
        self.overlapped = False
        self.calls = 0
        self.closed = False

    def run(self, image, options, language):
        self.begun.set()
        if not self._inside.acquire(blocking=False):
            self.overlapped = True
            raise InferenceError("two images at once")
        try:
            self.calls += 1
            if self._gate is not None and not self._gate.wait(30):
                raise InferenceError("the gate stayed shut")
            if self._error is not None:
                raise self._error
            return Outcome(self._found, self._failure)
        finally:
            self._inside.release()

    def close(self):
        self.closed = True
