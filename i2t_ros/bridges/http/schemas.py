"""The shapes of requests and replies, for OpenAPI. Replies are built by ``replies``."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from i2t_ros import language as words
from i2t_ros.types import TASKS

Box = Field(
    description="left, top, right, bottom in pixels of the picture",
    examples=[[12.0, 30.5, 140.0, 301.0]],
)


class Problem(BaseModel):
    """Why a request was refused."""

    code: str = Field(description="stable; docs/errors.md lists them", examples=["not_an_image"])
    message: str = Field(description="for people")


class Refusal(BaseModel):
    """Every error's body."""

    error: Problem


class ObjectCount(BaseModel):
    """How many of one class there are."""

    class_id: str = Field(description="the model's own name", examples=["dog"])
    label: str = Field(description="the class in the language asked for", examples=["perro"])
    count: int
    max_score: float


class Detection(BaseModel):
    """One object."""

    class_id: str = Field(examples=["dog"])
    label: str = Field(examples=["perro"])
    score: float = Field(description="0 to 1")
    box: list[float] = Box
    track_id: int | None = Field(None, description="where objects are tracked")


class Class(BaseModel):
    """A class that the picture as a whole shows."""

    class_id: str
    label: str
    score: float


class Face(BaseModel):
    """One face."""

    score: float
    box: list[float] = Box
    landmarks: dict[str, list[float]] | None = Field(
        None,
        description="x and y in pixels of right_eye, left_eye, nose, right_mouth_corner and "
        "left_mouth_corner; right and left are the person's own",
    )


class Text(BaseModel):
    """One line of text."""

    text: str
    translation: str = Field(description="empty where there is none")
    score: float
    corners: list[list[float]] = Field(description="x and y in pixels, clockwise from top left")
    text_color: str = Field(examples=["#1a1a1a"])
    background_color: str = Field(examples=["#ffffff"])


class Found(BaseModel):
    """What a picture shows. null: that task did not run."""

    sentence: str = Field(examples=["I can see two people and a dog."])
    language: str = Field(description="of the sentence, BCP 47", examples=["en"])
    model: str = Field(description="and the engine that ran it")
    width: int | None = Field(
        description="of the picture in pixels; null for a camera that comes over ROS"
    )
    height: int | None
    objects: list[ObjectCount] | None
    detections: list[Detection] | None
    classification: list[Class] | None
    faces: list[Face] | None
    texts: list[Text] | None
    failures: dict[str, Problem] = Field(description="tasks that ran and failed")


class Timings(BaseModel):
    """Milliseconds."""

    receive: float = Field(description="reading the request, or fetching its URL")
    model: float = Field(description="from decoded picture to sentence, where it was worked on")
    total: float


class Reply(Found):
    """The answer to a description."""

    hash: str | None = Field(description="SHA-256 of the picture; null for a camera's frame")
    cached: bool = Field(description="whether the picture was known already")
    annotated: str | None = Field(
        description="path of the annotated picture, if asked for; kept for minutes, or with the "
        "history",
        examples=["/v1/pictures/" + "0" * 64 + ".jpg"],
    )
    history: int | None = Field(description="number of the result in the history")
    timings_ms: Timings


class CameraState(BaseModel):
    """One camera."""

    name: str
    source: str = Field(description="topic: over ROS; websocket: sent by a client")
    frames: int = Field(description="that have come; topics are only looked at while watched")
    age: float | None = Field(description="seconds since the last frame")
    viewers: int


class Cameras(BaseModel):
    """All cameras, the first being the default."""

    cameras: list[CameraState]


class Model(BaseModel):
    """A model that the package knows."""

    name: str
    task: str
    summary: str
    license: str
    size: int = Field(description="bytes; 0: the engine brings it")


class Models(BaseModel):
    """Models."""

    in_use: str = Field(description="what answered last; empty: nothing has yet")
    models: list[Model]


class HistoryItem(Found):
    """A kept result."""

    id: int
    created: float = Field(description="seconds since 1970")
    hash: str
    picture: str | None = Field(description="path of the picture, where it is kept")
    annotated: str | None


