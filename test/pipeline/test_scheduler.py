import threading
import time
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor

import pytest

from i2t_ros.errors import BusyError, NotActiveError, TimeLimitError
from i2t_ros.pipeline.scheduler import BackendAccess, RequestQueue, chained, finished
from i2t_ros.vlm.stop import Stop

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


@pytest.mark.parametrize("heavy", [False, True])
def test_a_request_that_is_taken_back_while_it_waits_leaves_its_place(heavy):
    requests = RequestQueue(threads=1, max_waiting=2)
    gate, stops, ran = threading.Event(), [Stop(), Stop()], []
    first = requests.submit(lambda: gate.wait(LIMIT), stop=stops[0])
    second = requests.submit(lambda: ran.append(2), heavy=heavy, stop=stops[1])
    third = requests.submit(lambda: ran.append(3))
    with pytest.raises(BusyError):
        requests.submit(lambda: ran.append(4))
    for stop in stops:
        stop.set()
    with pytest.raises(CancelledError):
        second.result(LIMIT)
    assert not first.done(), "one that runs goes on"
    fifth = requests.submit(lambda: ran.append(5))
    gate.set()
    assert first.result(LIMIT)
    for each in (third, fifth):
        each.result(LIMIT)
    assert ran == [3, 5]
    assert requests.close()


class Jobs:
    """Jobs that run until they are told to end, and how many run."""

    def __init__(self):
        self.running = []
        self.gates = {}

    def __call__(self, name):
        self.gates[name] = threading.Event()

        def job():
            self.running.append(name)
            assert self.gates[name].wait(LIMIT)
            self.running.remove(name)
            return name

        return job

    def end(self, *names):
        for name in names or list(self.gates):
            self.gates[name].set()


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_a_request_is_refused_at_its_deadline_while_all_threads_are_busy(threads):
    jobs, requests = Jobs(), RequestQueue(threads=threads, max_waiting=1, max_wait=0.05)
    running = [requests.submit(jobs(number)) for number in range(threads)]
    for _ in range(2):  # and its place is free for the next one
        with pytest.raises(TimeLimitError, match=r"waited longer than 0\.05 s"):
            requests.submit(lambda: None).result(LIMIT)
    assert not any(future.done() for future in running)
    jobs.end()
    assert [future.result(LIMIT) for future in running] == list(range(threads))
    assert (requests.counters.expired, requests.counters.served) == (2, threads)
    assert requests.close()


def test_a_request_that_hangs_is_answered_and_keeps_only_its_thread():
    jobs, requests = Jobs(), RequestQueue(threads=2, max_run=0.05)
    with pytest.raises(TimeLimitError, match=r"ran longer than 0\.05 s"):
        requests.submit(jobs("hangs")).result(LIMIT)
    requests._max_run = LIMIT
    assert [requests.submit(lambda: 7).result(LIMIT) for _ in range(20)] == [7] * 20
    assert not requests.close(timeout=0.01)
    jobs.end()
    assert requests.close()
    assert (requests.counters.expired, requests.counters.served) == (1, 20)


def test_the_clock_sleeps_while_nothing_waits():
    requests, waits = RequestQueue(max_wait=LIMIT), []
    until(lambda: len(requests._changed._waiters) == 1)
    wait = requests._changed.wait
    requests._changed.wait = lambda timeout=None: waits.append(timeout) or wait(timeout)
    for _ in range(100):
        assert requests.submit(lambda: 7).result(LIMIT) == 7
    assert len(waits) <= 1  # for the first one's deadline, and not once for each
    assert requests.close()


@pytest.mark.parametrize("threads", [2, 3, 4])
def test_heavy_requests_leave_a_thread_to_others(threads):
    jobs, requests = Jobs(), RequestQueue(threads=threads, max_waiting=40)
    heavy = [requests.submit(jobs(number), heavy=True) for number in range(20)]
    until(lambda: len(jobs.running) == threads - 1)
    for _ in range(50):
        assert requests.submit(lambda: 7).result(LIMIT) == 7
    assert jobs.running == list(range(threads - 1))  # in their order
    jobs.end()
    assert [future.result(LIMIT) for future in heavy] == list(range(20))
    assert requests.close()


def test_with_one_thread_heavy_and_light_requests_take_turns():
    jobs, requests, order = Jobs(), RequestQueue(threads=1), []
    first = requests.submit(jobs("first"), heavy=True)
    for number in range(3):
        for heavy in (True, False):
            requests.submit(lambda job=(number, heavy): order.append(job), heavy=heavy)
    jobs.end()
    assert first.result(LIMIT)
    until(lambda: len(order) == 6)
    assert requests.close()
    assert [heavy for _, heavy in order] == [False, True] * 3
    assert [number for number, _ in order] == [0, 0, 1, 1, 2, 2]


@pytest.mark.parametrize(("threads", "max_waiting"), [(1, 4), (2, 4), (3, 5)])
def test_heavy_requests_fill_half_of_the_places(threads, max_waiting):
    jobs, requests = Jobs(), RequestQueue(threads=threads, max_waiting=max_waiting)
    most = max(1, threads - 1) + max_waiting // 2
    heavy = [requests.submit(jobs(number), heavy=True) for number in range(most)]
    with pytest.raises(BusyError, match=f"{most} requests with large pictures are waiting or run"):
        requests.submit(lambda: None, heavy=True)
    light = [requests.submit(lambda: 7) for _ in range(threads + max_waiting - most)]
    jobs.end()
    assert [future.result(LIMIT) for future in heavy] == list(range(most))
    assert [future.result(LIMIT) for future in light] == [7] * len(light)
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


def test_a_chain_ends_with_what_its_second_part_returns():
    assert chained(finished(2), lambda two: finished(two + 1)).result(LIMIT) == 3


@pytest.mark.parametrize("part", [0, 1])
def test_whatever_goes_wrong_in_a_chain_is_its_error(part):
    failing = Future()
    chain = chained(failing, finished) if part == 0 else chained(finished(1), lambda _: failing)
    failing.set_exception(BusyError("full"))
    with pytest.raises(BusyError):
        chain.result(LIMIT)


def test_a_chain_whose_second_part_is_refused_or_cancelled_ends():
    def refuse(_):
        raise BusyError("full")

    with pytest.raises(BusyError):
        chained(finished(1), refuse).result(LIMIT)
    cancelled = Future()
    cancelled.cancel()
    with pytest.raises(CancelledError):
        chained(cancelled, finished).result(LIMIT)
