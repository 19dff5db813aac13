"""Descriptions as values that are ready for JSON: the same on the console and over HTTP.

Boxes are left, top, right, bottom and points x, y, in pixels of the original image; colours are
#rrggbb; what a task that did not run would have found is null.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from i2t_ros import language as words
from i2t_ros.errors import error_from_code
from i2t_ros.types import (
    Classification,
    DescribeReply,
    Description,
    Detections,
    Faces,
    Picture,
    Scene,
    TextRegion,
)

LANDMARKS = ("right_eye", "left_eye", "nose", "right_mouth_corner", "left_mouth_corner")
"""In the order of ``Faces.landmarks``."""


def reply_to_json(reply: DescribeReply, picture: Picture | None) -> dict[str, Any]:
    """Return a reply but for its drawing; ``picture`` is the one that was asked about, if any."""
    return {
        **description_to_json(reply.description),
        "hash": picture.sha256 if picture else None,
        "cached": reply.cached,
        "elapsed_ms": round(1000 * reply.description.elapsed, 3),
    }


def description_from_json(values: Mapping[str, Any]) -> Description:
    """Return the description that description_to_json() wrote; its ``elapsed`` is 0."""
    found, classes = values["detections"], values["classification"]
    faces, texts = values["faces"], values["texts"]
    scene = Scene(
        values["width"],
        values["height"],
        None if found is None else _read_detections(found),
        None
        if classes is None
        else Classification(
            tuple(item["class_id"] for item in classes), tuple(item["score"] for item in classes)
        ),
        None if faces is None else _read_faces(faces),
        None if texts is None else tuple(map(_read_text, texts)),
        {
            task: error_from_code(failure["code"], failure["message"])
            for task, failure in values["failures"].items()
        },
    )
    return Description(
        scene, values["sentence"], values["language"], values["style"], values["model"], 0.0
    )


def _read_detections(items: list[dict[str, Any]]) -> Detections:
    labels = tuple(dict.fromkeys(item["class_id"] for item in items))
    tracks = [item.get("track_id", -1) for item in items]
    return Detections(
        boxes=np.array([item["box"] for item in items], np.float32),
        scores=np.array([item["score"] for item in items], np.float32),
        class_ids=np.array([labels.index(item["class_id"]) for item in items], np.int32),
        labels=labels,
        track_ids=np.array(tracks, np.int64) if max(tracks, default=-1) >= 0 else None,
    )


def _read_faces(items: list[dict[str, Any]]) -> Faces:
    landmarks = [list(item["landmarks"].values()) for item in items if item["landmarks"]]
    return Faces(
        boxes=np.array([item["box"] for item in items], np.float32),
        scores=np.array([item["score"] for item in items], np.float32),
        landmarks=np.array(landmarks, np.float32) if landmarks else None,
    )


def _read_text(item: dict[str, Any]) -> TextRegion:
    def color(name: str) -> tuple[int, int, int]:
        red, green, blue = bytes.fromhex(item[name][1:])
        return red, green, blue

    return TextRegion(
        np.array(item["corners"], np.float32),
        item["text"],
        item["score"],
        color("text_color"),
        color("background_color"),
        item["translation"],
    )


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
