"""The asyncio loop in a thread of its own."""

from __future__ import annotations

import asyncio
import threading

import pytest

from i2t_ros.bridges.loop_thread import LoopThread
from i2t_ros.errors import NotActiveError, TimeLimitError

TIME_LIMIT = 10.0


@pytest.fixture
def loop():
    loop = LoopThread("test_loop")
    loop.start()
    yield loop
    loop.stop()


async def thread_name():
    return threading.current_thread().name


def test_calls_run_in_the_thread_of_the_loop(loop):
    assert loop.call(thread_name(), TIME_LIMIT) == "test_loop"


def test_posted_functions_run_there_in_order(loop):
    seen = []
    done = threading.Event()
    loop.post(seen.append, 1)
    loop.post(seen.append, 2)
    loop.post(done.set)
    assert done.wait(TIME_LIMIT)
    assert seen == [1, 2]


def test_the_error_of_a_call_reaches_the_caller(loop):
    async def fail():
        raise ValueError("three")

    with pytest.raises(ValueError, match="three"):
        loop.call(fail(), TIME_LIMIT)


def test_a_call_that_takes_too_long_is_cancelled(loop):
    cancelled = threading.Event()

    async def wait():
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    with pytest.raises(TimeLimitError, match=r"0\.05 s"):
        loop.call(wait(), 0.05)
    assert cancelled.wait(TIME_LIMIT)


def test_the_time_limit_error_of_a_call_itself_is_not_mistaken(loop):
    async def late():
        raise TimeoutError("its own")

    with pytest.raises(TimeoutError, match="its own"):
        loop.call(late(), TIME_LIMIT)


def test_start_and_stop_may_be_repeated():
    loop = LoopThread("again")
    loop.stop()
    for _ in range(3):
        loop.start()
        first = loop.call(thread_name(), TIME_LIMIT)
        loop.start()
        assert loop.call(thread_name(), TIME_LIMIT) == first
        loop.stop()
        loop.stop()
        assert not loop._running
        assert "again" not in [thread.name for thread in threading.enumerate()]


def test_threads_that_start_and_stop_at_once_leave_one_loop_or_none():
    loop = LoopThread("crowded")
    barrier = threading.Barrier(8)

    def restless(number):
        barrier.wait(TIME_LIMIT)
        for _ in range(20):
            loop.start() if number % 2 else loop.stop()

    threads = [threading.Thread(target=restless, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(TIME_LIMIT)
    count = [thread.name for thread in threading.enumerate()].count("crowded")
    assert count == int(loop._running is not None)
    loop.stop()


def test_nothing_reaches_a_loop_that_does_not_run():
    loop = LoopThread()
    for _ in range(2):
        with pytest.raises(NotActiveError):
            loop.post(print)
        with pytest.raises(NotActiveError):
            loop.call(thread_name(), TIME_LIMIT)
        loop.start()
        loop.stop()


def test_stopping_cancels_what_runs_and_tells_who_waits(loop):
    waiting = threading.Event()
    outcome = []

    async def wait():
        waiting.set()
        await asyncio.Event().wait()

    def caller():
        try:
            loop.call(wait(), TIME_LIMIT)
        except NotActiveError as error:
            outcome.append(error)

    thread = threading.Thread(target=caller)
    thread.start()
    assert waiting.wait(TIME_LIMIT)
    loop.stop()
    thread.join(TIME_LIMIT)
    assert len(outcome) == 1


def test_a_blocked_loop_is_left_behind_and_told(loop):
    entered, go_on = threading.Event(), threading.Event()

    def block():
        entered.set()
        go_on.wait(TIME_LIMIT)

    loop.post(block)
    assert entered.wait(TIME_LIMIT)
    thread = next(t for t in threading.enumerate() if t.name == "test_loop")
    try:
        with pytest.raises(TimeLimitError, match="test_loop"):
            loop.stop(0.05)
        assert not loop._running
    finally:
        go_on.set()
        thread.join(TIME_LIMIT)
    assert not thread.is_alive()
