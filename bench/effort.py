"""How long a run measures: all that there is at length, or what has a target within two minutes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Effort:
    """What a run takes its time for. All that is compared is measured in turns.

    gate      only what has a target
    turns     how often
    calls     of each function, where functions of one process are compared
    stream    seconds of images at the rate of a camera, in each turn
    flood     seconds of more images than the engine can take, in each turn
    requests  seconds in which clients ask one server, in each turn
    """

    gate: bool
    turns: int
    calls: int
    stream: float
    flood: float
    requests: float


FULL = Effort(gate=False, turns=5, calls=300, stream=6.0, flood=16.0, requests=4.0)
GATE = Effort(gate=True, turns=4, calls=100, stream=1.5, flood=1.4, requests=0.6)
