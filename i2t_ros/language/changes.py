"""What appeared and what left between the scenes of one camera.

A detector flickers: an object at the edge of its threshold comes and goes with every frame. A
change is therefore said only once it has held for ``hold`` seconds.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from i2t_ros.language.facts import ClassFact, Facts, ObjectCount, TextFact, scene_facts
from i2t_ros.types import Scene

_Fact = ObjectCount | ClassFact | TextFact | None
_Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Changes:
    """What came and what went, as facts; false where nothing did."""

    appeared: Facts
    left: Facts

    def __bool__(self) -> bool:
        """Say whether anything came or went."""
        return bool(self.appeared or self.left)


@dataclass(slots=True)
class _Count:
    """How many of one thing there are, as last said and as seen since.

    said     the count that has been said
    pending  the least change from it since ``since``, None while what is seen is what was said
    fact     the thing as it was last seen
    """

    said: int = 0
    pending: int | None = None
    since: float = 0.0
    fact: _Fact = None

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
    """Compares the scenes of one camera, one after the other.

    Counts are compared class by class, with the number of faces, the texts and the best class of
    the whole picture beside them. A count has changed once it has been above (or below) what was
    last said for ``hold`` seconds on end, and by the least that it differed in that time: three
    chairs that flicker between two and three do not come and go. A task that did not run, or
    failed, changes nothing. Before the first scene there is nothing, so that what the first one
    shows has appeared ``hold`` seconds later.

    The tracker has no clock: the times given decide alone, and the same scenes at the same times
    give the same changes. Not for several threads at once.
    """

    def __init__(self, hold: float = 1.0) -> None:
        """Wait ``hold`` seconds before a change is a change; 0 believes every scene."""
        if not (math.isfinite(hold) and hold >= 0):
            raise ValueError(f"hold: expected seconds, 0 or more, got {hold}")
        self.hold = hold
        self._counts: dict[_Key, _Count] = {}

    def update(self, scene: Scene, time: float) -> Changes:
        """Return what changed by a scene at ``time``, in seconds from any origin.

        Times that jump back, as those of a recording that starts over, begin the wait anew at the
        earlier time.
        """
        facts = scene_facts(scene)
        seen = dict(_seen(facts))
        ran = _tasks_that_ran(facts)
        for key in seen.keys() - self._counts.keys():
            self._counts[key] = _Count()
        came: dict[_Key, tuple[int, _Fact]] = {}
        went: dict[_Key, tuple[int, _Fact]] = {}
        for key, state in self._counts.items():
            if key[0] not in ran:
                continue
            count, fact = seen.get(key, (0, state.fact))
            state.fact = fact
            change = state.see(count, time, self.hold)
            if change:
                (came if change > 0 else went)[key] = (abs(change), fact)
        self._counts = {
            key: state
            for key, state in self._counts.items()
            if state.said or state.pending is not None
        }
        return Changes(_facts(came, seen), _facts(went, seen))


def _seen(facts: Facts) -> Iterator[tuple[_Key, tuple[int, _Fact]]]:
    """Yield each thing of a scene, how many there are, and the fact that says so."""
    for thing in facts.objects or ():
        yield ("objects", thing.class_id), (thing.count, thing)
    if facts.faces:
        yield ("faces", ""), (facts.faces, None)
    for text in facts.texts or ():
        yield ("texts", text.text), (1, text)
    for best in (facts.classification or ())[:1]:
        yield ("classification", best.label), (1, best)


def _tasks_that_ran(facts: Facts) -> frozenset[str]:
    results = {
        "objects": facts.objects,
        "faces": facts.faces,
        "texts": facts.texts,
        "classification": facts.classification,
    }
    return frozenset(name for name, result in results.items() if result is not None)


def _facts(changed: dict[_Key, tuple[int, _Fact]], seen: dict[_Key, tuple[int, _Fact]]) -> Facts:
    """Return changed counts as facts, what is in view in the order of its scene."""
    order = {key: place for place, key in enumerate(seen)}
    ranked = sorted(changed.items(), key=lambda item: (order.get(item[0], len(order)), item[0]))
    found = [(change, fact) for _, (change, fact) in ranked]
    return Facts(
        objects=tuple(
            replace(fact, count=change) for change, fact in found if isinstance(fact, ObjectCount)
        ),
        faces=changed.get(("faces", ""), (0, None))[0],
        texts=tuple(fact for _, fact in found if isinstance(fact, TextFact)),
        classification=tuple(fact for _, fact in found if isinstance(fact, ClassFact)),
    )
