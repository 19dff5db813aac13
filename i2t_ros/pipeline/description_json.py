"""Descriptions as values that are ready for JSON: the same on the console and over HTTP.

Boxes are left, top, right, bottom and points x, y, in pixels of the original image; colours are
#rrggbb; what a task that did not run would have found is null.
"""

from __future__ import annotations

from typing import Any

from i2t_ros import language as words
from i2t_ros.types import Classification, Description, Detections, Faces, Scene, TextRegion

LANDMARKS = ("right_eye", "left_eye", "nose", "right_mouth_corner", "left_mouth_corner")
"""In the order of ``Faces.landmarks``."""


def description_to_json(description: Description) -> dict[str, Any]:
    """Return sentence, counts and everything found."""
    scene = description.scene
    return {
        "sentence": description.sentence,
        "language": description.language,
        "style": description.style,
        "model": description.model,
        "width": scene.width,
        "height": scene.height,
        "tasks": scene.tasks,
        **scene_to_json(scene, description.language),
    }


def scene_to_json(scene: Scene, language: str) -> dict[str, Any]:
    """Return everything found, with class names in ``language``."""
    found = scene.detections
    return {
        "objects": None if found is None else _objects(found, language),
        "detections": None if found is None else _detections(found, language),
        "classification": _classes(scene.classification, language),
        "faces": None if scene.faces is None else _faces(scene.faces),
        "texts": None if scene.texts is None else [_text(region) for region in scene.texts],
        "failures": {
            task: {"code": error.code, "message": str(error)}
            for task, error in scene.failures.items()
        },
    }


def _objects(found: Detections, language: str) -> list[dict[str, Any]]:
    return [
        {
            "class_id": entry.class_id,
            "label": entry.label,
            "count": entry.count,
            "max_score": _score(entry.max_score),
        }
        for entry in words.count_objects(found, language)
    ]


def _detections(found: Detections, language: str) -> list[dict[str, Any]]:
    items = []
    for i, box in enumerate(found.boxes.tolist()):
        name = found.label(i)
        item = {
            "class_id": name,
            "label": words.label(name, language),
            "score": _score(float(found.scores[i])),
            "box": [_pixels(side) for side in box],
        }
        if found.track_ids is not None and found.track_ids[i] >= 0:
            item["track_id"] = int(found.track_ids[i])
        items.append(item)
    return items


def _classes(classes: Classification | None, language: str) -> list[dict[str, Any]] | None:
    if classes is None:
        return None
    return [
        {"class_id": name, "label": words.label(name, language), "score": _score(score)}
        for name, score in zip(classes.labels, classes.scores, strict=True)
    ]


def _faces(faces: Faces) -> list[dict[str, Any]]:
    items = []
    for i, box in enumerate(faces.boxes.tolist()):
        landmarks = None
        if faces.landmarks is not None:
            named = zip(LANDMARKS, faces.landmarks[i].tolist(), strict=True)
            landmarks = {name: [_pixels(x), _pixels(y)] for name, (x, y) in named}
        items.append(
            {
                "score": _score(float(faces.scores[i])),
                "box": [_pixels(side) for side in box],
                "landmarks": landmarks,
            }
        )
    return items


def _text(region: TextRegion) -> dict[str, Any]:
    return {
        "text": region.text,
        "translation": region.translation,
        "score": _score(region.score),
        "corners": [[_pixels(x), _pixels(y)] for x, y in region.corners.tolist()],
        "text_color": hex_color(region.text_color),
        "background_color": hex_color(region.background_color),
    }


def hex_color(color: tuple[int, int, int]) -> str:
    """Return red, green, blue as "#rrggbb"."""
    return "#{:02x}{:02x}{:02x}".format(*color)


def _score(value: float) -> float:
    return round(value, 4)


def _pixels(value: float) -> float:
    return round(value, 1)
