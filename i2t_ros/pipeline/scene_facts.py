"""From the results of an image to what they have to say: facts, free of words and pixels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from i2t_ros.language import TaskFacts
from i2t_ros.pipeline.tasks import (
    facts_of_classes,
    facts_of_faces,
    facts_of_objects,
    facts_of_texts,
)
from i2t_ros.types import Scene

# By the field of a scene, in the order in which they are said.
_FACTS: Mapping[str, Callable[[Any, tuple[int, int], str], TaskFacts]] = {
    "detections": facts_of_objects.facts,
    "faces": facts_of_faces.facts,
    "texts": facts_of_texts.facts,
    "classification": facts_of_classes.facts,
}


def scene_facts(scene: Scene, style: str) -> tuple[TaskFacts, ...]:
    """Return what each task that ran has to say of a scene, for a sentence of a style."""
    size = scene.width, scene.height
    return tuple(
        facts(result, size, style)
        for field, facts in _FACTS.items()
        if (result := getattr(scene, field)) is not None
    )
