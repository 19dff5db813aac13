import threading
import time
from concurrent.futures import CancelledError

import pytest

from i2t_ros.errors import BusyError, NotActiveError, TimeLimitError
from i2t_ros.scheduler import Engine, Scheduler

LIMIT = 10.0


def fail(camera, error):
    raise AssertionError(f"{camera}: {error}")


def until(condition):
    """Wait for a condition that nothing announces."""
    end = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < end
        threading.Event().wait(0.001)


class Worker:
    """An on_frame that waits to be let go, so that tests decide what happens while it works."""

    def __init__(self):
        self.seen = []
        self.entered = threading.Semaphore(0)
        self.go = threading.Semaphore(0)

    def __call__(self, camera, item):
        self.seen.append((camera, item))
        self.entered.release()
        assert self.go.acquire(timeout=LIMIT)

    def let(self, count=1):
        for _ in range(count):
            self.go.release()
            assert self.entered.acquire(timeout=LIMIT)


@pytest.fixture
def worker():
    return Worker()


@pytest.fixture
def scheduler(worker):
    scheduler = Scheduler(worker, fail, request_threads=2, max_waiting=2)
    yield scheduler
    worker.go.release(100)
    assert scheduler.close()


def test_only_the_newest_frame_waits_and_the_rest_are_counted(scheduler, worker):
    scheduler.offer("front", 0)
    assert worker.entered.acquire(timeout=LIMIT)
    for frame in range(1, 100):
        scheduler.offer("front", frame)
    worker.let()
    assert worker.seen == [("front", 0), ("front", 99)]
    assert scheduler.cameras["front"].received == 100
    assert scheduler.cameras["front"].dropped == 98


def test_a_fast_camera_does_not_starve_a_slow_one(scheduler, worker):
    scheduler.offer("fast", 0)
    assert worker.entered.acquire(timeout=LIMIT)
    scheduler.offer("fast", 1)
    scheduler.offer("slow", 0)
    for frame in range(2, 10):
        scheduler.offer("fast", frame)
    worker.let(2)
    assert [camera for camera, _ in worker.seen] == ["fast", "fast", "slow"]


def test_a_failed_frame_is_counted_and_the_next_is_taken():
    failures = []
    done = threading.Event()

    def on_frame(camera, item):
        if item == "bad":
            raise ValueError("bad frame")
        done.set()

    def on_failure(camera, error):
        failures.append((camera, str(error)))
        scheduler.offer("front", "good")

    scheduler = Scheduler(on_frame, on_failure)
    scheduler.offer("front", "bad")
    assert done.wait(LIMIT)
    assert scheduler.close()
    assert failures == [("front", "bad frame")]
    assert scheduler.cameras["front"].failed == 1
    assert scheduler.cameras["front"].processed == 1


def test_requests_are_answered(scheduler):
    assert scheduler.submit(lambda: 7).result(LIMIT) == 7
    assert scheduler.requests.served == 1


def test_an_error_of_a_request_is_the_callers(scheduler):
    with pytest.raises(ZeroDivisionError):
        scheduler.submit(lambda: 1 / 0).result(LIMIT)


def test_more_requests_than_places_are_refused_as_busy(scheduler):
    gate = threading.Event()
    futures = [scheduler.submit(lambda: gate.wait(LIMIT)) for _ in range(4)]
    with pytest.raises(BusyError, match="4 requests are waiting or running"):
        scheduler.submit(lambda: None)
    gate.set()
    assert all(future.result(LIMIT) for future in futures)
    assert scheduler.requests.refused == 1
    assert scheduler.submit(lambda: 1).result(LIMIT) == 1


def test_a_request_that_waited_too_long_is_given_up():
    gate, started = threading.Event(), threading.Event()
    scheduler = Scheduler(fail, fail, request_threads=1, max_wait=0.0)

    def hold():
        started.set()
        return gate.wait(LIMIT)

    # The clock moves on between submission and start, so a limit of 0 s is always exceeded; the
    # first is past its check when it holds the only thread.
    scheduler._max_wait = LIMIT
    first = scheduler.submit(hold)
    assert started.wait(LIMIT)
    scheduler._max_wait = 0.0
    second = scheduler.submit(lambda: None)
    gate.set()
    assert first.result(LIMIT)
    with pytest.raises(TimeLimitError, match="waited longer than 0 s"):
        second.result(LIMIT)
    assert scheduler.requests.expired == 1
    assert scheduler.close()


def test_the_engine_has_one_holder_and_requests_go_first():
    engine = Engine()
    order = []
    holding, release = threading.Event(), threading.Event()

    def hold():
        with engine.turn(urgent=False):
            holding.set()
            assert release.wait(LIMIT)

    def take(name, urgent):
        with engine.turn(urgent):
            order.append(name)

    threads = [threading.Thread(target=hold)]
    threads[0].start()
    assert holding.wait(LIMIT)
    for count, name in enumerate(("frame", "request"), start=1):
        threads.append(threading.Thread(target=take, args=(name, name == "request")))
        threads[-1].start()
        until(lambda count=count: engine.waiting == count)
    release.set()
    for thread in threads:
        thread.join(LIMIT)
    assert order == ["request", "frame"]


def test_an_engine_of_two_places_has_two_holders_and_no_third():
    engine = Engine(2)
    both, release = threading.Barrier(3), threading.Event()
    done = []

    def take(name):
        with engine.turn(urgent=True):
            if name != "third":
                both.wait(LIMIT)
                assert release.wait(LIMIT)
            done.append(name)

    threads = [threading.Thread(target=take, args=(name,)) for name in ("first", "second")]
    for thread in threads:
        thread.start()
    both.wait(LIMIT)
    threads.append(threading.Thread(target=take, args=("third",)))
    threads[-1].start()
    until(lambda: engine.waiting == 1)
    assert not done
    release.set()
    for thread in threads:
        thread.join(LIMIT)
    assert sorted(done) == ["first", "second", "third"]


def test_close_cancels_what_waits_and_refuses_what_comes(worker):
    scheduler = Scheduler(worker, fail, request_threads=1, max_waiting=5)
    gate, started = threading.Event(), threading.Event()

    def hold():
        started.set()
        return gate.wait(LIMIT)

    running = scheduler.submit(hold)
    assert started.wait(LIMIT)
    waiting = scheduler.submit(lambda: None)
    assert not scheduler.close(timeout=0.05)
    with pytest.raises(CancelledError):
        waiting.result(LIMIT)
    with pytest.raises(NotActiveError):
        scheduler.submit(lambda: None)
    gate.set()
    assert running.result(LIMIT)
    assert scheduler.close()
    scheduler.offer("front", 1)
    assert worker.seen == []
