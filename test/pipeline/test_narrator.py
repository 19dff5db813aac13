import itertools
import re

import numpy as np
import pytest
from making import scene_of

from i2t_ros.errors import BackendMissingError
from i2t_ros.installation import how_to_install
from i2t_ros.language.facts import count_objects
from i2t_ros.pipeline.describe_options import DescribeOptions
from i2t_ros.pipeline.narrator import Narrator, SpeechOptions
from i2t_ros.pipeline.tracking import ObjectTracker
from i2t_ros.types import Detections

LABELS = ("person", "dog")
CHANGES = DescribeOptions(style="changes")
SPEECH = SpeechOptions(change_hold=0.5)


def scene(*people, score=0.9):
    """Return a scene with a person at each of these left edges."""
    boxes = [(left, 100, left + 60, 250) for left in people]
    n = len(boxes)
    return scene_of(640, 480, Detections(boxes, np.full(n, score), np.zeros(n), LABELS))


def tell(narrator, scene, time, options=CHANGES):
    """Return what a camera's next scene becomes, and its sentence."""
    seen = narrator.follow(scene, time)
    return seen, narrator.tell(seen, options, SPEECH)


def tracked(narrator, *scenes, options=None):
    options = options or DescribeOptions()
    return [tell(narrator, scene, i / 30, options) for i, scene in enumerate(scenes)]


def test_changes_are_told_once_they_have_lasted():
    narrator = Narrator()
    times = [0.0, 0.3, 0.6, 0.9, 1.2]
    told = [tell(narrator, scene(100), time)[1] for time in times]
    assert told[0] == told[1] == ""
    assert "person" in told[2]
    assert told[3:] == ["", ""]


def test_a_clock_that_jumps_back_begins_anew():
    narrator = Narrator()
    for time in (100.0, 100.6):
        first = tell(narrator, scene(100), time)[1]
    assert first
    assert narrator.is_due("I can see a person.", 100.6, SpeechOptions(rate=0.1))
    again = [tell(narrator, scene(100), time)[1] for time in (5.0, 5.6)]
    assert again == ["", first]
    assert narrator.is_due("I can see a person.", 5.6, SpeechOptions(rate=0.1, on_change=True))


@pytest.mark.parametrize(
    "stamp",
    [
        lambda i: i / 10 - 0.05 * (i % 2),  # each second frame is late
        lambda i: i / 10 - 0.5 * (i % 7 == 6),  # out of order
        lambda i: i / 10 + 1e9 * (i % 4 == 3),  # from the future
        lambda i: i / 10 + 30 * (i % 2),  # of two computers
    ],
)
def test_stamps_out_of_line_leave_numbers_and_words(stamp):
    arrivals = itertools.count()
    narrator = Narrator(ObjectTracker(), arrival=lambda: next(arrivals) / 10)
    seen = [tell(narrator, scene(100), stamp(i)) for i in range(30)]
    assert [sentence for _, sentence in seen if sentence] == ["A person has come into view."]
    numbers = [each.detections.track_ids.tolist() for each, _ in seen[6:]]
    assert numbers == [numbers[0]] * 24
    gone = [tell(narrator, scene(), stamp(i))[1] for i in range(30, 60)]
    assert [sentence for sentence in gone if sentence] == ["A person has gone out of view."]


def test_a_recording_that_starts_over_is_told_again_each_time():
    narrator = Narrator(ObjectTracker())
    told = [tell(narrator, scene(100), i / 10)[1] for _ in range(3) for i in range(20)]
    assert [sentence for sentence in told if sentence] == ["A person has come into view."] * 3


def test_equal_stamps_are_told_by_the_time_that_passes():
    narrator = Narrator(arrival=iter(range(100)).__next__)
    told = [tell(narrator, scene(100), 0.0)[1] for _ in range(3)]
    assert told == ["", "A person has come into view.", ""]
    speech = SpeechOptions(rate=0.5)
    assert [narrator.is_due("a", 0.0, speech) for _ in range(5)] == [True, False, True, False, True]


@pytest.mark.parametrize(("rate", "count"), [(20.0, 40), (25.0, 50), (30.0, 60), (7.0, 14)])
def test_the_mean_rate_of_sentences_is_met(rate, count):
    narrator, speech = Narrator(), SpeechOptions(rate=rate)
    said = [narrator.is_due("Hello.", i / 30, speech) for i in range(60)]
    assert sum(said) == pytest.approx(count, abs=2)


