"""The task ``caption``: one or two sentences about the whole picture, by a language model."""

from collections.abc import Mapping, Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from i2t_ros.errors import NotActiveError
from i2t_ros.language.facts import Fact, Style, TaskFacts
from i2t_ros.language.grammar import Language
from i2t_ros.options import Checked, option
from i2t_ros.pipeline.grounding import caption_prompt, jpeg_of
from i2t_ros.pipeline.loading import OpenOptions
from i2t_ros.pipeline.tasks.base import Label, Outcome, Task
from i2t_ros.types import Image
from i2t_ros.vision.drawing import DrawOptions, Pen
from i2t_ros.vlm.settings import LanguageModelSettings


@dataclass(frozen=True, slots=True)
class CaptionOptions(Checked):
    """What the language model is asked for, and how often.

    clues  what the other tasks found; see Task.for_scene
    """

    prompt: str = option(
        "Describe this picture in one or two short sentences.",
        "what the language model is asked to do for a caption; the language is added to it",
        name="caption_prompt",
        changes="live",
    )
    period: float = option(
        5.0,
        "least seconds between two captions of a camera; a new one is made only if something has "
        "appeared or left",
        name="caption_period",
        bounds=(0.0, 3600.0),
        changes="live",
    )
    clues: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Caption:
    """The result: the words, and how old they are.

    age  seconds from the image that the words are about to the image that this is a result of
    """

    text: str
    age: float = 0.0


@dataclass(frozen=True, slots=True)
class CaptionFacts(TaskFacts):
    """The caption; its words are the only fact."""

    section: ClassVar[str] = "caption"
    whole: ClassVar[bool] = True
    found: tuple[Fact, ...]

    def sentences(self, language: Language, style: Style, hedge: bool) -> list[str]:
        """Return the words as they are."""
        return [fact.key for fact in self.found]


@dataclass(frozen=True, slots=True)
class CaptionJson:
    """Words of a language model about the whole picture."""

    text: str
    age: float = field(metadata={"description": "seconds since the image that it is about"})


class CaptionTask(Task[LanguageModelSettings, CaptionOptions, Caption]):
    """A caption for the whole picture."""

    name = "caption"
    settings = LanguageModelSettings
    options = CaptionOptions
    result_json: ClassVar[Mapping[str, Any]] = {"caption": CaptionJson}
    after_others = True

    def open(self, settings: LanguageModelSettings, how: OpenOptions) -> "CaptionWriter":
        """Return what asks the language model. Raises LanguageModelError and BackendError."""
        return CaptionWriter(settings)

    def for_scene(self, options: CaptionOptions, clues: Sequence[str]) -> CaptionOptions:
        """Return the options with what the other tasks found; see Task."""
        return replace(options, clues=tuple(clues))

    def period(self, options: CaptionOptions) -> float:
        """Return ``caption_period``; see Task."""
        return options.period

    def aged(self, result: Caption, seconds: float) -> Caption:
        """Return the same words, older; see Task."""
        return replace(result, age=result.age + seconds)

    def facts(self, result: Caption, size: tuple[int, int], style: Style) -> TaskFacts:
        """Return the caption; see Task."""
        return CaptionFacts((Fact(result.text),))

    def draw(
        self, canvas: Image, result: Caption, pen: Pen, label: Label, options: DrawOptions
    ) -> None:
        """Draw nothing: the words are in the sentence."""

    def to_json(self, result: Caption, label: Label) -> dict[str, Any]:
        """Return the caption; see Task."""
        return {"caption": {"text": result.text, "age": round(result.age, 3)}}

    def from_json(self, values: Mapping[str, Any]) -> Caption:
        """Return the caption; see Task."""
        return Caption(**values["caption"])


class CaptionWriter:
    """Asks the language model for captions, one after the other; see Runner."""

    degraded = False

    def __init__(self, settings: LanguageModelSettings) -> None:
        """Ask nothing yet. Raises LanguageModelOffError and InvalidRequestError."""
        # asyncio and what it brings are 5 MB, which most nodes never need.
        from i2t_ros.vlm.model import LanguageModel  # noqa: PLC0415

        self.model = LanguageModel(settings)
        self.device = settings.url
        self.width = settings.width
        self.time_limit = settings.timeout

    @property
    def name(self) -> str:
        """The model and its server."""
        return self.model.name

    @property
    def report(self) -> str:
        """One line for logs."""
        return f"{self.model.name} (caption_url)"

    def run(self, image: Image, options: CaptionOptions, language: str) -> Outcome:
        """Return the caption of an image; see Runner. Raises LanguageModelError."""
        jpeg = jpeg_of(image, self.width)
        prompt = caption_prompt(options.prompt, language, options.clues, jpeg)
        try:
            return Outcome(Caption(self.model.complete(prompt).text))
        except CancelledError:
            raise NotActiveError("no caption: the language model has been closed") from None

    def stop(self) -> None:
        """End what is being written, captions and answers; see Runner."""
        self.model.close()

    def close(self) -> None:
        """Nothing is kept between two captions; see Runner."""
