"""When something appears and leaves: a detector's flicker is neither."""

import pytest

from i2t_ros.recordings.base import SECOND
from i2t_ros.recordings.moments import MomentFinder
from i2t_ros.recordings.writing.base import Run, Stream, Told

STREAM = Stream(0, "video", "film.mp4", "", "film", None)


def told(number, seconds, **counts):
    found = [{"class_id": name} for name, count in counts.items() for _ in range(count)]
    time = None if seconds is None else round(seconds * SECOND)
    return Told(STREAM, number, "film.mp4", time, None, "", None, {"detections": found})


def follow(*images):
    """Return what is found in images, each (seconds, {class: count}), to their end."""
    finder, found = MomentFinder(), []
    for number, (seconds, counts) in enumerate(images):
        found += finder.follow(told(number, seconds, **counts))
    return [plain(each) for each in (*found, *finder.end())]


def plain(each):
    if isinstance(each, Run):
        return each.class_id, each.count, each.first.time / SECOND, each.end / SECOND
    return each.first.number, each.changes


def steps(start, end, **counts):
    """Return images at 10 Hz."""
    return [(i / 10, counts) for i in range(round(start * 10), round(end * 10))]


def test_what_is_there_from_the_beginning_appears_in_the_first_image():
    assert follow(*steps(0, 2, dog=1)) == [(0, {"dog": (0, 1)}), ("dog", 1, 0.0, 1.9)]


def test_what_comes_and_goes_counts_from_its_first_image_to_the_first_without_it():
    found = follow(*steps(0, 2), *steps(2, 4, dog=1), *steps(4, 6))
    assert found == [(20, {"dog": (0, 1)}), ("dog", 1, 2.0, 4.0), (40, {"dog": (1, 0)})]


@pytest.mark.parametrize("gap", [0.1, 0.5, 0.9])
def test_a_gap_of_less_than_a_second_is_none(gap):
    found = follow(*steps(0, 2, dog=1), *steps(2, 2 + gap), *steps(2 + gap, 5, dog=1))
    assert found == [(0, {"dog": (0, 1)}), ("dog", 1, 0.0, 4.9)]


def test_what_is_seen_for_a_moment_is_nothing():
    assert follow(*steps(0, 1), *steps(1, 1.5, dog=1), *steps(1.5, 4)) == []


def test_another_number_begins_another_run():
    found = follow(*steps(0, 2, dog=1), *steps(2, 4, dog=2))
    assert found == [
        (0, {"dog": (0, 1)}),
        ("dog", 1, 0.0, 2.0),
        (20, {"dog": (1, 2)}),
        ("dog", 2, 2.0, 3.9),
    ]


def test_a_number_that_is_never_the_same_for_a_second_is_there_all_the_same():
    crowd = [(i / 10, {"person": 12 + i * 7 % 5}) for i in range(30)]
    (moment, run) = follow(*crowd)
    assert moment == (0, {"person": (0, 14)})
    assert run == ("person", 14, 0.0, 2.9)


def test_who_comes_soon_after_another_is_a_change_of_its_own():
    found = follow(*steps(0, 0.6, dog=1), *steps(0.6, 3, dog=2))
    assert found == [
        (0, {"dog": (0, 1)}),
        ("dog", 1, 0.0, 0.6),
        (6, {"dog": (1, 2)}),
        ("dog", 2, 0.6, 2.9),
    ]


def test_changes_in_one_image_are_one_moment():
    found = follow(*steps(0, 2, dog=1), *steps(2, 4, person=2))
    assert (20, {"dog": (1, 0), "person": (0, 2)}) in found


def test_images_that_are_far_apart_all_count():
    found = follow((0, {"dog": 1}), (5, {}), (10, {"dog": 2}))
    assert found == [
        (0, {"dog": (0, 1)}),
        ("dog", 1, 0.0, 5.0),
        (1, {"dog": (1, 0)}),
        (2, {"dog": (0, 2)}),
        ("dog", 2, 10.0, 10.0),
    ]


def test_pictures_have_no_times_and_each_is_a_moment():
    assert follow((None, {"dog": 1}), (None, {})) == [(0, {"dog": (0, 1)}), (1, {})]


def test_a_flicker_at_the_end_is_none_either():
    assert follow(*steps(0, 2, dog=1), *steps(2, 2.3)) == [
        (0, {"dog": (0, 1)}),
        ("dog", 1, 0.0, 2.2),
    ]


def test_a_single_image_counts():
    assert follow((3, {"dog": 1})) == [(0, {"dog": (0, 1)}), ("dog", 1, 3.0, 3.0)]


def test_a_stream_without_images_has_nothing():
    assert follow() == []
