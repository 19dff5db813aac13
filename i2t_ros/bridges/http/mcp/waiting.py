"""wait_for: follows what a camera is described as until something is in view."""

import asyncio
import contextlib
import time
from dataclasses import dataclass, field
from datetime import datetime, timezone

from i2t_ros.bridges.http.mcp.definitions import Waited, WaitForArguments
from i2t_ros.bridges.http.mcp.looking import Outcome, Tell, count_of, counts_of, outcome
from i2t_ros.bridges.http.routes.streaming import follow
from i2t_ros.bridges.http.services import Services
from i2t_ros.errors import NotActiveError

TELL_INTERVAL = 1.0  # seconds between two words about the progress


@dataclass
class _Wait:
    """How far one wait is.

    camera  that was looked at last
    looked  how many descriptions came
    """

    camera: str
    began: float = field(default_factory=time.monotonic)
    looked: int = 0
    count: int = 0
    in_view: dict[str, int] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began


async def wait_for(services: Services, given: WaitForArguments, tell: Tell) -> Outcome:
    """Return once a camera shows what is waited for, or when the time is over.

    The detector describes the camera's pictures anyway; nothing more is asked of it. Raises
    UnknownCameraError, UnknownTaskError if nobody looks for objects, BusyError if too many look at
    cameras, and NotActiveError if the listener closes.
    """
    wait = _Wait(services.hub.find(given.camera).name)
    seen = True
    with services.watching():
        try:
            await asyncio.wait_for(_until_seen(services, given, tell, wait), given.seconds)
        except asyncio.TimeoutError:
            seen = False
    return outcome(
        Waited(
            camera=wait.camera,
            class_name=given.class_name,
            seen=seen,
            count=wait.count,
            after=round(wait.seconds, 2),
            at=datetime.now(timezone.utc).isoformat(timespec="seconds"),
            looked=wait.looked,
            in_view=wait.in_view,
        )
    )


async def _until_seen(services: Services, given: WaitForArguments, tell: Tell, wait: _Wait) -> None:
    told = -TELL_INTERVAL
    sights = follow(services, given.camera, lambda camera: camera.words)
    async with contextlib.aclosing(sights):
        async for camera, latest in sights:
            wait.camera = camera or wait.camera
            if latest is not None:
                wait.looked += 1
                item = latest.item
                wait.in_view, labels = await services.told(item, counts_of, item)
                wait.count = count_of(given.class_name, wait.in_view, labels)
                if wait.count >= given.count if given.count else not wait.count:
                    return
            if wait.seconds - told >= TELL_INTERVAL:
                told = wait.seconds
                words = f"{given.class_name}: {wait.count} in view"
                if latest is None:
                    words = f"waiting for a picture of camera {wait.camera}"
                await tell(round(told, 3), given.seconds, words)
    raise NotActiveError("the bridge is closing: call again when it is back")
