"""The JSON shape of what each task finds, for the OpenAPI document.

Dataclasses of the standard library: pydantic reads what their fields' metadata says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

BOX = {"description": "left, top, right, bottom in pixels of the picture"}
CLASS = {"description": "the model's own name of the class", "examples": ["dog"]}
LABEL = {"description": "the class in the language of the sentence", "examples": ["perro"]}
SCORE = {"description": "0 to 1"}


@dataclass
class ObjectCount:
    """How many of one class there are."""

    class_id: str = field(metadata=CLASS)
    label: str = field(metadata=LABEL)
    count: int
    max_score: float


@dataclass
class Detection:
    """One object."""

    class_id: str = field(metadata=CLASS)
    label: str = field(metadata=LABEL)
    score: float = field(metadata=SCORE)
    box: list[float] = field(metadata=BOX)
    track_id: int | None = field(default=None, metadata={"description": "if objects are tracked"})


@dataclass
class Class:
    """A class that the picture as a whole shows."""

    class_id: str = field(metadata=CLASS)
    label: str = field(metadata=LABEL)
    score: float = field(metadata=SCORE)


@dataclass
class Face:
    """One face."""

    score: float = field(metadata=SCORE)
    box: list[float] = field(metadata=BOX)
    landmarks: dict[str, list[float]] | None = field(
        metadata={
            "description": "x and y in pixels of right_eye, left_eye, nose, right_mouth_corner and "
            "left_mouth_corner; right and left are the person's own"
        }
    )


@dataclass
class Text:
    """One line of text."""

    text: str
    translation: str = field(metadata={"description": "empty if there is none"})
    score: float = field(metadata=SCORE)
    corners: list[list[float]] = field(
        metadata={"description": "x and y in pixels, clockwise from top left"}
    )
    text_color: str = field(metadata={"examples": ["#1a1a1a"]})
    background_color: str = field(metadata={"examples": ["#ffffff"]})


RESULTS: Mapping[str, Any] = {
    "objects": list[ObjectCount],
    "detections": list[Detection],
    "classification": list[Class],
    "faces": list[Face],
    "texts": list[Text],
}
"""Key of the reply -> its shape; null if the task did not run."""
