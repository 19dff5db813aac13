"""Videos as recordings: exact times, the same images however they are cut, colors, and sizes."""

import os
from contextlib import suppress
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("av")
import av
from film_material import SIZE, Film, by_opencv, kinds, number_of, numbers, read, turned

from i2t_ros.recordings.base import SECOND, Selection
from i2t_ros.recordings.reading.sparing import marked
from i2t_ros.recordings.reading.videos import VideoRecording

VARIABLE = Film(ticks=(0, 1, 2, 7, 8, 30, 31, 32, 33, 60, 61), base=Fraction(1, 30))


@pytest.fixture(params=kinds())
def kind(request, tmp_path):
    """Return a film of one of the formats that people have, and its recording."""
    film = kinds()[request.param]
    return film, VideoRecording(str(film.write(tmp_path / f"film.{request.param.split()[0]}")))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "film.mp4"


def test_every_image_has_its_own_time(kind):
    film, recording = kind
    assert numbers(recording) == [(time, number) for number, time in enumerate(film.times)]


@pytest.mark.parametrize("length", [SECOND, SECOND // 2, SECOND // 10])
def test_spans_show_what_the_whole_file_shows(kind, length):
    _, recording = kind
    whole = read(recording)
    assert len(whole) == 28
    assert read(recording, length=length) == whole


def test_the_pixels_are_those_of_opencv(kind):
    _, recording = kind
    spans = recording.spans(Selection(), 30 * SECOND)
    images = [item.read() for span in spans for item in recording.items(span, Selection())]
    frames = by_opencv(recording.path)
    assert len(images) == len(frames)
    for image, frame in zip(images, frames, strict=True):
        assert image.dtype == np.uint8
        assert image.flags.c_contiguous
        np.testing.assert_array_equal(image, frame)


@pytest.mark.parametrize("colors", [1, 5], ids=["bt709", "bt601"])
@pytest.mark.parametrize("levels", [1, 2], ids=["limited", "full"])
def test_colors_are_those_that_the_file_tells(path, colors, levels):
    film = Film(ticks=(0,), colors=colors, range=levels, options=(("crf", "1"),))
    recording = VideoRecording(str(film.write(path)))
    (item,) = recording.items(recording.spans(Selection(), SECOND)[0], Selection())
    image = item.read()
    width, height = SIZE
    np.testing.assert_allclose(image[height // 4, 3 * width // 4], (0, 0, 220), atol=6)
    np.testing.assert_allclose(image[3 * height // 4, 3 * width // 4], (220, 60, 0), atol=6)
    np.testing.assert_array_equal(image, by_opencv(path)[0])


@pytest.mark.parametrize("length", [30 * SECOND, SECOND, SECOND // 10])
def test_a_variable_rate(path, length):
    recording = VideoRecording(str(VARIABLE.write(path)))
    shown = numbers(recording, length=length)
    assert shown == [(time, number) for number, time in enumerate(VARIABLE.times)]


def test_the_clock_begins_with_the_first_image(path):
    late = Film(ticks=tuple(range(50, 78)))
    recording = VideoRecording(str(late.write(path)))
    with av.open(str(path)) as container:
        assert container.start_time == 5_000_000
    assert numbers(recording)[0] == (0, 0)
    assert read(recording, length=SECOND) == read(recording)


def test_rates_whose_times_are_no_whole_nanoseconds(path):
    film = Film(ticks=tuple(1001 * number for number in range(28)), base=Fraction(1, 30_000))
    recording = VideoRecording(str(film.write(path)))
    times = [time for time, _ in numbers(recording)]
    assert times == [number * 1001 * SECOND // 30_000 for number in range(28)]


@pytest.mark.parametrize("every", [SECOND // 2, 7 * SECOND // 10])
def test_images_that_are_left_out_change_no_others(kind, every):
    _, recording = kind
    firsts = {}
    for time, found in read(recording):
        firsts.setdefault(time // every, (time, found))
    for length in (30 * SECOND, SECOND):
        assert read(recording, Selection(every=every), length) == list(firsts.values())


def test_which_packets_are_wanted():
    """The first of each period, although others come before it in the file."""
    shown = [0, 30, 10, 20, 70, 50, 40, 60, None, 100, 90, 80]
    wanted = [
        time for time, is_wanted in marked(iter(shown), lambda time: time, 10, 40) if is_wanted
    ]
    assert wanted == [10, 40, None, 80]
    assert [packet for packet, _ in marked(iter(shown), lambda time: time, 0, 40)] == shown
    wanted = [
        time for time, is_wanted in marked(iter(shown), lambda time: time, 50, 0) if is_wanted
    ]
    assert wanted == [70, 50, 60, None, 100, 90, 80]


@pytest.mark.parametrize("start", [SECOND // 10 * 7, SECOND // 10 * 12 + 1])
def test_periods_are_counted_from_the_beginning(path, start):
    """So the first image that is wanted may be the last one of its period."""
    recording = VideoRecording(str(Film().write(path)))
    selection = Selection(every=SECOND // 2, start=start)
    first = -(-start * 10 // SECOND)
    expected = [first, *(number for number in range(first + 1, 28) if number % 5 == 0)]
    assert [number for _, number in numbers(recording, selection, SECOND)] == expected


def test_no_image_of_a_program_stream_is_left_out(tmp_path):
    """FFmpeg gives two of these images the same time, and others that of a neighbor."""
    options = ("bf", "2"), ("qmax", "2")
    film = Film("mpeg2video", tuple(range(100)), Fraction(1, 25), options=options)
    recording = VideoRecording(str(film.write(tmp_path / "film.mpg")))
    shown = numbers(recording)
    assert [number for _, number in shown] == [number % 28 for number in range(100)]
    assert np.abs(np.array(film.times) - [time for time, _ in shown]).max() <= 2 * SECOND // 25
    assert read(recording, length=SECOND) == read(recording)


@pytest.mark.parametrize("every", [SECOND // 4, SECOND // 10, 7 * SECOND // 10, 40 * SECOND])
@pytest.mark.parametrize("film", [Film(), VARIABLE], ids=["constant", "variable"])
def test_the_first_image_of_each_period(path, film, every):
    recording = VideoRecording(str(film.write(path)))
    expected, periods = [], set()
    for number, time in enumerate(film.times):
        if time // every not in periods:
            periods.add(time // every)
            expected.append((time, number))
    for length in (30 * SECOND, SECOND, SECOND // 10):
        assert numbers(recording, Selection(every=every), length) == expected


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (0, None, range(28)),
        (SECOND, 2 * SECOND, range(10, 20)),
        (SECOND + 1, 2 * SECOND + 1, range(11, 21)),
        (26 * SECOND // 10, 99 * SECOND, range(26, 28)),
        (9 * SECOND, None, range(0)),
        (2 * SECOND, SECOND, range(0)),
    ],
)
def test_a_part_of_a_video(path, start, end, expected):
    recording = VideoRecording(str(Film().write(path)))
    for length in (30 * SECOND, SECOND, SECOND // 2):
        shown = numbers(recording, Selection(start=start, end=end), length)
        assert [number for _, number in shown] == list(expected)


def test_spans_lie_on_a_grid_and_tell_how_many_images_they_have(path):
    recording = VideoRecording(str(Film().write(path)))
    selection = Selection(every=SECOND // 4 * 3, start=SECOND // 2)
    spans = recording.spans(selection, SECOND)
    assert [span.start for span in spans] == [SECOND // 2, 3 * SECOND // 2]
    assert all(before.end == after.start for before, after in pairwise(spans))
    assert [span.expected for span in spans] == [2, 2]
    assert [span.expected for span in recording.spans(Selection(), SECOND)] == [10, 10, 8]


def test_what_is_known_is_left_out(path):
    recording = VideoRecording(str(Film().write(path)))
    (span,) = recording.spans(Selection(), 30 * SECOND)
    items = list(recording.items(span, Selection(), skip=20))
    assert [item.time for item in items] == Film().times[20:]
    assert number_of(items[-1].read()) == 27


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_a_video_that_was_taken_sideways_is_upright(tmp_path, degrees):
    path = turned(Film().write(tmp_path / "film.mp4"), tmp_path / "turned.mp4", degrees)
    recording = VideoRecording(str(path))
    (span,) = recording.spans(Selection(), 30 * SECOND)
    images = [item.read() for item in recording.items(span, Selection())]
    frames = by_opencv(path)
    assert frames[0].shape[:2] == (SIZE[::-1] if degrees % 180 == 0 else SIZE)
    assert recording.size() == images[0].shape[1::-1]
    np.testing.assert_array_equal(images, frames)
    assert all(image.flags.c_contiguous for image in images)


def test_odd_sizes(tmp_path):
    film = Film("mpeg4", size=(97, 65), ticks=(0, 1, 2))
    recording = VideoRecording(str(film.write(tmp_path / "odd.avi")))
    (span,) = recording.spans(Selection(), SECOND)
    images = [item.read() for item in recording.items(span, Selection())]
    assert [image.shape for image in images] == [(65, 97, 3)] * 3
    np.testing.assert_array_equal(images, by_opencv(tmp_path / "odd.avi"))


def test_a_change_of_size_in_the_middle(tmp_path):
    whole = b""
    for size in (SIZE, (64, 96)):
        film = Film(ticks=tuple(range(10)), base=Fraction(1, 25), size=size)
        whole += film.write(tmp_path / "part.h264").read_bytes()
    (tmp_path / "whole.h264").write_bytes(whole)
    recording = VideoRecording(str(tmp_path / "whole.h264"))
    (span,) = recording.spans(Selection(), 30 * SECOND)
    images = [item.read() for item in recording.items(span, Selection())]
    assert [image.shape[1::-1] for image in images] == [SIZE] * 10 + [(64, 96)] * 10
    assert [number_of(image) for image in images] == [*range(10), *range(10)]


def test_the_fingerprint_tells_whether_the_file_is_another_one(path):
    recording = VideoRecording(str(Film().write(path)))
    before = recording.fingerprint()
    assert recording.fingerprint() == VideoRecording(str(path)).fingerprint() == before
    Film(size=(64, 64)).write(path)
    assert recording.fingerprint() != before


def test_what_a_video_is_called(path):
    recording = VideoRecording(str(path))
    assert (recording.kind, recording.name, recording.path) == ("video", "film", str(path))
    assert recording.topics(Selection()) == ("",)
    assert recording.begin() is None


def test_no_file_stays_open(path):
    recording = VideoRecording(str(Film().write(path)))
    spans = recording.spans(Selection(), SECOND)
    items = recording.items(spans[0], Selection())
    next(items)
    assert str(path) in open_files()
    items.close()
    assert str(path) not in open_files()


def open_files():
    links = []
    for link in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            links.append(os.readlink(link))
    return links
