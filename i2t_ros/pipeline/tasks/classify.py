"""The task ``classify``: what the picture as a whole shows, most likely first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias

import numpy as np

from i2t_ros.backends.base import Tensor
from i2t_ros.language.facts import SURE, Fact, Style, TaskFacts
from i2t_ros.language.grammar import Language
from i2t_ros.options import Checked, option
from i2t_ros.pipeline.loading import OpenOptions, open_model
from i2t_ros.pipeline.model_runner import ModelRunner, PreparedImage
from i2t_ros.pipeline.tasks.base import Label, Task, json_items, rounded_score
from i2t_ros.types import Image
from i2t_ros.vision.drawing import DrawOptions, Pen, Plate, caption, plate_size, readable

COLOR = (235, 235, 235)
LIKELY = 0.2
"""Probability from which a class is told; a classifier always has a best. On 85 photos the best
class was in the picture in 31 of 40 cases from 0.5 on, in 11 of 31 from 0.2 to 0.5, and in 1 of 14
below (docs/tasks.md)."""


@dataclass(frozen=True, slots=True)
class ClassifySettings:
    """Which model classifies."""

    model: str = option(
        "auto",
        "for the task classify: an entry of models.yaml, a path, or auto",
        name="classify_model",
    )


@dataclass(frozen=True, slots=True)
class ClassifyOptions(Checked):
    """How many classes of the whole picture are wanted."""

    top_k: int = option(
        5,
        "at most this many classes of the whole picture are kept, the most likely ones",
        bounds=(1, 10_000),
        changes="live",
    )
    min_score: float = option(
        LIKELY,
        "classes of the whole picture below this probability are left out, 0 to 1; no sentence "
        f"names one below {LIKELY:g}",
        name="classify_min_score",
        bounds=(0.0, 1.0),
        changes="live",
    )


Classes: TypeAlias = tuple[tuple[str, float], ...]
"""The result: classes of the whole picture and their probabilities, 0 to 1, best first."""


@dataclass(frozen=True, slots=True)
class ClassFact(Fact):
    """A class that the picture as a whole shows; ``score`` is 0 to 1."""

    score: float = 1.0


@dataclass(frozen=True, slots=True)
class ClassFacts(TaskFacts):
    """The most likely class; empty if none is likely enough to be said."""

    section: ClassVar[str] = "classification"
    found: tuple[ClassFact, ...]

    def sentences(self, language: Language, style: Style, hedge: bool) -> list[str]:
        """Return one sentence, the same in every style; what is doubtful is always called so."""
        best = self.found[0]
        phrase = "hedged" if best.score < SURE else "plain"
        label = language.noun(best.key).cited
        return [language.phrase(f"classification.{phrase}", label=label)]


@dataclass(frozen=True, slots=True)
class ClassJson:
    """A class that the picture as a whole shows."""

    class_id: str
    label: str
    score: float


class ClassifyTask(Task[ClassifySettings, ClassifyOptions, Classes]):
    """The classes of the whole picture."""

    name = "classify"
    settings = ClassifySettings
    options = ClassifyOptions
    result_json: ClassVar[Mapping[str, Any]] = {"classification": list[ClassJson]}

    def open(self, settings: ClassifySettings, how: OpenOptions) -> "Classifier":
        """Return a classifier. Raises ModelError and BackendError."""
        return open_model(self.name, settings.model, Classifier, how.of_other_tasks())

    def facts(self, result: Classes, size: tuple[int, int], style: Style) -> TaskFacts:
        """Return the likeliest class, if it is likely enough to be said; see Task."""
        best = result[:1]
        return ClassFacts(tuple(ClassFact(name, score=p) for name, p in best if p >= LIKELY))

    def clues(self, result: Classes, size: tuple[int, int]) -> Sequence[str]:
        """Return the likely classes; see Task."""
        likely = ", ".join(f"{name} ({round(100 * p)} %)" for name, p in result if p >= LIKELY)
        return [f"A classifier takes the whole picture for: {likely}."] if likely else []

    def draw(
        self, canvas: Image, result: Classes, pen: Pen, label: Label, options: DrawOptions
    ) -> None:
        """Draw nothing: there are only words."""

    def plates(
        self, canvas: Image, result: Classes, pen: Pen, label: Label, options: DrawOptions
    ) -> Sequence[Plate]:
        """Return the likely classes for the lower left corner, the likeliest on top."""
        bottom, plates = canvas.shape[0], []
        for name, score in reversed(result):
            if score >= LIKELY:
                text = caption(readable(name, label), [f"{round(100 * score)}%"])
                height, width = plate_size(text, pen)
                bottom -= height
                box = (0, max(0, bottom), width, bottom + height)
                plates.append(Plate(text, box, COLOR, "fixed"))
        return plates

    def to_json(self, result: Classes, label: Label) -> dict[str, Any]:
        """Return the classes, best first; see Task."""
        items = (ClassJson(name, label(name), rounded_score(score)) for name, score in result)
        return {"classification": json_items(items)}

    def from_json(self, values: Mapping[str, Any]) -> Classes:
        """Return the classes; see Task."""
        return tuple((item["class_id"], item["score"]) for item in values["classification"])


class Classifier(ModelRunner[ClassifyOptions, Classes]):
    """Names the classes of pictures."""

    options = ClassifyOptions

    def _result(
        self, image: PreparedImage, outputs: list[Tensor], options: ClassifyOptions
    ) -> Classes:
        """Return the ``top_k`` most likely classes that are likely enough, without background."""
        probabilities = self._decode(outputs)
        self._check_labels(len(probabilities))
        order = np.argsort(-probabilities, kind="stable")
        likely = order[probabilities[order] >= options.min_score].tolist()
        best = [i for i in likely if i not in self.background][: options.top_k]
        return tuple((self.labels[i] or f"class {i}", float(probabilities[i])) for i in best)
