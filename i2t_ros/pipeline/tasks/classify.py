"""The task ``classify``: what the picture as a whole shows, most likely first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from i2t_ros.backends.base import Tensor
from i2t_ros.language.facts import SURE, Fact, Style, TaskFacts
from i2t_ros.language.grammar import Language
from i2t_ros.options import Checked, option
from i2t_ros.pipeline.loading import OpenOptions, open_model
from i2t_ros.pipeline.model_runner import ModelRunner, PreparedImage
from i2t_ros.pipeline.tasks.base import Label, Task, json_items, rounded_score
from i2t_ros.types import Image
from i2t_ros.vision.drawing import DrawOptions, Pen, plate_size, readable, write

COLOR = (235, 235, 235)
LIKELY = 0.1
"""Probability from which a class is said and drawn; a classifier always has a best."""


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
        "classes of the whole picture that are kept, the most likely ones",
        bounds=(1, 10_000),
        changes="live",
    )


@dataclass(frozen=True, slots=True)
class Classification:
    """What the whole picture shows: the best classes and their probabilities, best first."""

    labels: tuple[str, ...]
    scores: tuple[float, ...]

    def __post_init__(self) -> None:
        """Check that each label has its score."""
        if len(self.labels) != len(self.scores):
            raise ValueError(
                "Classification: expected a score for each label, got "
                f"labels {len(self.labels)}, scores {len(self.scores)}"
            )

    @property
    def classes(self) -> list[tuple[str, float]]:
        """Each label with its score."""
        return list(zip(self.labels, self.scores, strict=True))


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
        """Return one sentence, the same in every style."""
        best = self.found[0]
        phrase = "hedged" if hedge and best.score < SURE else "plain"
        label = language.noun(best.key).label
        return [language.phrase(f"classification.{phrase}", label=label)]


@dataclass(frozen=True, slots=True)
class ClassJson:
    """A class that the picture as a whole shows."""

    class_id: str
    label: str
    score: float


class ClassifyTask(Task[ClassifySettings, ClassifyOptions, Classification]):
    """The classes of the whole picture."""

    name = "classify"
    settings = ClassifySettings
    options = ClassifyOptions
    result_json: ClassVar[Mapping[str, Any]] = {"classification": list[ClassJson]}

    def open(self, settings: ClassifySettings, how: OpenOptions) -> Classifier:
        """Return a classifier. Raises ModelError and BackendError."""
        return open_model(self.name, settings.model, Classifier, how.of_other_tasks())

    def facts(self, result: Classification, size: tuple[int, int], style: Style) -> TaskFacts:
        """Return the likeliest class, if it is likely enough to be said; see Task."""
        best = result.classes[:1]
        return ClassFacts(tuple(ClassFact(name, score=p) for name, p in best if p >= LIKELY))

    def draw(
        self, canvas: Image, result: Classification, pen: Pen, label: Label, options: DrawOptions
    ) -> None:
        """Write the likely classes into the lower left corner, the likeliest on top."""
        bottom = canvas.shape[0]
        for name, score in reversed(result.classes):
            if score >= LIKELY:
                text = f"{readable(name, label)} {round(100 * score)}%"
                bottom -= plate_size(text, pen)[0]
                write(canvas, (0, max(0, bottom)), text, pen, COLOR)

    def to_json(self, result: Classification, label: Label) -> dict[str, Any]:
        """Return the classes, best first; see Task."""
        items = (
            ClassJson(name, label(name), rounded_score(score)) for name, score in result.classes
        )
        return {"classification": json_items(items)}

    def from_json(self, values: Mapping[str, Any]) -> Classification:
        """Return the classes; see Task."""
        items = values["classification"]
        return Classification(
            tuple(item["class_id"] for item in items), tuple(item["score"] for item in items)
        )


class Classifier(ModelRunner[ClassifyOptions, Classification]):
    """Names the classes of pictures."""

    options = ClassifyOptions

    def _result(
        self, image: PreparedImage, outputs: list[Tensor], options: ClassifyOptions
    ) -> Classification:
        """Return the ``top_k`` most likely classes."""
        probabilities = self._decode(outputs)
        self._check_labels(len(probabilities))
        best = np.argsort(-probabilities, kind="stable")[: options.top_k].tolist()
        found = tuple(self.labels[i] or f"class {i}" for i in best)
        return Classification(found, tuple(probabilities[best].tolist()))
