"""Images at a rate, with a clock of the test's own."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from i2t_ros.sources.base import Pace


class Clock:
    """Time that passes only by waiting; it is the stop event as well."""

    def __init__(self):
        self.now = 100.0
        self.stopped = False

    def __call__(self):
        return self.now

    def wait(self, seconds):
        assert seconds > 0
        self.now += seconds

    def is_set(self):
        return self.stopped


@pytest.fixture
def clock():
    return Clock()


def test_the_first_image_is_due_at_once_and_the_others_a_period_apart(clock):
    pace = Pace(4.0, clock, clock)
    times = []
    for _ in range(4):
        assert pace.wait()
        times.append(clock.now - 100)
    assert times == [0, 0.25, 0.5, 0.75]


def test_time_spent_on_an_image_is_not_added(clock):
    pace = Pace(4.0, clock, clock)
    for _ in range(40):
        pace.wait()
        clock.now += 0.2
    assert clock.now - 100 == pytest.approx(39 * 0.25 + 0.2)


def test_distances_that_vary_are_kept_without_drift(clock):
    pace = Pace(4.0, clock, clock)
    times = []
    for gap in (None, 0.1, 0.5, None, 0.1):
        assert pace.wait(gap)
        times.append(clock.now - 100)
        clock.now += 0.05
    assert times == pytest.approx([0, 0.1, 0.6, 0.85, 0.95])


def test_after_a_delay_it_does_not_hurry(clock):
    pace = Pace(10.0, clock, clock)
    pace.wait()
    clock.now += 5
    before = clock.now
    for _ in range(11):
        pace.wait()
    # The late one and the one that is due by now come at once, nine more in their time.
    assert clock.now - before == pytest.approx(0.9)


def test_a_stop_is_told(clock):
    pace = Pace(10.0, clock, clock)
    assert pace.wait()
    clock.stopped = True
    assert not pace.wait()


def test_without_a_rate_every_image_is_taken(clock):
    pace = Pace(0.0, clock, clock)
    assert all(pace.due() for _ in range(5))
    assert all(pace.wait() for _ in range(5))
    assert clock.now == 100


@given(
    camera=st.floats(5, 120),
    wanted=st.floats(1, 60),
    jitter=st.lists(st.floats(-0.2, 0.2), min_size=400, max_size=400),
)
@settings(suppress_health_check=[HealthCheck.large_base_example])  # of older versions
def test_of_a_camera_that_is_never_quite_regular_the_rate_is_kept(camera, wanted, jitter):
    clock = Clock()
    pace = Pace(wanted, clock, clock)
    taken = 0
    for number, early in enumerate(jitter):
        clock.now = 100 + (number + early) / camera
        taken += pace.due()
    seconds = len(jitter) / camera
    expected = min(camera, wanted) * seconds
    assert taken == pytest.approx(expected, abs=0.02 * len(jitter) + 2)
