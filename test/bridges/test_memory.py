"""The limit on the bytes of requests in memory."""

from __future__ import annotations

import asyncio

import pytest

from i2t_ros.bridges.http.settings import HttpLimits
from i2t_ros.bridges.memory import RequestMemory
from i2t_ros.bridges.tcp.limits import TcpLimits
from i2t_ros.errors import BusyError, InvalidRequestError


def test_the_largest_unfinished_request_gives_way():
    async def scene():
        memory = RequestMemory(100)
        with memory.share() as small, memory.share() as large, memory.share() as done:
            done.resize(50)
            done.complete()
            large.resize(30)
            small.resize(20)
            small.resize(25)
            assert (large.is_refused, large.size, memory.used) == (True, 0, 75)
            with pytest.raises(BusyError):
                large.resize(1)
            with pytest.raises(BusyError):  # only finished ones are larger
                small.resize(51)
            assert (done.is_refused, memory.used) == (False, 50)
        assert memory.used == 0
        assert not memory.growing

    asyncio.run(scene())


def test_one_request_may_take_everything():
    async def scene():
        memory = RequestMemory(100)
        with memory.share() as only:
            for size in range(101):
                only.resize(size)
            only.complete()
            assert memory.used == 100
            with memory.share() as other, pytest.raises(BusyError):
                other.resize(1)
        assert memory.used == 0

    asyncio.run(scene())


def test_a_silent_client_is_woken_and_no_task_is_left():
    async def scene():
        memory = RequestMemory(10)
        never = asyncio.Event()
        with memory.share() as silent, memory.share() as other:
            silent.resize(9)
            waiting = asyncio.ensure_future(silent.wait(never.wait(), 1e6))
            await asyncio.sleep(0)
            other.resize(5)
            with pytest.raises(BusyError):
                await waiting
            with pytest.raises(asyncio.TimeoutError):
                await other.wait(never.wait(), 0)
            assert await other.wait(asyncio.sleep(0, "data"), 1e6) == "data"
            canceled = asyncio.ensure_future(other.wait(never.wait(), 1e6))
            await asyncio.sleep(0)
            canceled.cancel()
            await asyncio.wait([canceled])
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(scene())


@pytest.mark.parametrize(
    ("limits", "one", "prefix"),
    [(HttpLimits, "max_body_bytes", "http"), (TcpLimits, "max_image_bytes", "tcp")],
)
def test_less_memory_than_one_request_may_take_is_refused_by_name(limits, one, prefix):
    with pytest.raises(InvalidRequestError, match=f"{prefix}_max_memory_bytes.*{prefix}_{one}"):
        limits(max_memory_bytes=1000)
    assert limits(**{"max_memory_bytes": 1000, one: 1000})
    with pytest.raises(InvalidRequestError, match="max_memory_bytes"):
        limits(max_memory_bytes=0)
