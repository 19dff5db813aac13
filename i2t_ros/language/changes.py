"""What appeared and what left between the images of one camera.

Detectors flicker: an object near the score threshold comes and goes from frame to frame. So a
change is reported only after it has lasted for ``hold`` seconds.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from i2t_ros.language.facts import Fact, ObjectCount, TaskFacts


@dataclass(frozen=True, slots=True)
class Changes:
    """What appeared and what left, by task; tasks without a change are left out."""

    appeared: tuple[TaskFacts, ...]
    left: tuple[TaskFacts, ...]

    def __bool__(self) -> bool:
        return bool(self.appeared or self.left)


@dataclass(slots=True)
class _Count:
    """How many of one thing there are: the last reported count, and how it differs since.

    fact      the thing as it was last seen, for the report that it has left
    reported  the count that was last reported
    pending   the smallest difference from ``reported`` since ``since``; 0: no difference
    """

    fact: Fact
    reported: int = 0
    pending: int = 0
    since: float = 0.0

    def see(self, count: int, time: float, hold: float) -> int:
        """Take the count of a new image; return the change to report now, or 0."""
        change = count - self.reported
        if change * self.pending <= 0:  # equal, different for the first time, or the other way
            self.pending, self.since = change, time
        self.pending = min(self.pending, change, key=abs)
        self.since = min(self.since, time)
        if not change or time - self.since < hold:
            return 0
        settled, self.pending = self.pending, 0
        self.reported += settled
        return settled + self.see(count, time, hold)


class ChangeTracker:
    """Compares the images of one camera, one after the other.

    Facts are compared task by task and key by key. A count has changed if it stayed above (or
    below) the last reported count for ``hold`` seconds. The change is the smallest difference in
    that time, so three chairs that flicker between two and three do not come and go. A task that
    did not run, or failed, changes nothing. Everything in the first image is new, and is reported
    ``hold`` seconds later.

    The tracker has no clock: the same facts at the same times give the same changes. Use it from
    one thread at a time.
    """

    def __init__(self, hold: float = 1.0) -> None:
        """Report a change after ``hold`` seconds; 0 reports the changes of every image at once."""
        self.hold = hold
        # task section -> fact key -> count
        self._counts: defaultdict[str, dict[str, _Count]] = defaultdict(dict)

    def update(self, facts: Sequence[TaskFacts], time: float) -> Changes:
        """Return what the facts of an image at ``time`` (seconds, from any origin) changed.

        Pass the facts for the style ``changes``, which have no places. If the time jumps back, as
        when a recording starts over, pending changes wait again from the earlier time.
        """
        appeared: list[TaskFacts] = []
        left: list[TaskFacts] = []
        for task in facts:
            changes: list[tuple[Fact, int]] = []
            counts = self._counts[task.section]
            now = {fact.key: fact for fact in task.found}
            for key in sorted(counts.keys() - now.keys()):
                now[key] = replace(counts[key].fact, count=0)
            for key, fact in now.items():
                state = counts.setdefault(key, _Count(fact))
                state.fact = fact
                changes.append((fact, state.see(fact.count, time, self.hold)))
                if not state.reported and not state.pending:
                    del counts[key]
            for changed, sign in ((appeared, 1), (left, -1)):
                if found := [_changed(f, n) for f, n in changes if n * sign > 0]:
                    changed.append(type(task)(tuple(found)))
        return Changes(tuple(appeared), tuple(left))


def _changed(fact: Fact, change: int) -> Fact:
    """Return a fact of what came or left.

    What came is known by its color if all of its kind came, or if they all have the same. The color
    of what left is not known.
    """
    colors: tuple[tuple[str, int], ...] = ()
    if not isinstance(fact, ObjectCount):
        return replace(fact, count=abs(change))
    if change == fact.count:
        colors = fact.colors
    elif fact.colors and fact.colors[0][1] == fact.count and change > 0:
        colors = ((fact.colors[0][0], change),)
    return replace(fact, count=abs(change), colors=colors)
