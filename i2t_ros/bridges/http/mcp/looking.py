"""What the tools do that look at one picture: plain functions over what the listener has.

Each takes what the model has given and returns an Outcome. All raise I2tError, whose code and
message reach the model.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from i2t_ros.bridges.http.mcp.definitions import (
    MOST_ITEMS,
    Answered,
    AskArguments,
    CameraItem,
    Cameras,
    CheckedCount,
    ClassArguments,
    Counted,
    DescribeArguments,
    Found,
    FoundObject,
    ListCamerasArguments,
    Percent,
    Result,
    Snapshot,
    SnapshotArguments,
)
from i2t_ros.bridges.http.routes.pictures import Look, newest_picture
from i2t_ros.bridges.http.services import Services
from i2t_ros.errors import I2tError, ImageTooLargeError, NoFrameError, UnknownTaskError
from i2t_ros.language.english import plural, spelled_plural
from i2t_ros.language.facts import count_objects
from i2t_ros.pipeline.description_json import description_to_json, label_of
from i2t_ros.pipeline.tasks.registry import TASKS
from i2t_ros.types import (
    OBJECT_TASKS,
    DescribeReply,
    DescribeRequest,
    Description,
    Detections,
    Picture,
)
from i2t_ros.vision.codecs import read_header

WIDTHS = (1024, 640, 320)
"""Pixels of a snapshot's width: the first that makes it small enough is taken."""
MOST_BYTES = 512 << 10
"""Of a snapshot. As base64 that is 0.7 MB; clients refuse results of more than about 1 MB."""
QUALITY = 80  # of a snapshot

Tell = Callable[[float, float | None, str], Awaitable[None]]
"""Tells a client that waits how far a tool is: progress, of how much, and words."""


class Outcome(NamedTuple):
    """What a tool returns: data, and a picture (JPEG) if there is one."""

    data: dict[str, Any]
    jpeg: bytes = b""


async def list_cameras(services: Services, given: ListCamerasArguments, tell: Tell) -> Outcome:
    """List the cameras that are there."""
    items = [
        CameraItem(
            name=camera.name,
            transport=camera.transport,
            age=round(newest.age, 3) if (newest := camera.raw.newest) else None,
        )
        for camera in services.hub.online
    ]
    return outcome(Cameras(cameras=items))


async def describe(services: Services, given: DescribeArguments, tell: Tell) -> Outcome:
    """Describe a camera's newest picture; of long lists the first items are returned."""
    request = DescribeRequest(
        camera=given.camera, tasks=tuple(given.tasks), language=given.language, style=given.style
    )
    camera, reply = await _look(services, request, services.describe)
    described = reply.description
    data = await services.told(described, description_to_json, described)
    lists = {key: value for key, value in data.items() if isinstance(value, list)}
    left_out = {key: len(items) - MOST_ITEMS for key, items in lists.items()}
    left_out = {key: number for key, number in left_out.items() if number > 0}
    data |= {key: lists[key][:MOST_ITEMS] for key in left_out}
    return Outcome({"camera": camera, **data, "left_out": left_out})


async def count(services: Services, given: ClassArguments, tell: Tell) -> Outcome:
    """Count the objects of a class."""
    camera, reply = await _look(services, _detect(given), services.describe)
    described = reply.description
    counted = await services.told(described, _counted, camera, given.class_name, described)
    return outcome(Counted(**counted))


async def find(services: Services, given: ClassArguments, tell: Tell) -> Outcome:
    """Return where the objects of a class are."""
    camera, reply = await _look(services, _detect(given), services.describe)
    described = reply.description
    return await services.told(described, _found, camera, given.class_name, described)


async def snapshot(services: Services, given: SnapshotArguments, tell: Tell) -> Outcome:
    """Return a camera's newest picture, small enough for any client."""
    for width in WIDTHS:
        look = Look(given.camera, given.annotated, QUALITY, width)
        camera, latest, jpeg = await newest_picture(services, look)
        if len(jpeg) <= MOST_BYTES:
            _, shown_width, shown_height = await services.look_at(Picture(jpeg), read_header)
            return outcome(
                Snapshot(
                    camera=camera,
                    width=shown_width,
                    height=shown_height,
                    annotated=given.annotated,
                    age=round(latest.age, 3),
                ),
                jpeg,
            )
    raise ImageTooLargeError(
        f"camera {camera}: its picture has {len(jpeg)} bytes even with a width of {width} pixels, "
        f"expected at most {MOST_BYTES}: use describe"
    )


