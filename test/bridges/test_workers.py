"""Calls that are kept off the loop: exceptions, limits, cancellation and the end."""

import asyncio
import threading

import pytest
from waiting import TIME_LIMIT, until

from i2t_ros.bridges.workers import Workers
from i2t_ros.errors import BusyError, ImageError, NotActiveError


@pytest.fixture
def workers():
    made = Workers("i2t-test", 1, 2)
    yield made
    made.close()
    until(lambda: not _threads(), "the threads end")


def _threads():
    return [each for each in threading.enumerate() if each.name.startswith("i2t-test")]


def test_a_function_is_called_in_a_thread_of_that_name(workers):
    name = asyncio.run(workers.run(lambda end: threading.current_thread().name + end, "!"))
    assert name.startswith("i2t-test")
    assert name.endswith("!")


def test_what_a_function_raises_is_raised(workers):
    def fail():
        raise ImageError("no picture")

    with pytest.raises(ImageError, match="no picture"):
        asyncio.run(workers.run(fail))


def test_calls_beyond_the_limit_are_refused_and_there_is_room_again(workers):
    async def ask():
        end = threading.Event()
        calls = [asyncio.ensure_future(workers.run(end.wait, TIME_LIMIT)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(BusyError, match="i2t-test: 2 calls"):
            await workers.run(int)
        end.set()
        await asyncio.gather(*calls)
        return await workers.run(int)

    assert asyncio.run(ask()) == 0


def test_a_call_that_is_canceled_while_it_waits_is_not_made_and_leaves_its_place(workers):
    async def ask():
        end, made = threading.Event(), []
        running = asyncio.ensure_future(workers.run(end.wait, TIME_LIMIT))
        waiting = asyncio.ensure_future(workers.run(made.append, 1))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
        last = asyncio.ensure_future(workers.run(made.append, 2))
        await asyncio.sleep(0)
        end.set()
        await asyncio.gather(running, last)
        return made

    assert asyncio.run(ask()) == [2]


def test_the_end_cancels_what_waits_and_does_not_wait(workers):
    async def ask():
        end = threading.Event()
        running = asyncio.ensure_future(workers.run(end.wait, TIME_LIMIT))
        waiting = asyncio.ensure_future(workers.run(int))
        await asyncio.sleep(0)
        workers.close()
        end.set()
        ended = await asyncio.gather(running, waiting, return_exceptions=True)
        with pytest.raises(NotActiveError):
            await workers.run(int)
        return ended

    first, second = asyncio.run(ask())
    assert first is True
    assert isinstance(second, asyncio.CancelledError)