def test_a_sentence_is_said_at_most_so_often():
    narrator, speech = Narrator(), SpeechOptions(rate=2.0)
    said = [time for time in np.arange(0, 3, 0.1) if narrator.is_due("Hello.", time, speech)]
    assert len(said) == pytest.approx(6, abs=1)
    assert min(np.diff(said)) >= 0.5


def test_only_what_differs_is_said():
    narrator, speech = Narrator(), SpeechOptions(on_change=True)
    said = [narrator.is_due(text, i, speech) for i, text in enumerate("aabba")]
    assert said == [True, False, True, False, True]


def test_nothing_is_not_said():
    assert not Narrator().is_due("", 0.0, SpeechOptions())


def test_objects_keep_their_numbers_while_they_move():
    narrator = Narrator(ObjectTracker())
    results = tracked(narrator, *(scene(100 + 4 * i, 400 - 4 * i) for i in range(10)))
    by_place = [
        dict(zip(found.boxes[:, 0] < 250, found.track_ids.tolist(), strict=True))
        for found in (result[0].detections for result in results[2:])
    ]
    assert all(ids == by_place[0] for ids in by_place)
    assert len(set(by_place[0].values())) == 2
    assert min(by_place[0].values()) >= 0


def test_an_object_keeps_its_number_through_a_gap():
    narrator = Narrator(ObjectTracker())
    frames = [scene(100)] * 5 + [scene()] * 5 + [scene(100)] * 3
    results = tracked(narrator, *frames)
    before = results[4][0].detections.track_ids.tolist()
    after = results[-1][0].detections.track_ids.tolist()
    assert before == after
    assert before[0] >= 0


@pytest.mark.parametrize("rate", [1.0, 2.0, 5.0, 30.0])
@pytest.mark.parametrize(("memory", "gap", "same"), [(1.0, 1.0, True), (1.0, 2.01, False),
    (4.0, 3.9, True), (4.0, 6.0, False)])  # fmt: skip
def test_an_object_is_remembered_for_seconds(rate, memory, gap, same):
    narrator = Narrator(ObjectTracker(memory))
    times = np.arange(0, 12 + gap, 1 / rate)
    last = times[times <= 4.0][-1]
    shown = [(t, scene(100) if t <= last or t >= last + gap else scene()) for t in times]
    seen = [narrator.follow(each, time).detections.track_ids for time, each in shown]
    numbers = {int(ids[0]) for ids in seen if len(ids)} - {-1}
    assert len(numbers) == (1 if same else 2)


def test_a_slow_camera_is_tracked_too():
    narrator = Narrator(ObjectTracker(memory=0.0))
    numbers = [narrator.follow(scene(100), 5.0 * i).detections.track_ids[0] for i in range(6)]
    assert len(set(numbers[1:])) == 1
    assert numbers[1] >= 0


def test_what_has_no_track_is_published_and_not_counted():
    narrator = Narrator(ObjectTracker())
    (first, sentence), *_ = tracked(narrator, scene(100))
    assert first.detections.track_ids.tolist() == [-1]
    assert count_objects(first.detections) == ()
    assert "person" not in sentence
    (later, sentence) = tracked(narrator, scene(100), scene(100))[-1]
    assert [count.count for count in count_objects(later.detections)] == [1]
    assert "a person" in sentence


def test_an_empty_scene_is_tracked_too():
    narrator = Narrator(ObjectTracker())
    for seen, _ in tracked(narrator, scene(), scene(100), scene()):
        assert len(seen.detections.track_ids) == len(seen.detections)


def test_the_order_of_detections_stays():
    narrator = Narrator(ObjectTracker())
    boxes = [(400, 100, 460, 250), (100, 100, 160, 250)]
    found = Detections(boxes, [0.9, 0.8], [0, 1], LABELS)
    for _ in range(3):
        seen, _ = tell(narrator, scene_of(640, 480, found), 0.0, DescribeOptions())
        assert (seen.detections.boxes == found.boxes).all()
        assert seen.detections.class_ids.tolist() == [0, 1]


def test_without_the_package_the_error_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "trackers", None)
    with pytest.raises(BackendMissingError, match=re.escape(how_to_install("tracking"))):
        ObjectTracker()
