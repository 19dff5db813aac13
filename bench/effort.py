"""How long a run measures: all that there is at length, or what has a target within two minutes."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass

STARTED = time.monotonic()


@dataclass(frozen=True)
class Effort:
    """What a run takes its time for. All that is compared is measured in turns.

    gate      only what has a target
    turns     how often
    budget    seconds after the start of the run in which turns begin; the first begins anyway
    calls     of each function, where functions of one process are compared
    stream    seconds of images at the rate of a camera, in each turn
    flood     seconds of more images than the engine can take, in each turn
    requests  seconds in which clients ask one server, in each turn
    """

    gate: bool
    turns: int
    budget: float
    calls: int
    stream: float
    flood: float
    requests: float

    def each_turn(self) -> Iterator[int]:
        """Count the turns."""
        for i in range(self.turns):
            if i and time.monotonic() - STARTED > self.budget:
                return
            yield i


FULL = Effort(gate=False, turns=3, budget=math.inf, calls=300, stream=3.0, flood=5.0, requests=2.0)
GATE = Effort(gate=True, turns=4, budget=102.0, calls=100, stream=1.5, flood=1.4, requests=0.6)
