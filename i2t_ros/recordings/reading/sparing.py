"""Which packets of a video have images that are wanted; a decoder may leave out some others."""

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

AHEAD = 20
"""Packets that are looked at before one is decoded: in no usual format do more of them come between
an image and another one that is shown before it."""
MOST_PERIODS = 64
"""Kept in memory; packets of the oldest ones have long been decoded."""


def marked(
    packets: Iterator[Any], time_of: Callable[[Any], int | None], start: int, every: int
) -> Iterator[tuple[Any, bool]]:
    """Yield each packet, and whether its image may be wanted.

    time_of  returns when a packet is shown, in nanoseconds; None: it does not tell
    start    nanoseconds; what is shown earlier is not wanted
    every    nanoseconds, as in Selection
    """
    ahead: deque[tuple[Any, int | None]] = deque()
    firsts: dict[int, int] = {}  # period -> when its first image is shown

    def is_wanted(time: int | None) -> bool:
        if time is None:
            return True
        return time >= start and (not every or time <= firsts.get(time // every, time))

    for packet in packets:
        time = time_of(packet)
        ahead.append((packet, time))
        if every and time is not None and time >= start:
            period = time // every
            firsts[period] = min(time, firsts.get(period, time))
            if len(firsts) > MOST_PERIODS:
                del firsts[min(firsts)]
        if len(ahead) > AHEAD:
            earliest, shown = ahead.popleft()
            yield earliest, is_wanted(shown)
    for packet, time in ahead:
        yield packet, is_wanted(time)
