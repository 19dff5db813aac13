"""What one camera has shown so far, and what to say about it now."""

import math
from dataclasses import dataclass, replace

from i2t_ros import language as words
from i2t_ros.language.changes import ChangeTracker
from i2t_ros.options import option
from i2t_ros.pipeline.describer import DescribeOptions, scene_facts, tell
from i2t_ros.pipeline.tracking import ObjectTracker
from i2t_ros.types import Scene


@dataclass(frozen=True, slots=True)
class SpeechOptions:
    """When sentences are published."""

    rate: float = option(
        0.0,
        "at most this many sentences a second on ~/sentence; 0: one for each image",
        name="sentence_rate",
        bounds=(0.0, 1000.0),
        changes="live",
    )
    on_change: bool = option(
        False,
        "publish a sentence on ~/sentence only if it differs from the last one",
        name="sentence_on_change",
        changes="live",
    )
    change_hold: float = option(
        1.0,
        "seconds that a change must last before the style changes reports it",
        bounds=(0.0, 3600.0),
        changes="live",
    )


class Narrator:
    """Follows one camera. Times are those of the frames, in seconds; it has no clock.

    If the time jumps back, as when a recording starts over or a clock is set, it forgets
    everything. Use it from one thread at a time.
    """

    def __init__(self, tracker: ObjectTracker | None = None) -> None:
        self._tracker = tracker
        self._changes = ChangeTracker()
        self._time = -math.inf
        self._said = ""
        self._said_at = -math.inf

    def follow(self, scene: Scene, time: float) -> Scene:
        """Return the next scene of the camera with track ids, if objects are tracked."""
        if time < self._time:
            if self._tracker is not None:
                self._tracker.reset()
            self._changes = ChangeTracker(self._changes.hold)
            self._said, self._said_at = "", -math.inf
        self._time = time
        if self._tracker is None or scene.detections is None:
            return scene
        tracked = self._tracker.update(scene.detections)
        return replace(scene, results={**scene.results, "detect": tracked})

    def tell(self, scene: Scene, options: DescribeOptions, speech: SpeechOptions) -> str:
        """Return the sentence of the scene that follow() returned last.

        It is empty in the style ``changes`` if nothing changed.
        """
        if options.style != "changes":
            return tell(scene, options)
        self._changes.hold = speech.change_hold
        changes = self._changes.update(scene_facts(scene, "changes"), self._time)
        return words.compose_changes(
            changes, options.language, hedge=options.hedge, languages=options.languages
        )

    def is_due(self, sentence: str, time: float, speech: SpeechOptions) -> bool:
        """Return whether to publish a sentence now; if True, it counts as published."""
        if not sentence or (speech.on_change and sentence == self._said):
            return False
        if speech.rate and time - self._said_at < 1 / speech.rate:
            return False
        self._said, self._said_at = sentence, time
        return True
