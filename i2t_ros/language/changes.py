"""What appeared and what left between the images of one camera.

A detector flickers: an object at the edge of its threshold comes and goes with every frame. A
change is therefore said only once it has held for ``hold`` seconds.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from i2t_ros.language.facts import Fact, TaskFacts


@dataclass(frozen=True, slots=True)
class Changes:
    """What came and what went, by task, without the tasks of which nothing did."""

    appeared: tuple[TaskFacts, ...]
    left: tuple[TaskFacts, ...]

    def __bool__(self) -> bool:
        return bool(self.appeared or self.left)


@dataclass(slots=True)
class _Count:
    """How many of one thing there are, as last said and as seen since.

    fact     the thing as it was last seen, which is what is said of it once it is gone
    said     the count that has been said
    pending  the least change from it since ``since``, None while what is seen is what was said
    """

    fact: Fact
    said: int = 0
    pending: int | None = None
    since: float = 0.0

    def see(self, count: int, time: float, hold: float) -> int:
        """Take in a count; return by how many what is said changes now."""
        change = count - self.said
        if change == 0:
            self.pending = None
            return 0
        if self.pending is None or (change > 0) != (self.pending > 0):
            self.pending, self.since = change, time
        self.pending = min(self.pending, change, key=abs)
        self.since = min(self.since, time)
        if time - self.since < hold:
            return 0
        settled = self.pending
        self.said += settled
        self.pending = None
        return settled + self.see(count, time, hold)


class ChangeTracker:
    """Compares the images of one camera, one after the other.

    Facts are compared task by task and key by key. A count has changed once it has been above (or
    below) what was last said for ``hold`` seconds on end, and by the least that it differed in that
    time: three chairs that flicker between two and three do not come and go. A task that did not
    run, or failed, changes nothing. Before the first image there is nothing, so that what the first
    one shows has appeared ``hold`` seconds later.

    The tracker has no clock: the times given decide alone, and the same facts at the same times
    give the same changes. Not for several threads at once.
    """

    def __init__(self, hold: float = 1.0) -> None:
        """Wait ``hold`` seconds before a change is a change; 0 believes every image."""
        if not (math.isfinite(hold) and hold >= 0):
            raise ValueError(f"hold: expected seconds, 0 or more, got {hold}")
        self.hold = hold
        # By the section of the task, and by key.
        self._counts: defaultdict[str, dict[str, _Count]] = defaultdict(dict)

    def update(self, facts: Sequence[TaskFacts], time: float) -> Changes:
        """Return what changed by the facts of an image at ``time``, in seconds from any origin.

        The facts are those for the style ``changes``, which has no places. Times that jump back, as
        those of a recording that starts over, begin the wait anew at the earlier time.
        """
        appeared: list[TaskFacts] = []
        left: list[TaskFacts] = []
        for task in facts:
            came: list[Fact] = []
            went: list[Fact] = []
            counts = self._counts[task.section]
            now = {fact.key: fact for fact in task.found}
            for key in sorted(counts.keys() - now.keys()):
                now[key] = replace(counts[key].fact, count=0)
            for key, fact in now.items():
                state = counts.setdefault(key, _Count(fact))
                state.fact = fact
                if change := state.see(fact.count, time, self.hold):
                    (came if change > 0 else went).append(replace(fact, count=abs(change)))
                if not state.said and state.pending is None:
                    del counts[key]
            appeared += [type(task)(tuple(came))] if came else []
            left += [type(task)(tuple(went))] if went else []
        return Changes(tuple(appeared), tuple(left))
