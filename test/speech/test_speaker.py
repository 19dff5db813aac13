"""What is said next and what never is, with a clock and a mouth that the test moves."""

import threading

import pytest
from waiting import TIME_LIMIT, until

from i2t_ros.errors import InvalidRequestError, SpeechError
from i2t_ros.speech.speaker import Speaker, SpeakerLimits

CAT, DOG, CUP = "I can see a cat.", "I can see a dog.", "I can see a cup."


class FakeMouth:
    """Says each sentence until the test lets it end."""

    def __init__(self):
        self.begun = []
        self.most_at_once = 0
        self._at_once = 0
        self._changed = threading.Condition()
        self._ends = 0
        self._stopped = False
        self.failure = None

    def say(self, sentence):
        with self._changed:
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            self.begun.append(sentence)
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._ends or self._stopped)
            self._at_once -= 1
            if self._stopped:
                raise SpeechError("stopped")
            self._ends -= 1
            if self.failure:
                raise self.failure

    def stop(self):
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def end(self):
        """Let the sentence that is said, or the next one, come to its end."""
        with self._changed:
            self._ends += 1
            self._changed.notify_all()

    def wait_for(self, *sentences):
        """Wait until exactly these have begun."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.begun) >= len(sentences), TIME_LIMIT)
            assert self.begun == list(sentences)


class Stage:
    """A speaker, its mouth, and its clock."""

    def __init__(self, **limits):
        self.now = 100.0
        self.said, self.failures = [], []
        self.mouth = FakeMouth()
        self.speaker = Speaker(
            self.mouth,
            SpeakerLimits(**limits),
            on_said=self.said.append,
            on_failure=self.failures.append,
            clock=lambda: self.now,
        )

    @property
    def counts(self):
        found = self.speaker.counters
        return found.said, found.unchanged, found.replaced, found.stale, found.failed

    def hear(self, *sentences, camera=""):
        for sentence in sentences:
            self.speaker.hear(sentence, camera)

    def say(self, sentence):
        """Hear a sentence and let it be said to its end, with nothing else about."""
        done = self.speaker.counters.said
        begun = [*self.mouth.begun, sentence]
        self.hear(sentence)
        self.mouth.wait_for(*begun)
        self.mouth.end()
        until(lambda: self.speaker.counters.said > done, "the sentence ends")


@pytest.fixture
def stage():
    stages = []

    def make(**limits):
        stages.append(Stage(**limits))
        return stages[-1]

    yield make
    for each in stages:
        assert each.speaker.close(TIME_LIMIT)
        assert each.mouth.most_at_once <= 1


def test_the_newest_waits_and_is_said_next(stage):
    here = stage()
    here.hear(CAT)
    here.mouth.wait_for(CAT)
    here.hear(DOG, CUP, "A", "B")
    assert here.mouth.begun == [CAT]
    here.mouth.end()
    here.mouth.wait_for(CAT, "B")
    here.mouth.end()
    until(lambda: here.speaker.counters.said == 2, "both are said")
    assert here.counts == (2, 0, 3, 0, 0)


def test_it_is_busy_while_a_sentence_waits_or_is_said(stage):
    here = stage()
    assert not here.speaker.busy
    here.hear(CAT, DOG)
    assert here.speaker.busy
    until(lambda: here.mouth.begun, "one is being said")
    assert here.speaker.busy
    for _ in range(2):
        here.mouth.end()
    until(lambda: not here.speaker.busy, "all is said")
    assert DOG in here.mouth.begun
    assert here.counts[0] == len(here.said) == len(here.mouth.begun)


def test_what_waited_too_long_is_skipped(stage):
    here = stage(max_age=5.0)
    here.hear(CAT)
    here.mouth.wait_for(CAT)
    here.hear(DOG)
    here.now += 5.1
    here.mouth.end()
    until(lambda: here.speaker.counters.stale == 1, "it is skipped")
    here.hear(CUP)
    here.mouth.wait_for(CAT, CUP)


def test_what_waited_just_short_enough_is_said(stage):
    here = stage(max_age=5.0)
    here.hear(CAT)
    here.mouth.wait_for(CAT)
    here.hear(DOG)
    here.now += 5.0
    here.mouth.end()
    here.mouth.wait_for(CAT, DOG)


def test_a_sentence_that_comes_again_while_it_waits_stays_fresh(stage):
    here = stage(max_age=5.0)
    here.hear(CAT)
    here.mouth.wait_for(CAT)
    for _ in range(20):
        here.hear(DOG)
        here.now += 1.0
    here.mouth.end()
    here.mouth.wait_for(CAT, DOG)
    assert here.counts[1:] == (19, 0, 0, 0)


def test_a_camera_that_sees_the_same_for_an_hour_is_said_once(stage):
    here = stage(repeat_after=10.0)
    here.say(CAT)
    for _ in range(3600):
        here.now += 1.0
        here.hear(CAT)
    here.hear(DOG)
    here.mouth.wait_for(CAT, DOG)
    assert here.counts[1] == 3600


def test_the_same_again_after_a_pause_is_said_again(stage):
    here = stage(repeat_after=10.0)
    here.say(CAT)
    here.now += 9.9
    here.hear(CAT)
    here.now += 10.0
    here.say(CAT)
    assert here.counts == (2, 1, 0, 0, 0)


def test_the_same_after_another_is_said_again_at_once(stage):
    here = stage()
    for sentence in (CAT, DOG, CAT):
        here.say(sentence)
    assert here.counts == (3, 0, 0, 0, 0)


def test_what_waits_is_dropped_once_the_camera_shows_again_what_was_said(stage):
    here = stage()
    here.hear(CAT)
    here.mouth.wait_for(CAT)
    here.hear(DOG, CAT)
    here.mouth.end()
    until(lambda: here.speaker.counters.said == 1, "the first is said")
    assert here.counts == (1, 1, 1, 0, 0)
    here.say(CUP)


def test_with_0_every_sentence_is_said_whenever_it_comes(stage):
    here = stage(repeat_after=0.0)
    for _ in range(3):
        here.say(CAT)


def test_what_two_cameras_see_is_said_once_each(stage):
    here = stage()
    here.hear(CAT, camera="front")
    here.mouth.wait_for(CAT)
    for _ in range(30):
        here.hear(CAT, camera="front")
        here.hear(DOG, camera="rear")
    here.mouth.end()
    here.mouth.wait_for(CAT, DOG)
    for _ in range(30):
        here.hear(CAT, camera="front")
        here.hear(DOG, camera="rear")
    here.mouth.end()
    until(lambda: here.speaker.counters.said == 2, "both are said")
    assert here.counts[2:] == (0, 0, 0)


@pytest.mark.parametrize("failure", [SpeechError("no card"), OSError("no memory")])
def test_a_failure_is_told_and_the_next_sentence_is_said(stage, failure):
    here = stage()
    here.mouth.failure = failure
    here.hear(CAT)
    here.mouth.end()
    until(lambda: here.failures, "it fails")
    assert here.failures == [failure]
    assert here.speaker.counters.cause == str(failure)
    here.mouth.failure = None
    here.hear(DOG)
    here.mouth.wait_for(CAT, DOG)
    here.mouth.end()
    until(lambda: here.speaker.counters.said, "the next one is said")
    assert here.counts == (1, 0, 0, 0, 1)
    assert here.speaker.counters.cause == ""


def test_a_sentence_that_fails_is_not_tried_with_every_image(stage):
    here = stage()
    here.mouth.failure = SpeechError("no card")
    here.hear(CAT)
    here.mouth.end()
    until(lambda: here.failures, "it fails")
    here.hear(*[CAT] * 100)
    here.hear(DOG)
    here.mouth.wait_for(CAT, DOG)


def test_a_sentence_that_failed_is_tried_again_though_it_never_changes(stage):
    here = stage(repeat_after=10.0)
    here.mouth.failure = SpeechError("no card yet")
    here.hear(CAT)
    here.mouth.end()
    until(lambda: here.failures, "it fails")
    here.mouth.failure = None
    for _ in range(9):
        here.now += 1.0
        here.hear(CAT)
    assert here.mouth.begun == [CAT]
    here.now += 1.0
    here.say(CAT)
    for _ in range(100):
        here.now += 1.0
        here.hear(CAT)
    here.say(DOG)
    assert here.mouth.begun == [CAT, CAT, DOG]


def test_it_falls_silent_in_the_midst_of_a_sentence_and_says_no_other(stage):
    here = stage()
    here.hear(CAT)
    here.mouth.wait_for(CAT)
    here.hear(DOG)
    assert here.speaker.close(TIME_LIMIT)
    here.hear(CUP)
    assert here.mouth.begun == [CAT]
    assert (here.said, here.failures) == ([], [])


def test_what_is_said_is_told_with_its_times(stage):
    here = stage()
    here.hear(CAT)
    here.mouth.wait_for(CAT)
    here.now += 1.0
    here.hear(DOG)
    here.now += 2.0
    here.mouth.end()
    here.mouth.wait_for(CAT, DOG)
    here.now += 1.0
    here.hear(DOG)  # again, while it is said
    here.now += 0.5
    here.mouth.end()
    until(lambda: len(here.said) == 2, "both are told")
    assert [(each.sentence, each.waited, each.took) for each in here.said] == [
        (CAT, 0.0, 3.0), (DOG, 2.0, 1.5),
    ]  # fmt: skip


def test_new_limits_hold_at_once(stage):
    here = stage(max_age=5.0)
    here.hear(CAT)
    here.mouth.wait_for(CAT)
    here.hear(DOG)
    here.now += 20.0
    here.speaker.limits = SpeakerLimits(max_age=60.0)
    here.mouth.end()
    here.mouth.wait_for(CAT, DOG)


@pytest.mark.parametrize(
    "limits", [{"max_age": 0.0}, {"repeat_after": -1.0}, {"max_age": float("nan")}]
)
def test_limits_that_make_no_sense_are_refused(limits):
    with pytest.raises(InvalidRequestError, match=next(iter(limits))):
        SpeakerLimits(**limits)
