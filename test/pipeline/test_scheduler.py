import threading
import time
from concurrent.futures import CancelledError, ThreadPoolExecutor

import pytest

from i2t_ros.errors import BusyError, NotActiveError, TimeLimitError
from i2t_ros.pipeline.scheduler import BackendAccess, RequestQueue

LIMIT = 10.0


def waiting(access):
    """Return how many threads wait for their turn."""
    return len(access._condition._waiters)


def until(condition):
    """Wait for a condition that nothing announces."""
    end = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < end
        threading.Event().wait(0.001)


@pytest.fixture
def requests():
    requests = RequestQueue(threads=2, max_waiting=2)
    yield requests
    assert requests.close()


def test_requests_are_answered(requests):
    assert requests.submit(lambda: 7).result(LIMIT) == 7
    assert requests.counters.served == 1


def test_an_error_of_a_request_is_the_callers(requests):
    with pytest.raises(ZeroDivisionError):
        requests.submit(lambda: 1 / 0).result(LIMIT)


def test_more_requests_than_places_are_refused_as_busy(requests):
    gate = threading.Event()
    futures = [requests.submit(lambda: gate.wait(LIMIT)) for _ in range(4)]
    with pytest.raises(BusyError, match="4 requests are waiting or running"):
        requests.submit(lambda: None)
    gate.set()
    assert all(future.result(LIMIT) for future in futures)
    assert requests.counters.refused == 1
    assert requests.submit(lambda: 1).result(LIMIT) == 1


def test_a_request_that_waited_too_long_is_given_up():
    gate, started = threading.Event(), threading.Event()
    requests = RequestQueue(threads=1, max_wait=0.0)

    def hold():
        started.set()
        return gate.wait(LIMIT)

    # The clock moves on between submission and start, so a limit of 0 s is always exceeded; the
    # first is past its check when it holds the only thread.
    requests._max_wait = LIMIT
    first = requests.submit(hold)
    assert started.wait(LIMIT)
    requests._max_wait = 0.0
    second = requests.submit(lambda: None)
    gate.set()
    assert first.result(LIMIT)
    with pytest.raises(TimeLimitError, match="waited longer than 0 s"):
        second.result(LIMIT)
    assert requests.counters.expired == 1
    assert requests.close()


def test_the_backend_has_one_holder_and_requests_go_first():
    access = BackendAccess()
    order = []
    holding, release = threading.Event(), threading.Event()

    def hold():
        with access.turn(urgent=False):
            holding.set()
            assert release.wait(LIMIT)

    def take(name, urgent):
        with access.turn(urgent):
            order.append(name)

    threads = [threading.Thread(target=hold)]
    threads[0].start()
    assert holding.wait(LIMIT)
    for count, name in enumerate(("frame", "request"), start=1):
        threads.append(threading.Thread(target=take, args=(name, name == "request")))
        threads[-1].start()
        until(lambda count=count: waiting(access) == count)
    release.set()
    for thread in threads:
        thread.join(LIMIT)
    assert order == ["request", "frame"]


def test_a_backend_of_concurrency_two_has_two_holders_and_no_third():
    access = BackendAccess(2)
    both, release = threading.Barrier(3), threading.Event()
    done = []

    def take(name):
        with access.turn(urgent=True):
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
    until(lambda: waiting(access) == 1)
    assert not done
    release.set()
    for thread in threads:
        thread.join(LIMIT)
    assert sorted(done) == ["first", "second", "third"]


def test_a_frame_gets_the_place_that_a_request_leaves_free():
    """Two turns become free at once, while a frame and then a request wait."""
    for _ in range(30):
        access = BackendAccess(2)
        both, release, frame_done = threading.Barrier(3), threading.Event(), threading.Event()

        def hold(access=access, both=both, release=release):
            with access.turn(urgent=True):
                both.wait(LIMIT)
                assert release.wait(LIMIT)

        def frame(access=access, done=frame_done):
            with access.turn(urgent=False):
                done.set()

        def request(access=access, done=frame_done):
            with access.turn(urgent=True):
                assert done.wait(LIMIT), "the frame slept beside a free place"

        with ThreadPoolExecutor(4) as threads:
            futures = [threads.submit(hold), threads.submit(hold)]
            both.wait(LIMIT)
            for count, waiter in enumerate((frame, request), start=1):
                futures.append(threads.submit(waiter))
                until(lambda access=access, count=count: waiting(access) == count)
            release.set()
        for future in futures:
            future.result()


def test_close_cancels_what_waits_and_refuses_what_comes():
    requests = RequestQueue(threads=1, max_waiting=5)
    gate, started = threading.Event(), threading.Event()

    def hold():
        started.set()
        return gate.wait(LIMIT)

    running = requests.submit(hold)
    assert started.wait(LIMIT)
    waiting = requests.submit(lambda: None)
    assert not requests.close(timeout=0.05)
    with pytest.raises(CancelledError):
        waiting.result(LIMIT)
    with pytest.raises(NotActiveError):
        requests.submit(lambda: None)
    gate.set()
    assert running.result(LIMIT)
    assert requests.close()


def test_close_waits_until_the_answer_is_sent():
    requests, sent = RequestQueue(), []
    may_end, may_send = threading.Event(), threading.Event()

    def send(_):
        assert may_send.wait(LIMIT)
        sent.append("response")

    requests.submit(lambda: may_end.wait(LIMIT)).add_done_callback(send)
    may_end.set()
    threading.Timer(0.05, may_send.set).start()
    assert requests.close()
    assert sent == ["response"]
