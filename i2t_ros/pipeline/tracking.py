"""The same object under the same number from frame to frame.

The work is done by ByteTrack (Zhang et al., ECCV 2022) as the package `trackers` has it, an
optional dependency.
"""

from __future__ import annotations

import importlib
from dataclasses import replace
from typing import Any

import numpy as np

from i2t_ros.optional import needed_for
from i2t_ros.types import Detections

INSTALL = (
    'pip install "i2t_ros[tracking]" '
    "(on a robot: pip install --no-deps trackers==2.1.0 supervision)"
)
FRAME_RATE = 30.0
"""Frames a second for which ``lost_frames`` are counted, as ByteTrack's own default has it."""


class ObjectTracker:
    """Tracks the objects of one camera. Not for several threads at once.

    An object has a number from the second frame on in which it is seen; it keeps the number through
    gaps of up to ``lost_frames`` frames. Numbers are not used again before reset().
    """

    def __init__(self, lost_frames: int = 30) -> None:
        """Load the tracker; raises BackendMissingError where it is not installed."""
        with needed_for("tracking", INSTALL):
            self._supervision: Any = importlib.import_module("supervision")
            self._trackers: Any = importlib.import_module("trackers")
        self._lost_frames = lost_frames
        self.reset()

    def reset(self) -> None:
        """Forget every object: what comes next has nothing to do with what was."""
        self._tracker: Any = self._trackers.ByteTrackTracker(
            lost_track_buffer=self._lost_frames, frame_rate=FRAME_RATE
        )

    def update(self, found: Detections) -> Detections:
        """Return the same detections with their track ids; -1 for what has no track yet."""
        given = self._supervision.Detections(
            xyxy=found.boxes.astype(np.float64),
            confidence=found.scores.astype(np.float64),
            class_id=found.class_ids.astype(int),
            # The tracker changes the order; this tells it back.
            data={"index": np.arange(len(found))},
        )
        tracked = self._tracker.update(given)
        ids = np.full(len(found), -1, np.int64)
        if len(tracked):
            ids[tracked.data["index"]] = tracked.tracker_id
        return replace(found, track_ids=ids)
