"""Scenes as text and back, for keeping them in a database."""

from __future__ import annotations

import json
from typing import Any

from i2t_ros.pipeline.tasks.classify import Classification
from i2t_ros.pipeline.tasks.faces import Faces
from i2t_ros.pipeline.tasks.text import TextRegion
from i2t_ros.types import Detections, Scene


def dump_scene(scene: Scene) -> str:
    """Return a scene as JSON; failures of tasks are not part of it."""
    found, classes, faces = scene.detections, scene.classification, scene.faces
    data: dict[str, Any] = {"width": scene.width, "height": scene.height}
    if found is not None:
        data["detections"] = {
            "boxes": found.boxes.tolist(),
            "scores": found.scores.tolist(),
            "labels": [found.label(i) for i in range(len(found))],
        }
    if classes is not None:
        data["classification"] = {"labels": classes.labels, "scores": classes.scores}
    if faces is not None:
        data["faces"] = {
            "boxes": faces.boxes.tolist(),
            "scores": faces.scores.tolist(),
            "landmarks": None if faces.landmarks is None else faces.landmarks.tolist(),
        }
    if scene.texts is not None:
        data["texts"] = [
            {
                "corners": region.corners.tolist(),
                "text": region.text,
                "score": region.score,
                "text_color": region.text_color,
                "background_color": region.background_color,
                "translation": region.translation,
            }
            for region in scene.texts
        ]
    return json.dumps(data, ensure_ascii=False)


def load_scene(text: str) -> Scene:
    """Return the scene that ``dump_scene`` wrote, but for the numbering of its labels."""
    data = json.loads(text)
    found, classes = data.get("detections"), data.get("classification")
    faces, texts = data.get("faces"), data.get("texts")
    return Scene(
        width=data["width"],
        height=data["height"],
        detections=None if found is None else _load_detections(found),
        classification=None
        if classes is None
        else Classification(tuple(classes["labels"]), tuple(classes["scores"])),
        faces=None if faces is None else Faces(**faces),
        texts=None if texts is None else tuple(_load_text(item) for item in texts),
    )


def _load_detections(data: dict[str, Any]) -> Detections:
    labels = tuple(dict.fromkeys(data["labels"]))
    numbers = {label: number for number, label in enumerate(labels)}
    return Detections(
        boxes=data["boxes"],
        scores=data["scores"],
        class_ids=[numbers[label] for label in data["labels"]],  # type: ignore[arg-type]
        labels=labels,
    )


def _load_text(data: dict[str, Any]) -> TextRegion:
    data["text_color"] = tuple(data["text_color"])
    data["background_color"] = tuple(data["background_color"])
    return TextRegion(**data)
