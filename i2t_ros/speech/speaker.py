"""Which sentence is said next, and which are not said at all."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from i2t_ros.options import Checked, option


@dataclass(frozen=True, slots=True)
class SpeakerLimits(Checked):
    """What is too old to be said, or said already."""

    max_age: float = option(
        5.0,
        "seconds after which a sentence that still waits for its turn is no longer said",
        bounds=(0.1, 3600),
        changes="live",
    )
    repeat_after: float = option(
        10.0,
        "the sentence that was said last is said again only after it has not come for this many "
        "seconds, or after another one; 0: whenever it comes",
        bounds=(0, 86_400),
        changes="live",
    )


class Mouth(Protocol):
    """What the speaker needs of a Voice."""

    def say(self, sentence: str) -> None:
        """Say a sentence to its end; raises SpeechError."""

    def stop(self) -> None:
        """Make say() return, or fail, at once; called from another thread."""


@dataclass(slots=True)
class SpeakerCounters:
    """What has become of the sentences that came.

    said       to their end
    unchanged  not said, as they were said or waited already
    replaced   not said, as a newer one came before their turn
    stale      not said, as they were too old at their turn
    failed     begun, without success
    cause      why the last one failed; "" once one has been said again
    """

    said: int = 0
    unchanged: int = 0
    replaced: int = 0
    stale: int = 0
    failed: int = 0
    cause: str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence that has been said: after how many seconds of waiting, and how long it took."""

    sentence: str
    waited: float
    took: float


@dataclass(slots=True)
class _Sentence:
    text: str
    camera: str
    came: float
    failed: bool = False


class Speaker:
    """Says one sentence at a time, in a thread of its own, the newest first.

    While one is said, one waits at most. A camera that shows the same all the time sends the same
    sentence many times a second: it is said once. If that fails, it is tried again later, as what
    failed may be there by then: a robot starts before its sound server does.

    limits    may be replaced at any time
    counters  read them without a lock; each is a number
    """

    def __init__(
        self,
        mouth: Mouth,
        limits: SpeakerLimits,
        *,
        on_said: Callable[[Said], object],
        on_failure: Callable[[Exception], object],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin to wait for sentences; the callbacks are called in the speaker's thread."""
        self.limits = limits
        self.counters = SpeakerCounters()
        self._mouth = mouth
        self._on_said = on_said
        self._on_failure = on_failure
        self._clock = clock
        self._changed = threading.Condition()  # on the next four
        self._waiting: _Sentence | None = None
        self._last: dict[str, _Sentence] = {}  # what was begun last, by camera
        self._saying = False
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="i2t-speaker", daemon=True)
        self._thread.start()

    def hear(self, sentence: str, camera: str = "") -> None:
        """Take a sentence of a camera; returns at once."""
        with self._changed:
            now = self._clock()
            before, counters = self._waiting, self.counters
            own = before is not None and before.camera == camera
            last = self._last.get(camera)
            if last and last.text == sentence and now - last.came < self.limits.repeat_after:
                if not last.failed:
                    last.came = now
                counters.unchanged += 1
                if own:  # the camera shows again what was said: what waits is over
                    self._waiting = None
                    counters.replaced += 1
                return
            if before and own and before.text == sentence:
                before.came = now
                counters.unchanged += 1
                return
            counters.replaced += before is not None
            self._waiting = _Sentence(sentence, camera, now)
            self._changed.notify()

    @property
    def busy(self) -> bool:
        """Whether a sentence waits or is being said."""
        with self._changed:
            return self._waiting is not None or self._saying

    def close(self, limit: float) -> bool:
        """Fall silent; return whether the thread has ended within ``limit`` seconds."""
        with self._changed:
            self._closed = True
            self._waiting = None
            self._changed.notify()
        self._mouth.stop()
        self._thread.join(limit)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while (sentence := self._next()) is not None:
            begun = self._clock()
            waited = begun - sentence.came  # before it comes again
            try:
                self._mouth.say(sentence.text)
            except Exception as error:  # the next sentence may be said all the same
                with self._changed:
                    sentence.failed, sentence.came = True, self._clock()
                if not self._closed:
                    self.counters.failed += 1
                    self.counters.cause = str(error)
                    self._on_failure(error)
            else:
                if not self._closed:
                    self.counters.said += 1
                    self.counters.cause = ""
                    self._on_said(Said(sentence.text, waited, self._clock() - begun))

    def _next(self) -> _Sentence | None:
        """Wait for a sentence that is worth saying; None once the speaker is closed."""
        with self._changed:
            while True:
                self._saying = False
                self._changed.wait_for(lambda: self._closed or self._waiting)
                if self._closed:
                    return None
                sentence, self._waiting = self._waiting, None
                assert sentence is not None  # noqa: S101 (it was waited for)
                if self._clock() - sentence.came <= self.limits.max_age:
                    self._last[sentence.camera] = sentence
                    self._saying = True
                    return sentence
                self.counters.stale += 1
