"""Descriptions as values that are ready for JSON, and back: the same on the console and over HTTP.

Boxes are left, top, right, bottom, and points are x, y, in pixels of the original image. Colors
are #rrggbb. The keys of a task without a result are null.
"""

from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from typing import Any

from i2t_ros import language as words
from i2t_ros.errors import error_from_code
from i2t_ros.pipeline.tasks.base import Label
from i2t_ros.pipeline.tasks.registry import TASKS
from i2t_ros.types import Answer, DescribeReply, Description, Picture, Scene


def reply_to_json(reply: DescribeReply, picture: Picture | None) -> dict[str, Any]:
    """Return a reply without its drawing; ``picture`` is the one that was sent, if any.

    Without a question, ``answer`` is null.
    """
    return {
        **description_to_json(reply.description),
        "hash": picture.sha256 if picture else None,
        "cached": reply.cached,
        "elapsed_ms": round(1000 * reply.description.elapsed, 3),
        "answer": None if reply.answer is None else answer_to_json(reply.answer),
    }


def answer_to_json(answer: Answer) -> dict[str, Any]:
    """Return the answer to a question, with the counts that were compared."""
    return {
        "text": answer.text,
        "model": answer.model,
        "elapsed_ms": round(1000 * answer.elapsed, 3),
        "agreement": answer.agreement,
        "counts": [asdict(check) for check in answer.counts],
    }


def error_to_json(code: str, message: str) -> dict[str, Any]:
    """Return an error: the body of a refusal over HTTP, and what the console prints instead."""
    return {"error": {"code": code, "message": message}}


def description_to_json(description: Description) -> dict[str, Any]:
    """Return the sentence and everything found, with classes in the language of the sentence."""
    scene, label = description.scene, label_of(description)
    # Two tasks may have a key in common: detect and segment, of which one runs.
    found: dict[str, Any] = {key: None for task in TASKS.values() for key in task.result_json}
    for name, task in TASKS.items():
        if name in scene.results:
            found |= task.to_json(scene.results[name], label)
    return {
        "sentence": description.sentence,
        "language": description.language,
        "style": description.style,
        "spoken": description.spoken,
        "model": description.model,
        "width": scene.width,
        "height": scene.height,
        "tasks": list(scene.results),
        **found,
        "failures": {
            task: {"code": error.code, "message": str(error)}
            for task, error in scene.failures.items()
        },
    }


def label_of(description: Description) -> Label:
    """Return what turns a class into the language of a description's sentence."""
    return description.label or partial(words.label, language=description.language)


def description_from_json(values: Mapping[str, Any]) -> Description:
    """Return the description that description_to_json() wrote; its ``elapsed`` is 0."""
    scene = Scene(
        values["width"],
        values["height"],
        {name: TASKS[name].from_json(values) for name in values["tasks"]},
        {
            task: error_from_code(failure["code"], failure["message"])
            for task, failure in values["failures"].items()
        },
    )
    found = [item for value in values.values() if isinstance(value, list) for item in value]
    labels = {
        item["class_id"]: item["label"]
        for item in found
        if isinstance(item, dict) and {"class_id", "label"} <= item.keys()
    }
    language, style, model = (values[key] for key in ("language", "style", "model"))
    return Description(
        scene,
        values["sentence"],
        language,
        style,
        model,
        0.0,
        lambda name: labels.get(name, name),
        values.get("spoken", False),  # older ones do not say
    )
