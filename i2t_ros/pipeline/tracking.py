"""Gives an object the same number in every frame.

This uses ByteTrack (Zhang et al., ECCV 2022) from the package `trackers`, an optional dependency.
"""

import importlib
import sys
from collections import deque
from dataclasses import replace
from typing import Any

import numpy as np

from i2t_ros.installation import how_to_install
from i2t_ros.optional import needed_for
from i2t_ros.types import Detections

MEMORY = 1.0
"""Seconds; ByteTrack's default is 30 frames at 30 Hz."""
ROUNDING = 1e-6
"""Seconds by which the difference of two times may be off."""


class ObjectTracker:
    """Tracks the objects of one camera. Use it from one thread at a time.

    An object gets a number in the second frame that shows it, and keeps it through gaps of up to
    ``memory`` seconds, whatever the rate of the frames, and at least until the next frame. Numbers
    are not reused before reset().
    """

    def __init__(self, memory: float = MEMORY) -> None:
        """Load the tracker; raises BackendMissingError if it is not installed."""
        with needed_for("tracking", how_to_install("tracking")):
            self._supervision: Any = importlib.import_module("supervision")
            self._trackers: Any = importlib.import_module("trackers")
        self._memory = memory
        self.reset()

    def reset(self) -> None:
        """Forget every object."""
        # It counts frames, so it is told never to forget, and _forget() does that by the time.
        self._tracker: Any = self._trackers.ByteTrackTracker(lost_track_buffer=sys.maxsize)
        self._times: deque[float] = deque()

    def _forget(self, time: float) -> None:
        """Forget the objects that were seen too long before ``time``, that of the next frame."""
        self._times.append(time)
        while self._times[0] < time - self._memory - ROUNDING:
            self._times.popleft()
        frames = max(1, len(self._times) - 1)
        tracks = self._tracker.tracks
        self._tracker.tracks = [track for track in tracks if track.time_since_update < frames]

    def update(self, found: Detections, time: float) -> Detections:
        """Return the detections with their track ids, -1 for an object that has no track yet.

        ``time`` is the frame's, in seconds; it must not go back.
        """
        self._forget(time)
        given = self._supervision.Detections(
            xyxy=found.boxes.astype(np.float64),
            confidence=found.scores.astype(np.float64),
            class_id=found.class_ids.astype(int),
            # The tracker changes the order; this restores it.
            data={"index": np.arange(len(found))},
        )
        tracked = self._tracker.update(given)
        ids = np.full(len(found), -1, np.int64)
        if len(tracked):
            ids[tracked.data["index"]] = tracked.tracker_id
        return replace(found, track_ids=ids)
