"""The log of what clients do: whatever they do, it stays readable."""

import asyncio
import logging
from types import SimpleNamespace

import pytest

from i2t_ros.bridges import journal as module
from i2t_ros.bridges.journal import BURST, MOST, Journal

LOG = logging.getLogger("i2t_ros.test_journal")


@pytest.fixture
def lines(caplog):
    """Return the lines that have been logged, as a function."""
    caplog.set_level(logging.INFO, LOG.name)
    return lambda: [record.getMessage() for record in caplog.records]


def test_a_few_lines_come_as_they_are_and_of_a_flood_the_newest_with_a_count(lines, monkeypatch):
    monkeypatch.setattr(module, "RATE", 100.0)
    # A flood takes no time, however busy the machine is.
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: 0.0))

    async def flood():
        journal = Journal(LOG)
        for number in range(1000):
            journal.say(logging.WARNING, "10.0.0.1", "failed", f"line {number}")
        few = [f"line {number}" for number in range(int(BURST))]
        assert lines() == few
        journal.say(logging.INFO, "10.0.0.2", "failed", "of another address")
        journal.say(logging.INFO, "10.0.0.1", "connected", "of another kind")
        assert lines()[len(few) :] == ["of another address", "of another kind"]
        while len(lines()) == len(few) + 2:
            await asyncio.sleep(0.001)
        assert lines()[-1] == f"line 999 (and {1000 - len(few) - 1} more like it)"
        journal.close()
        assert len(lines()) == len(few) + 3

    asyncio.run(flood())


def test_what_was_left_out_is_told_at_the_end(lines):
    async def flood():
        journal = Journal(LOG)
        for number in range(int(BURST) + 1):
            journal.say(logging.WARNING, "10.0.0.1", "failed", f"line {number}")
        journal.close()

    asyncio.run(flood())
    assert len(lines()) == BURST + 1


def test_addresses_without_end_do_not_fill_the_memory(lines):
    async def flood():
        journal = Journal(LOG)
        for number in range(MOST + 100):
            journal.say(logging.DEBUG, str(number), "failed", "line")
        assert len(journal._entries) == MOST
        journal.close()

    asyncio.run(flood())
