"""What a task is: everything that the rest of the package asks of it."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any, ClassVar, Generic, NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from i2t_ros.errors import I2tError
from i2t_ros.language.facts import Style, TaskFacts
from i2t_ros.pipeline.loading import OpenOptions
from i2t_ros.types import DescribeRequest, Image
from i2t_ros.vision.drawing import DrawOptions, Pen, Plate

Result = TypeVar("Result")
Settings = TypeVar("Settings")
Options = TypeVar("Options")
Options_contra = TypeVar("Options_contra", contravariant=True)

Label = Callable[[str], str]
"""Turns a model's name of a class into the word of a language."""


class Outcome(NamedTuple):
    """What a task found in one image, and the error if it could not find all of it."""

    result: Any
    failure: I2tError | None = None


class Runner(Protocol[Options_contra]):
    """One task with its model loaded. Used by one thread at a time.

    name      model and backend, for people: "yunet on facedetectoryn (cpu)"
    report    one line for logs: what runs, and why it was chosen
    degraded  whether this stands in for a better model; ``report`` says what is missing

    It may also have ``labels``, the class names that it can return: their words are then looked up
    before the first image; and ``device``, which says what runs the model, if that is not one of
    backends.cores.CORE_DEVICES. A runner of a task ``after_others`` may have ``time_limit``, the
    most seconds that an image takes, and ``stop()``, which ends whatever it is at, from any thread.
    """

    @property
    def name(self) -> str: ...  # noqa: D102 (above)
    @property
    def report(self) -> str: ...  # noqa: D102
    @property
    def degraded(self) -> bool: ...  # noqa: D102

    def run(self, image: Image, options: Options_contra, language: str) -> Outcome:
        """Return what this task finds in an image; ``language`` is that of the sentence.

        Raises BackendError if the backend fails, ModelMismatchError if its outputs are not those
        that the model's entry promises.
        """
        ...

    def close(self) -> None:
        """Release the model and its memory. May be called more than once."""
        ...


class Task(ABC, Generic[Settings, Options, Result]):
    """One kind of question to an image.

    name         as it stands in options, messages and JSON
    settings     dataclass of options: which model, and how it is opened
    options      dataclass of options: what is wanted of each image; may change at any time
    result_json  key of the JSON -> type of what stands there; null if the task has no result
    after_others whether it begins when the other tasks are done, and gets what they found. It may
                 take seconds: no image of a camera waits for it, and only some are given to it
    """

    name: ClassVar[str]
    settings: type[Settings]
    options: type[Options]
    result_json: ClassVar[Mapping[str, Any]]
    after_others: ClassVar[bool] = False

    @abstractmethod
    def open(self, settings: Settings, how: OpenOptions) -> Runner[Options]:
        """Return the task with its model loaded. Raises ModelError and BackendError."""

    def for_request(self, options: Options, request: DescribeRequest) -> Options:
        """Return the options with what a request names in their place."""
        return options

    def for_scene(self, options: Options, clues: Sequence[str]) -> Options:
        """Return the options with the clues of the other tasks; for a task ``after_others``."""
        return options

    def period(self, options: Options) -> float:
        """Return the least seconds between two images of a camera; if ``after_others``."""
        return 0.0

    def aged(self, result: Result, seconds: float) -> Result:
        """Return the result with an image that is older by some seconds; if ``after_others``."""
        return result

    def clues(self, result: Result, size: tuple[int, int]) -> Sequence[str]:
        """Return lines that tell a language model what was found, in English, and where.

        ``size`` is the image's width and height in pixels. Texts of the picture are quoted, as in
        grounding.quoted().
        """
        return ()

    @abstractmethod
    def facts(self, result: Result, size: tuple[int, int], style: Style) -> TaskFacts:
        """Return the facts of a result; ``size`` is the image's width and height in pixels."""

    @abstractmethod
    def draw(
        self, canvas: Image, result: Result, pen: Pen, label: Label, options: DrawOptions
    ) -> None:
        """Draw a result onto an image, in place; words that belong to a place are plates()."""

    def plates(
        self, canvas: Image, result: Result, pen: Pen, label: Label, options: DrawOptions
    ) -> Sequence[Plate]:
        """Return the words that are written when everything else of all tasks has been drawn.

        They find their places so that they hide neither each other nor, if possible, what they
        belong to. The most important come first.
        """
        return ()

    def scaled(self, result: Result, factors: NDArray[np.float32]) -> Result:
        """Return the result for a picture whose width and height are these times as large.

        For results with positions in pixels; they may be in the pixels of a picture that was
        decoded at a smaller size.
        """
        return result

    @abstractmethod
    def to_json(self, result: Result, label: Label) -> dict[str, Any]:
        """Return a result as values that are ready for JSON, by the keys of ``result_json``."""

    @abstractmethod
    def from_json(self, values: Mapping[str, Any]) -> Result:
        """Return the result that to_json() wrote."""


def json_items(items: Iterable[Any]) -> list[dict[str, Any]]:
    """Return dataclasses as JSON objects, without the fields that have their default value."""
    return [
        {
            part.name: value
            for part in fields(item)
            if (value := getattr(item, part.name)) != part.default
        }
        for item in items
    ]


def rounded_score(value: float) -> float:
    """Return a score as JSON shows it."""
    return round(float(value), 4)


def rounded_pixels(values: Sequence[float]) -> list[float]:
    """Return positions in pixels as JSON shows them."""
    return [round(value, 1) for value in values]