async def ask(services: Services, given: AskArguments, tell: Tell) -> Outcome:
    """Have a language model answer a question; the client is told what it has written so far."""
    written, changed = "", asyncio.Event()

    def told(text: str) -> None:
        nonlocal written
        written = text
        changed.set()

    async def pass_on() -> None:
        parts = 0
        while True:
            await changed.wait()
            changed.clear()
            parts += 1
            await tell(parts, None, written)

    request = DescribeRequest(camera=given.camera, language=given.language, question=given.question)
    passing = asyncio.create_task(pass_on())
    try:
        camera, reply = await _look(services, request, lambda it: services.ask(it, told))
    finally:
        passing.cancel()
        await asyncio.gather(passing, return_exceptions=True)
    if (answer := reply.answer) is None:
        raise I2tError("the detector returned no answer")
    counts = [
        CheckedCount(class_name=each.class_id, answered=each.answered, detected=each.detected)
        for each in answer.counts
    ]
    return outcome(
        Answered(
            camera=camera,
            answer=answer.text,
            model=answer.model,
            seconds=round(answer.elapsed, 2),
            agreement=answer.agreement,
            counts=counts,
            sentence=reply.description.sentence,
        )
    )


def outcome(result: Result, jpeg: bytes = b"") -> Outcome:
    """Return a result as data, with the names that its schema has."""
    return Outcome(result.model_dump(by_alias=True, mode="json"), jpeg)


def counts_of(description: Description) -> tuple[dict[str, int], dict[str, str]]:
    """Return how many objects of each class there are, and the label of each class.

    Raises what detection has failed with, or UnknownTaskError if nobody has looked for objects.
    """
    counts, label = count_objects(_objects(description)), label_of(description)
    return {of.key: of.count for of in counts}, {of.key: label(of.key) for of in counts}


def count_of(name: str, counts: dict[str, int], labels: dict[str, str]) -> int:
    """Return how many objects there are of the class that a name means."""
    return sum(number for key, number in counts.items() if is_meant(name, key, labels[key]))


def is_meant(name: str, class_id: str, label: str) -> bool:
    """Return whether a name means a class: its own, its English plural, or its label.

    Both plurals of person are taken, people and persons. A label is the class in the language of
    the sentence.
    """
    own = class_id.casefold()
    return name.casefold() in {own, plural(own), spelled_plural(own), label.casefold()}


def _objects(description: Description) -> Detections:
    scene = description.scene
    if (found := scene.detections) is not None:
        return found
    for task in OBJECT_TASKS:
        if task in scene.failures:
            raise scene.failures[task]
    raise UnknownTaskError(
        f"nothing has looked for objects, only for {', '.join(scene.results) or 'nothing'}: the "
        "detector's parameter tasks lacks detect"
    )


def _counted(camera: str, name: str, description: Description) -> dict[str, Any]:
    counts, labels = counts_of(description)
    number = count_of(name, counts, labels)
    return {"camera": camera, "class_name": name, "count": number, "in_view": counts}


def _found(camera: str, name: str, description: Description) -> Outcome:
    objects, label, scene = _objects(description), label_of(description), description.scene
    names = objects.class_names()
    meant = {each for each in set(names) if is_meant(name, each, label(each))}
    best = [at for at, each in enumerate(names) if each in meant][:MOST_ITEMS]
    chosen = TASKS["detect"].to_json(objects[np.array(best, np.intp)], label)
    items = [
        FoundObject(
            class_name=item["class_id"],
            score=item["score"],
            box=item["box"],
            percent=_percent(item["box"], scene.width, scene.height),
            track_id=item.get("track_id"),
        )
        for item in chosen["detections"]
    ]
    counted = _counted(camera, name, description)
    return outcome(Found(**counted, width=scene.width, height=scene.height, objects=items))


def _detect(given: ClassArguments) -> DescribeRequest:
    return DescribeRequest(camera=given.camera, tasks=("detect",))


def _percent(box: list[float], width: int, height: int) -> Percent:
    left, top, right, bottom = box
    across, down = 100 / max(1, width), 100 / max(1, height)
    return Percent(
        left=round(left * across, 1),
        top=round(top * down, 1),
        right=round(right * across, 1),
        bottom=round(bottom * down, 1),
    )


async def _look(
    services: Services,
    request: DescribeRequest,
    answer: Callable[[DescribeRequest], Awaitable[DescribeReply]],
) -> tuple[str, DescribeReply]:
    """Have a request answered about its camera, or about the first that has frames; return which.

    Raises UnknownCameraError, which names the cameras that there are.
    """
    cameras = [services.hub.find(request.camera)]
    if not request.camera:
        cameras = services.hub.online
    for place, camera in enumerate(cameras, start=1):
        try:
            return camera.name, await answer(replace(request, camera=camera.name))
        except NoFrameError:
            if place == len(cameras):
                raise
    raise AssertionError("find() has raised UnknownCameraError")
