"""How each task beside detection is loaded, from what a user says of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from i2t_ros.pipeline.loading import Choice
from i2t_ros.pipeline.task_worker import Opener
from i2t_ros.pipeline.tasks.classify import open_classify
from i2t_ros.pipeline.tasks.faces import open_faces
from i2t_ros.pipeline.tasks.text import open_text
from i2t_ros.pipeline.translators import open_translations
from i2t_ros.types import Task


@dataclass(frozen=True, slots=True)
class TaskChoices:
    """What a user says of the tasks beside detection.

    translator      one of translators.TRANSLATORS
    translator_url  of a LibreTranslate server
    translator_timeout  seconds for the texts of one picture
    """

    classify: Choice = field(default_factory=Choice)
    faces: Choice = field(default_factory=Choice)
    text: Choice = field(default_factory=Choice)
    translator: str = "none"
    translator_url: str = "http://127.0.0.1:5000"
    translator_timeout: float = 3.0


def task_openers(choices: TaskChoices) -> Mapping[Task, Opener]:
    """Return how to load each task; nothing is loaded yet.

    Raises InvalidRequestError for an unknown translator.
    """
    translations = open_translations(
        choices.translator, choices.translator_url, choices.translator_timeout
    )
    openers: dict[Task, Opener] = {
        "classify": lambda: open_classify(choices.classify),
        "faces": lambda: open_faces(choices.faces),
        "text": lambda: open_text(choices.text, translations),
    }
    return MappingProxyType(openers)
