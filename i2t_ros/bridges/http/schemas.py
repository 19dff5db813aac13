"""The shapes of replies, for the OpenAPI document."""

from typing import Any

from pydantic import BaseModel, Field

from i2t_ros.bridges.http.described import Description, Problem
from i2t_ros.bridges.http.problems import REFUSALS


def content(media_type: str) -> dict[int | str, dict[str, Any]]:
    """Return the documentation of a reply that is not JSON; its refusals are JSON nevertheless."""
    return {200: {"content": {media_type: {"schema": {"type": "string", "format": "binary"}}}}}


class Refusal(BaseModel):
    """Every error's body."""

    error: Problem


class Timings(BaseModel):
    """Milliseconds."""

    receive: float = Field(description="reading the request, or fetching its URL")
    total: float = Field(description="until the reply was ready")


class CountCheck(BaseModel):
    """How many of a class an answer speaks of, beside how many were detected."""

    class_id: str = Field(examples=["person"])
    label: str = Field(description="in the language of the answer", examples=["person"])
    answered: int
    detected: int


class Answer(BaseModel):
    """A language model's answer to a question."""

    text: str = Field(examples=["Yes, the door is open."])
    model: str = Field(description="the model, and the server that runs it")
    elapsed_ms: float = Field(description="from the question to the end of the answer")
    agreement: str = Field(
        description="agrees, or disagrees: whether the counts in the answer are those of the "
        "detections; unchecked: it has none",
        examples=["agrees"],
    )
    counts: list[CountCheck] = Field(description="what was compared")


class Reply(Description):  # type: ignore[misc, valid-type, unused-ignore]
    """The answer to a request."""

    hash: str | None = Field(description="SHA-256 of the picture; null for a camera's frame")
    cached: bool = Field(description="whether this is the answer to an earlier, identical request")
    elapsed_ms: float = Field(
        description="from the decoded picture to the sentence; 0 from the history"
    )
    answer: Answer | None = Field(description="to the question; null if none was asked")
    annotated: str | None = Field(
        description="path of the annotated picture, if it was asked for; kept as long as the "
        "result in the history, or else for some minutes"
    )
    history: int | None = Field(description="number of the result in the history")
    timings_ms: Timings


class HistoryItem(Description):  # type: ignore[misc, valid-type, unused-ignore]
    """A result that is kept."""

    id: int
    created: float = Field(description="seconds since 1970")
    hash: str = Field(description="SHA-256 of the picture")
    picture: str | None = Field(description="path of the picture, if it is kept")
    annotated: str | None = Field(description="path of the annotated picture")


class HistoryPage(BaseModel):
    """Some of the results, newest first."""

    results: list[HistoryItem]
    next: int | None = Field(description="the `before` of the following page")


class CameraState(BaseModel):
    """One camera."""

    name: str
    transport: str = Field(description="topic: over ROS; websocket: sent by a client")
    frames: int = Field(description="that have come; topics are only looked at while watched")
    age: float | None = Field(description="seconds since the last frame")
    viewers: int


class Cameras(BaseModel):
    """The cameras that are there."""

    cameras: list[CameraState]


class Model(BaseModel):
    """A model that is known by name."""

    name: str
    task: str
    summary: str
    license: str
    size: int = Field(description="bytes to download")


class Models(BaseModel):
    """Models."""

    in_use: str = Field(description="what answered last; empty before that")
    models: list[Model]


class Health(BaseModel):
    """Whether the server is well."""

    status: str = Field(description="ok", examples=["ok"])
    history: str | None = Field(default=None, description="why results are not kept at present")


class Session(BaseModel):
    """What a page needs to know first."""

    token_needed: bool = Field(description="a token is needed and has not been shown yet")
    history: bool = Field(description="whether results are kept")
    urls: bool = Field(description="whether pictures are fetched from URLs")
    tasks: list[str] = Field(description="that a picture can be asked about")
    max_bytes: int = Field(description="of a picture; larger ones are refused")
    max_side: int = Field(
        description="pixels of a picture's longer side from which a page makes it smaller first"
    )


class Place(BaseModel):
    """Where a request is in the queue."""

    ahead: int | None = Field(description="requests before it; null: it is not there (any more)")


class Upload(BaseModel):
    """The reply of the picture metrics API, key by key."""

    error: str = Field(description="empty, or what went wrong")
    hash: str = Field(description="MD5 of the picture")
    original: str = Field(description="URL of the picture")
    faces_source: str = Field(description="URL of the picture with its faces, or no_faces")
    yolov3: str = Field(
        description="JSON in a string: best score of each class in percent",
        examples=['{"person": "99.80"}'],
    )
    yolov3_source: str = Field(description="URL of the picture with its objects")
    resnet: str = Field(
        description="JSON in a string: classes of the whole picture, 0 to 1",
        examples=['{"studio_couch": "0.7868"}'],
    )


def refusals(*statuses: int, model: type[Any] = Refusal) -> dict[int | str, dict[str, Any]]:
    """Return the documentation of error replies."""
    return {status: {"model": model, "description": REFUSALS[status][1]} for status in statuses}
