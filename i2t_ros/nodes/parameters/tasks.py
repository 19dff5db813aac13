"""The detector's parameters that say what is done with an image, and how, beside detection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from i2t_ros.backends.base import BackendOptions
from i2t_ros.nodes.parameters.spec import ParameterSpec
from i2t_ros.pipeline.describer import DescribeOptions
from i2t_ros.pipeline.loading import Choice
from i2t_ros.pipeline.reply_cache import CacheLimits
from i2t_ros.pipeline.tasks.registry import TaskChoices
from i2t_ros.pipeline.translators import TRANSLATORS
from i2t_ros.types import TASKS, ClassifyOptions, FaceOptions, TextOptions

_TASKS = TaskChoices()
_CACHE = CacheLimits()
_DESCRIBE = DescribeOptions()

TASK_PARAMETERS: tuple[ParameterSpec, ...] = (
    ParameterSpec(
        "tasks",
        list(_DESCRIBE.tasks),
        f"what is done with each image, and with a request that names no task: {', '.join(TASKS)}",
        changes="live",
    ),
    ParameterSpec(
        "classify_model",
        _TASKS.classify.model,
        "for the task classify: an entry of models.yaml, a path, or auto",
    ),
    ParameterSpec(
        "faces_model",
        _TASKS.faces.model,
        "for the task faces: an entry of models.yaml, a path, or auto: YuNet, else the faces that "
        "OpenCV finds by itself, without landmarks",
    ),
    ParameterSpec(
        "text_model",
        _TASKS.text.model,
        "for the task text: an entry of models.yaml, a path, or auto: Latin letters, Chinese and "
        "Japanese",
    ),
    ParameterSpec(
        "task_timeout",
        30.0,
        "seconds that a task beside detect may take for one image, its loading included",
        bounds=(0.1, 3600.0),
    ),
    ParameterSpec(
        "top_k",
        _DESCRIBE.classify.top_k,
        "classes of the whole image that are kept, the most likely ones",
        bounds=(1, 10_000),
        changes="live",
    ),
    ParameterSpec(
        "face_min_score",
        _DESCRIBE.faces.min_score,
        "faces below this score are left out, 0 to 1; 0: the model's own threshold",
        bounds=(0.0, 1.0),
        changes="live",
    ),
    ParameterSpec(
        "text_min_score",
        _DESCRIBE.text.min_score,
        "texts below this score are left out, 0 to 1",
        bounds=(0.0, 1.0),
        changes="live",
    ),
    ParameterSpec(
        "translator",
        _TASKS.translator,
        "who translates texts. Their texts leave this machine, unless it is a LibreTranslate "
        "server on it; keys are taken from environment variables, docs/tasks.md names them",
        choices=TRANSLATORS,
    ),
    ParameterSpec("translator_url", _TASKS.translator_url, "of a LibreTranslate server"),
    ParameterSpec(
        "translator_timeout",
        _TASKS.translator_timeout,
        "seconds for the translation of one image's texts; they stay untranslated after that",
        bounds=(0.1, 60.0),
    ),
    ParameterSpec(
        "translate_to",
        _DESCRIBE.text.translate_to,
        "language of translations, BCP 47; none: that of the sentence",
        changes="live",
    ),
    ParameterSpec(
        "translate_from",
        _DESCRIBE.text.translate_from,
        "language of the texts, BCP 47; none: the translator finds out",
        changes="live",
    ),
    ParameterSpec(
        "cache_size",
        _CACHE.entries,
        "answers to Describe requests that are kept for the next time that the same picture comes "
        "with the same options; 0: none",
        bounds=(0, 100_000),
    ),
    ParameterSpec(
        "cache_bytes",
        _CACHE.bytes,
        "bytes that those answers may take together, annotated pictures included",
        bounds=(0, 2**40),
    ),
    ParameterSpec(
        "cache_lifetime",
        _CACHE.lifetime,
        "seconds after which an answer is forgotten",
        bounds=(0.0, 1e9),
    ),
)


def task_options(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of DescribeOptions that these parameters set."""
    return {
        "tasks": tuple(task for task in values["tasks"] if task),
        "classify": ClassifyOptions(top_k=values["top_k"]),
        "faces": FaceOptions(min_score=values["face_min_score"]),
        "text": TextOptions(
            min_score=values["text_min_score"],
            translate_to=values["translate_to"],
            translate_from=values["translate_from"],
        ),
    }


def task_choices(values: Mapping[str, Any]) -> TaskChoices:
    """Return what is said of the tasks beside detect; of the engine, ``threads`` is for all."""

    def choice(model: str) -> Choice:
        return Choice(
            model, options=BackendOptions(threads=values["threads"]), offline=values["offline"]
        )

    return TaskChoices(
        classify=choice(values["classify_model"]),
        faces=choice(values["faces_model"]),
        text=choice(values["text_model"]),
        translator=values["translator"],
        translator_url=values["translator_url"],
        translator_timeout=values["translator_timeout"],
    )


def cache_limits(values: Mapping[str, Any]) -> CacheLimits:
    """Return how much of the answers is kept."""
    return CacheLimits(values["cache_size"], values["cache_bytes"], values["cache_lifetime"])
