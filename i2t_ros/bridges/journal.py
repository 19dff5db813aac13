"""What clients do, in the log: no client can fill it."""

import asyncio
import logging
import time
from collections import OrderedDict
from dataclasses import dataclass, field

from i2t_ros.bridges.addresses import network_of
from i2t_ros.pipeline.rate_limit import RateLimit

RATE = 1.0  # lines a second about one address and kind of event
BURST = 8.0
"""Lines at once: what somebody who tries it out by hand wants to see."""
MOST = 4096  # addresses and kinds that are remembered; the longest silent are forgotten first


@dataclass(slots=True)
class _Entry:
    limit: RateLimit = field(default_factory=lambda: RateLimit(BURST, BURST))
    left_out: int = 0
    newest: str = ""
    timer: asyncio.TimerHandle | None = None


class Journal:
    """Logs events of clients: a few at once, and one line a second of each address and kind.

    The lines that are left out are counted, and a second later the newest of them is logged with
    their number. For use on one asyncio loop.
    """

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._entries: OrderedDict[tuple[str, str], _Entry] = OrderedDict()

    def say(self, level: int, address: str, kind: str, line: str) -> None:
        """Log a line about an event of one kind at an address, unless there are too many."""
        key = network_of(address), kind
        entry = self._entries.pop(key, None) or _Entry()
        self._entries[key] = entry
        if len(self._entries) > MOST:
            self._tell(logging.INFO, self._entries.popitem(last=False)[1])
        if entry.limit.allows(time.monotonic(), RATE):
            self._logger.log(level, "%s", line)
            return
        entry.left_out += 1
        entry.newest = line
        if entry.timer is None:
            loop = asyncio.get_running_loop()
            entry.timer = loop.call_later(1 / RATE, self._tell, level, entry)

    def close(self) -> None:
        """Log what has been left out so far."""
        for entry in self._entries.values():
            self._tell(logging.INFO, entry)
        self._entries.clear()

    def _tell(self, level: int, entry: _Entry) -> None:
        if entry.timer is None:
            return
        entry.timer.cancel()
        entry.timer = None
        entry.limit.allows(time.monotonic(), RATE)  # it is one of the lines of a second
        more = f" (and {entry.left_out - 1} more like it)" if entry.left_out > 1 else ""
        self._logger.log(level, "%s%s", entry.newest, more)
        entry.left_out = 0
