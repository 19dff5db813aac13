"""What a task is: the protocol that each keeps, and what it may be told."""

from __future__ import annotations

from typing import Protocol

from i2t_ros.types import ClassifyOptions, DetectOptions, FaceOptions, Image, Scene, TextOptions


class TaskOptions(Protocol):
    """What a user may say of one image's tasks; describer.DescribeOptions is one."""

    @property
    def language(self) -> str:
        """The language of the sentence."""
        ...

    @property
    def detect(self) -> DetectOptions:
        """Which objects."""
        ...

    @property
    def classify(self) -> ClassifyOptions:
        """Which classes."""
        ...

    @property
    def faces(self) -> FaceOptions:
        """Which faces."""
        ...

    @property
    def text(self) -> TextOptions:
        """Which texts."""
        ...


class TaskRunner(Protocol):
    """One task with its engine loaded. Used by one thread at a time.

    name      model and engine, for people: "yunet on opencv (cpu)"
    report    one line for logs: what runs, and why it was chosen
    degraded  whether this is a makeshift; ``report`` says what is missing
    """

    name: str
    report: str
    degraded: bool

    def run(self, image: Image, options: TaskOptions) -> Scene:
        """Return a scene that holds what this task found, and nothing of other tasks.

        Its ``failures`` hold what went wrong with a part of the work.

        Raises BackendError where the engine fails, ModelMismatchError where its outputs are not
        those that the model's entry promises.
        """
        ...

    def close(self) -> None:
        """Release the engine and its memory. May be called more than once."""
        ...
