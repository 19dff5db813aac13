"""The options of a describer: what is done with an image, and how it is told."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from i2t_ros import language as words
from i2t_ros.errors import UnknownTaskError
from i2t_ros.options import check_options, option
from i2t_ros.pipeline.tasks.registry import TASKS, check_tasks, late_tasks
from i2t_ros.types import DescribeRequest, TaskName
from i2t_ros.vision.codecs import MAX_PIXELS
from i2t_ros.vision.drawing import DrawOptions
from i2t_ros.vision.levels import GRAY16, check_gray16

STAGED = "detect"
"""The task whose steps overlap with those of other images, and that uses the backend in turns."""


@dataclass(frozen=True, slots=True)
class DescribeOptions:
    """How a describer works unless a request says otherwise.

    Frozen, so that a running node can exchange all of them at once.

    task_options  options by task; a task that is missing gets its defaults
    languages     None: those that ship with the package
    usual_unit    of distances, "meters" or "feet", in the region that the tag of the language named
                  before it was resolved; empty: to be found
    """

    tasks: tuple[TaskName, ...] = option(
        (STAGED,),
        "what is done with each image, and with a request that names no task: any of "
        + ", ".join(TASKS)
        + "; what segment finds stands in place of what detect finds",
        changes="live",
    )
    language: str = option(
        "en", "language of the sentence, BCP 47, such as en or es", changes="live", language=True
    )
    style: str = option("sentence", "how the sentence is put", choices=words.STYLES, changes="live")
    hedge: bool = option(False, "say 'probably' of what is seen with a low score", changes="live")
    spoken: bool = option(
        False, "words for a voice: no digits, no symbols, no quotes, units in words", changes="live"
    )
    distance_unit: str = option(
        "auto",
        "unit of the distances in the style scene; auto: feet if the language tag names a region "
        "that uses them, such as en-US, else meters",
        choices=words.DISTANCE_UNITS,
        changes="live",
    )
    object_colors: bool = option(
        False,
        "say the color of things; one of eleven, from their outline or the middle of their box, if "
        "one stands out",
        changes="live",
    )
    max_pixels: int = option(
        MAX_PIXELS,
        "images of more pixels (width x height) are refused before they are decoded, but a JPEG of "
        "up to 8 times as many is decoded at a smaller size",
        bounds=(1, 1_000_000_000),
        changes="live",
    )
    gray16: str = option(
        GRAY16,
        "how 16-bit gray images (mono16, 16UC1, PNG) become 8-bit; percentiles: all but the 0.5 % "
        "darkest and brightest pixels fill the scale; range: all pixels do; LOW-HIGH, such as "
        "7000-7900: these values do; full: 0 to 65535 do",
        changes="live",
    )
    jpeg_quality: int = option(
        90, "quality of annotated JPEG and WebP pictures, 1 to 100", bounds=(1, 100), changes="live"
    )
    draw: DrawOptions = field(default_factory=DrawOptions)
    task_options: Mapping[TaskName, Any] = field(default_factory=lambda: MappingProxyType({}))
    languages: words.Languages | None = None
    usual_unit: str = ""

    def __post_init__(self) -> None:
        """Resolve the language, drop repeated tasks, check every name and number.

        Raises UnknownLanguageError, UnknownStyleError, UnknownTaskError, InvalidRequestError, and
        BackendMissingError if ``spoken`` needs a package.
        """
        put = object.__setattr__
        put(self, "usual_unit", self.usual_unit or words.unit_for("auto", self.language))
        put(self, "language", (self.languages or words.load_languages()).resolve(self.language))
        words.check_style(self.style)
        check_options(self)
        if self.spoken:
            words.prepare_spoken(self.language, self.languages)
        check_gray16(self.gray16)
        if not self.tasks:
            raise UnknownTaskError(f"no task; tasks are {', '.join(TASKS)}")
        wanted = (*self.tasks, "caption") if self.style == "caption" else self.tasks
        put(self, "tasks", check_tasks(wanted))
        given = {name: task.options() for name, task in TASKS.items()} | dict(self.task_options)
        put(self, "task_options", MappingProxyType(given))

    def for_request(self, request: DescribeRequest) -> "DescribeOptions":
        """Return these options with what the request names in their place."""
        given = {
            name: TASKS[name].for_request(options, request)
            for name, options in self.task_options.items()
        }
        tasks, style = request.tasks or self.tasks, request.style or self.style
        if request.question and not request.tasks and request.style != "caption":
            # An answer comes from the language model, too: one that nobody asked for is not made.
            late = late_tasks(tasks)
            tasks = tuple(task for task in tasks if task not in late) or (STAGED,)
            style = "sentence" if style == "caption" else style
        return replace(
            self,
            tasks=tasks,
            language=request.language or self.language,
            usual_unit="" if request.language else self.usual_unit,
            style=style,
            spoken=request.spoken or self.spoken,
            task_options=given,
        )

    def needs_seconds(self, request: DescribeRequest) -> bool:
        """Return whether the answer to a request may take seconds: a language model has a part."""
        style, tasks = request.style or self.style, request.tasks or self.tasks
        return bool(request.question or style == "caption" or late_tasks(tasks))

    @property
    def unit(self) -> str:
        """In what distances are said: "meters" or "feet"."""
        return self.usual_unit if self.distance_unit == "auto" else self.distance_unit

    def label(self, name: str) -> str:
        """Return a model's name of a class in the language of the sentence."""
        return words.label(name, self.language, self.languages)
