"""What one camera has shown so far, and what to say about it now."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from i2t_ros import language as words
from i2t_ros.language.changes import ChangeTracker
from i2t_ros.options import option
from i2t_ros.pipeline.describe_options import DescribeOptions
from i2t_ros.pipeline.frame_clock import FrameClock
from i2t_ros.pipeline.rate_limit import RateLimit
from i2t_ros.pipeline.telling import scene_facts, tell
from i2t_ros.pipeline.tracking import ObjectTracker
from i2t_ros.types import Scene

BURST = 1.5
"""Sentences: after a silence the second one waits for at least half of its time, so that two are
not spoken at once."""


@dataclass(frozen=True, slots=True)
class SpeechOptions:
    """When sentences are published."""

    rate: float = option(
        0.0,
        "at most this many sentences a second on ~/sentence, on average; 0: one for each image",
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
    """Follows one camera. Use it from one thread at a time.

    Times are the stamps of its frames, in seconds; FrameClock says what time passes. If the stamps
    jump back, as when a recording starts over or a clock is set, it forgets everything.
    """

    def __init__(
        self, tracker: ObjectTracker | None = None, *, arrival: Callable[[], float] = time.monotonic
    ) -> None:
        """Know nothing yet; ``arrival`` returns the time of now, for stamps that do not advance."""
        self._tracker = tracker
        self._clock = FrameClock(arrival)
        self._changes = ChangeTracker()
        self._said = ""
        self._rate = RateLimit(BURST)

    def _take(self, stamp: float) -> None:
        if self._clock.take(stamp):
            if self._tracker is not None:
                self._tracker.reset()
            self._changes = ChangeTracker(self._changes.hold)
            self._said, self._rate = "", RateLimit(BURST)

    def follow(self, scene: Scene, stamp: float) -> Scene:
        """Return the next scene of the camera with track ids, if objects are tracked."""
        self._take(stamp)
        if self._tracker is None or scene.detections is None:
            return scene
        tracked = self._tracker.update(scene.detections, self._clock.now)
        return scene.with_detections(tracked)

    def tell(self, scene: Scene, options: DescribeOptions, speech: SpeechOptions) -> str:
        """Return the sentence of the scene that follow() returned last.

        It is empty in the style ``changes`` if nothing changed.
        """
        if options.style != "changes":
            return tell(scene, options)
        self._changes.hold = speech.change_hold
        counted = [facts for facts in scene_facts(scene, "changes") if not facts.whole]
        changes = self._changes.update(counted, self._clock.now)
        return words.compose_changes(
            changes,
            options.language,
            hedge=options.hedge,
            spoken=options.spoken,
            languages=options.languages,
        )

    def is_due(self, sentence: str, stamp: float, speech: SpeechOptions) -> bool:
        """Return whether to publish a sentence now; if True, it counts as published."""
        if not sentence or (speech.on_change and sentence == self._said):
            return False
        self._take(stamp)
        if not self._rate.allows(self._clock.now, speech.rate):
            return False
        self._said = sentence
        return True
