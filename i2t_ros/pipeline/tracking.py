"""Gives an object the same number in every frame.

This uses ByteTrack (Zhang et al., ECCV 2022) from the package `trackers`, an optional dependency.
"""

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


class ObjectTracker:
    """Tracks the objects of one camera. Use it from one thread at a time.

    An object gets a number in the second frame that shows it, and keeps it through gaps of up to
    30 frames, which are ByteTrack's defaults. Numbers are not reused before reset().
    """

    def __init__(self) -> None:
        """Load the tracker; raises BackendMissingError if it is not installed."""
        with needed_for("tracking", INSTALL):
            self._supervision: Any = importlib.import_module("supervision")
            self._trackers: Any = importlib.import_module("trackers")
        self.reset()

    def reset(self) -> None:
        """Forget every object."""
        self._tracker: Any = self._trackers.ByteTrackTracker()

    def update(self, found: Detections) -> Detections:
        """Return the detections with their track ids, -1 for an object that has no track yet."""
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
