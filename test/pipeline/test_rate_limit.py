"""A mean rate is met whatever the rate of what comes."""

import numpy as np
import pytest

from i2t_ros.pipeline.rate_limit import RateLimit


def allowed(rate, times, burst=2.0):
    limit = RateLimit(burst)
    return [time for time in times if limit.allows(time, rate)]


@pytest.mark.parametrize("jitter", [0.0, 0.2, 0.5])
@pytest.mark.parametrize(
    ("camera", "rate"),
    [(30, 20), (30, 25), (30, 29), (30, 7), (60, 50), (15, 10), (2, 1.5), (1, 0.7)],
)
def test_the_mean_rate_is_met(camera, rate, jitter):
    count = 600
    late = np.random.default_rng(1).uniform(0, jitter, count)
    times = 100.0 + (np.arange(count) + late) / camera
    assert len(allowed(rate, times)) == pytest.approx(rate * count / camera, rel=0.02)


@pytest.mark.parametrize("rate", [10.0, 10.5, 100.0])
def test_a_camera_that_keeps_to_the_limit_loses_nothing(rate):
    late = np.random.default_rng(2).uniform(0, 0.5, 300)
    times = (np.arange(300) + late) / 10
    assert len(allowed(rate, times)) >= 299


def test_no_second_has_more_than_the_limit_and_one():
    times = np.cumsum(np.random.default_rng(3).exponential(1 / 100, 3000))
    kept = np.array(allowed(20.0, times))
    assert max(((kept >= start) & (kept < start + 1)).sum() for start in kept) <= 22


def test_after_a_silence_there_is_no_crowd():
    times = [0.0, *(100 + np.arange(30) / 30)]
    assert len(allowed(1.0, times)) == 3
    assert len(allowed(1.0, times, burst=1.0)) == 2


def test_no_limit():
    assert allowed(0.0, [1.0, 1.0, 0.5]) == [1.0, 1.0, 0.5]


def test_a_limit_that_changes_holds_at_once():
    limit = RateLimit(2.0)
    assert limit.allows(0.0, 0.001)
    assert not limit.allows(1.0, 0.001)
    assert limit.allows(1.2, 10.0)


def test_a_time_that_goes_back_is_no_time():
    limit = RateLimit(2.0)
    assert [limit.allows(now, 1.0) for now in (5.0, 4.0, 4.5, 5.1)] == [True, False, False, True]
