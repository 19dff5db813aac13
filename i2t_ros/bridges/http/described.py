"""The shape of a description as JSON, for the OpenAPI document and for the tools of MCP."""

from typing import Any

from pydantic import BaseModel, Field, create_model

from i2t_ros.pipeline.tasks.registry import TASKS


class Problem(BaseModel):
    """Why a request was refused, or why a task failed."""

    code: str = Field(description="stable; docs/errors.md lists them", examples=["not_an_image"])
    message: str = Field(description="for people")


class _Described(BaseModel):
    sentence: str = Field(description="what the picture shows", examples=["I can see two people."])
    language: str = Field(description="of the sentence, BCP 47", examples=["en"])
    style: str = Field(description="of the sentence", examples=["sentence"])
    spoken: bool = Field(False, description="whether the sentence is for a voice")
    model: str = Field(description="the models, and the backends that ran them")
    width: int = Field(description="of the picture, in pixels")
    height: int
    tasks: list[str] = Field(description="that have a result")
    failures: dict[str, Problem] = Field(description="tasks that failed, and why")


_RESULTS: dict[str, Any] = {
    key: (shape | None, Field(description=f"of the task {task.name}; null if it has no result"))
    for task in TASKS.values()
    for key, shape in task.result_json.items()
}
Description: Any = create_model("Description", __base__=_Described, **_RESULTS)
"""A description as description_to_json() writes it."""
