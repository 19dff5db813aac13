from __future__ import annotations

import numpy as np
from making import classes_of, scene_of
from scene_words import compose_scene

from i2t_ros.language import compose_changes
from i2t_ros.language.changes import Changes, ChangeTracker
from i2t_ros.pipeline.tasks.faces import Faces
from i2t_ros.pipeline.tasks.text import TextRegion
from i2t_ros.pipeline.telling import scene_facts
from i2t_ros.types import Detections, Scene

LABELS = ("person", "dog", "cat")


def scene(*names: str, faces: int | None = None, text: str = "", shows: str = "") -> Scene:
    count = len(names)
    found = Detections(
        np.tile(np.array([[0, 0, 9, 9]], np.float32), (count, 1)).reshape(count, 4),
        np.full(count, 0.9),
        np.array([LABELS.index(name) for name in names], np.int32),
        LABELS,
    )
    square = np.array([[0, 0], [9, 0], [9, 9], [0, 9]])
    return scene_of(
        90,
        90,
        detections=found,
        faces=None if faces is None else Faces(np.zeros((faces, 4)), np.ones(faces)),
        texts=(TextRegion(square, text, 1.0, (0, 0, 0), (9, 9, 9)),) if text else None,
        classification=classes_of((shows,), (0.9,)) if shows else None,
    )


def update(tracker: ChangeTracker, seen: Scene, time: float) -> Changes:
    return tracker.update(scene_facts(seen, "changes"), time)


def say(tracker: ChangeTracker, seen: Scene, time: float) -> str:
    return compose_changes(update(tracker, seen, time))


def test_what_came_and_what_went() -> None:
    tracker = ChangeTracker(hold=1.0)

    assert say(tracker, scene("dog"), 10.0) == ""
    assert say(tracker, scene("dog"), 11.0) == "A dog has come into view."
    assert say(tracker, scene("dog"), 12.0) == ""
    assert say(tracker, scene("person", "person"), 13.0) == ""
    said = say(tracker, scene("person", "person"), 14.0)
    assert said == "Two people have come into view. A dog has gone out of view."
    assert not update(tracker, scene("person", "person"), 15.0)


def test_without_a_hold_every_scene_is_believed() -> None:
    tracker = ChangeTracker(hold=0.0)

    assert say(tracker, scene("dog"), 0.0) == "A dog has come into view."
    assert say(tracker, scene(), 0.0) == "A dog has gone out of view."
    assert say(tracker, scene("cat", "cat"), 0.1) == "Two cats have come into view."
    assert say(tracker, scene("cat"), 0.2) == "A cat has gone out of view."


def test_flicker_is_not_spoken() -> None:
    tracker = ChangeTracker(hold=1.0)
    for i in range(100):
        seen = scene("dog") if i % 2 else scene()
        assert not update(tracker, seen, i * 0.9)


def test_of_a_count_that_trembles_the_least_is_spoken_once() -> None:
    tracker = ChangeTracker(hold=1.0)
    said = []
    for i in range(60):
        people = ("person",) * (2 if i % 2 else 3)
        said.append(say(tracker, scene(*people), i * 0.1))

    assert [words for words in said if words] == ["Two people have come into view."]


def test_a_short_absence_is_not_spoken() -> None:
    tracker = ChangeTracker(hold=1.0)
    update(tracker, scene("dog"), 0.0)
    update(tracker, scene("dog"), 1.0)

    assert not update(tracker, scene(), 2.0)
    assert not update(tracker, scene("dog"), 2.9)
    assert not update(tracker, scene(), 3.0)
    assert not update(tracker, scene(), 3.9)
    assert update(tracker, scene(), 4.0)


def test_a_task_that_did_not_run_changes_nothing() -> None:
    tracker = ChangeTracker(hold=0.0)
    update(tracker, scene("dog", faces=1), 0.0)

    assert not update(tracker, scene_of(90, 90), 1.0)
    assert say(tracker, scene("dog", faces=0), 2.0) == "A face has gone out of view."


def test_new_texts_and_a_new_whole_are_said_and_old_ones_are_not() -> None:
    tracker = ChangeTracker(hold=0.0)

    first = say(tracker, scene(text="EXIT", shows="beach"), 0.0)
    assert first == "The text reads “EXIT.” Best guess: beach."
    assert say(tracker, scene(text="EXIT", shows="beach"), 1.0) == ""
    second = say(tracker, scene(text="PUSH", shows="beach"), 2.0)
    assert second == "The text reads “PUSH.”"


def test_doubt_is_said_of_what_came() -> None:
    tracker = ChangeTracker(hold=0.0)
    unsure = Detections(np.zeros((1, 4)), np.array([0.3]), np.array([2]), LABELS)
    changes = update(tracker, scene_of(90, 90, detections=unsure), 0.0)

    assert compose_changes(changes, hedge=True) == "A cat has probably come into view."
    assert compose_changes(changes, "de") == "Eine Katze ist ins Bild gekommen."


def test_time_that_jumps_back_begins_the_wait_anew() -> None:
    tracker = ChangeTracker(hold=1.0)
    update(tracker, scene("dog"), 100.0)

    assert not update(tracker, scene("dog"), 5.0)
    assert not update(tracker, scene("dog"), 5.9)
    assert update(tracker, scene("dog"), 6.0)


def test_the_same_scenes_at_the_same_times_give_the_same_changes() -> None:
    steps = [(scene("dog"), 0.0), (scene("dog", "cat"), 0.7), (scene("cat"), 1.4), (scene(), 3.0)]
    first, second = ChangeTracker(0.5), ChangeTracker(0.5)

    assert [update(first, *step) for step in steps] == [update(second, *step) for step in steps]


def test_what_is_gone_is_forgotten() -> None:
    tracker = ChangeTracker(hold=0.0)
    for i in range(50):
        update(tracker, scene(text=f"frame {i}"), float(i))

    assert sum(map(len, tracker._counts.values())) == 1


def test_a_single_scene_has_no_past_and_all_of_it_is_new() -> None:
    assert compose_scene(scene("dog"), style="changes") == "A dog has come into view."
    assert compose_scene(scene(), style="changes") == "I don't see anything I recognize."