class HistoryPage(BaseModel):
    """Kept results, newest first."""

    results: list[HistoryItem]
    next: int | None = Field(description="value of ``before`` for the following page")


class Health(BaseModel):
    """A state."""

    status: str = Field(examples=["ok"])


class Session(BaseModel):
    """What a page needs to know first."""

    token_needed: bool = Field(description="and not shown yet")
    history: bool = Field(description="whether results are kept")


class Upload(BaseModel):
    """The reply of system C, key by key."""

    error: str = Field(description="empty, or what went wrong")
    hash: str = Field(description="MD5 of the picture")
    original: str = Field(description="URL of the picture")
    faces_source: str = Field(description="URL of the picture with its faces, or no_faces")
    yolov3: str = Field(
        description="JSON in a string: best score of each class in per cent",
        examples=['{"person": "99.80"}'],
    )
    yolov3_source: str = Field(description="URL of the picture with its objects")
    resnet: str = Field(
        description="JSON in a string: classes of the whole picture, 0 to 1",
        examples=['{"studio_couch": "0.7868"}'],
    )


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the documentation of error replies."""
    return {status: {"model": Refusal, "description": _WHY[status]} for status in statuses}


_WHY = {
    400: "the body is not what its content type says",
    401: "the token is missing or wrong",
    403: "not allowed here",
    404: "there is no such thing",
    408: "the body came too slowly",
    413: "too many bytes or pixels",
    415: "neither a picture nor one of the other bodies",
    422: "the picture or an option cannot be used",
    429: "too many requests",
    500: "the server failed",
    502: "the URL's server failed",
    503: "busy, or the detector cannot be reached: try again",
    504: "no answer in time",
}

TAG = {"type": "string", "maxLength": 64, "pattern": r"^[\w-]*$"}


def _query(name: str, text: str, schema: dict[str, Any], example: Any = None) -> dict[str, Any]:
    entry = {"name": name, "in": "query", "required": False, "description": text, "schema": schema}
    return entry if example is None else entry | {"example": example}


CAMERA = _query("camera", "empty: the first", {**TAG, "pattern": "^([A-Za-z_][A-Za-z0-9_]*)?$"})
LANGUAGE = _query("language", f"of the sentence: {', '.join(words.LANGUAGES)}", TAG, "en")
STYLE = _query("style", f"of the sentence: {', '.join(words.STYLES)}", TAG, "sentence")
OPTIONS = [
    LANGUAGE,
    STYLE,
    _query("tasks", f"some of {', '.join(TASKS)}, with commas", {"type": "string"}, "detect"),
    _query(
        "min_score",
        "leave out objects below it; 0: the model's own",
        {"type": "number", "minimum": 0, "maximum": 1},
        0.3,
    ),
    _query("annotate", "whether the picture is drawn on", {"type": "boolean"}, True),
]
ANNOTATED = _query(
    "annotated", "1: with what was found drawn on it; 0: as it came", {"type": "boolean"}, True
)
QUALITY = _query("quality", "of the JPEG", {"type": "integer", "minimum": 1, "maximum": 100})
WIDTH = _query(
    "width", "in pixels; never enlarged", {"type": "integer", "minimum": 16, "maximum": 7680}
)

_BODY_OPTIONS = {
    entry["name"]: {"description": entry["description"], **entry["schema"]} for entry in OPTIONS
}
_FORM = {
    "type": "object",
    "properties": {
        "image": {"type": "string", "format": "binary", "description": "the picture"},
        "url": {"type": "string", "description": "where it is, in place of the picture"},
        **_BODY_OPTIONS,
    },
}
_RAW = {"schema": {"type": "string", "format": "binary"}}
BODY = {
    "required": True,
    "content": {
        "multipart/form-data": {"schema": _FORM},
        "image/jpeg": _RAW,
        "image/png": _RAW,
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["url"],
                "properties": {"url": {"type": "string", "format": "uri"}, **_BODY_OPTIONS},
            },
            "example": {"url": "https://example.com/photo.jpg", "language": "es"},
        },
    },
}
UPLOAD_BODY = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "properties": {
                    "file": {"type": "string", "format": "binary"},
                    "url": {"type": "string"},
                },
            }
        }
    },
}
