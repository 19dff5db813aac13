"""What time passes for a camera, from stamps of every kind."""

import itertools

import numpy as np
import pytest

from i2t_ros.pipeline.frame_clock import FrameClock


class Camera:
    """A FrameClock whose frames arrive at 10 Hz."""

    def __init__(self, *stamps):
        arrivals = itertools.count()
        self.clock = FrameClock(lambda: next(arrivals) / 10)
        self.jumps, self.times = [], []
        self.show(*stamps)

    def show(self, *stamps):
        for stamp in stamps:
            if self.clock.take(stamp):
                self.jumps.append(stamp)
            self.times.append(self.clock.now)
        assert self.times == sorted(self.times), "it went back"

    @property
    def passed(self):
        return pytest.approx(self.times[-1] - self.times[0])


def test_stamps_that_advance_are_the_time_whenever_they_come():
    camera = Camera(7.0, 7.5, 30.0, 31.0)
    assert camera.times == [7.0, 7.5, 30.0, 31.0]
    assert not camera.jumps


@pytest.mark.parametrize("back", [0.001, 0.05, 0.9])
def test_frames_in_the_wrong_order_do_not_matter(back):
    stamps = [i / 10 - back * (i % 3 == 2) for i in range(60)]
    camera = Camera(*stamps)
    assert not camera.jumps
    assert camera.passed == pytest.approx(5.9, abs=1.0)


@pytest.mark.parametrize("stamp", [0.0, 5.0, 1e10])
def test_equal_stamps_go_by_the_arrival(stamp):
    camera = Camera(*[stamp] * 31)
    assert camera.passed == 3.0
    assert not camera.jumps


def test_a_clock_that_is_set_back_a_little_goes_on():
    camera = Camera(*np.arange(0, 3, 0.1), *np.arange(2.2, 5, 0.1))
    assert not camera.jumps
    assert camera.passed == pytest.approx(5.0, abs=0.9)


def test_a_recording_that_starts_over_is_a_jump_each_time():
    camera = Camera(*[*np.arange(10, 13, 0.1)] * 4)
    assert camera.jumps == [10.0] * 3
    assert camera.passed == pytest.approx(4 * 3.0, abs=0.2)


def test_a_short_recording_too():
    assert Camera(*[0.0, 1.5] * 3).jumps == [0.0] * 2


def test_one_stamp_in_the_future_does_not_matter():
    stamps = [i / 10 if i % 5 else i / 10 + 1e6 for i in range(1, 51)]
    camera = Camera(*stamps)
    assert not camera.jumps
    assert camera.passed == pytest.approx(4.9, abs=0.2)


def test_a_clock_that_is_set_ahead_goes_on_from_there():
    camera = Camera(*np.arange(0, 1, 0.1), *np.arange(1e9, 1e9 + 2, 0.1))
    assert camera.passed == pytest.approx(2.9, abs=0.2)
    camera.show(*np.arange(1e9 + 2, 1e9 + 30, 1.0))
    assert camera.passed == pytest.approx(2.9 + 27.1, abs=0.2)
    assert not camera.jumps


@pytest.mark.parametrize("apart", [5.0, 50.0, 1e9])
@pytest.mark.parametrize("turns", [(0, 1), (0, 1, 1), (0, 0, 0, 1)])
def test_stamps_of_two_clocks_go_by_the_arrival(apart, turns):
    stamps = [i / 10 + apart * turns[i % len(turns)] for i in range(200)]
    camera = Camera(*stamps)
    camera.show(*(20 + i / 10 + apart * turns[i % len(turns)] for i in range(200)))
    assert len(camera.jumps) <= 2
    assert np.subtract(*np.array(camera.times)[[-1, 200]]) == pytest.approx(19.9, abs=0.2)
