"""The tables that a run prints, and how their ratios are made."""

from __future__ import annotations

import dataclasses
import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from effort import Effort


@dataclasses.dataclass(frozen=True)
class Row:
    """One line of a table.

    baseline  the same quantity of what it is compared with, measured in the same run
    ratio     value / baseline, the median over turns; ``low`` and ``high`` are its spread
    target    what is promised, in words; ``met`` is None where nothing is
    """

    name: str
    value: float
    unit: str
    baseline: float | None = None
    ratio: float | None = None
    low: float | None = None
    high: float | None = None
    target: str = ""
    met: bool | None = None

    def line(self) -> str:
        """Return it as a row of a Markdown table."""
        spread = "" if self.low is None else f"{self.low:.2f} to {self.high:.2f}"
        cells = (
            self.name,
            f"{_short(self.value)} {self.unit}",
            "" if self.baseline is None else _short(self.baseline),
            "" if self.ratio is None else f"{self.ratio:.2f}",
            spread,
            self.target,
            {None: "", True: "met", False: "**MISSED**"}[self.met],
        )
        return f"| {' | '.join(cells)} |"


HEAD = "| what | value | beside | ratio | spread | target | |\n|---|---|---|---|---|---|---|"


@dataclasses.dataclass(frozen=True)
class Table:
    """Rows that belong together; ``key`` is what docs/performance.md calls them."""

    key: str
    title: str
    rows: Sequence[Row]

    def text(self) -> str:
        """Return it in Markdown, without the title."""
        return "\n".join([HEAD, *(row.line() for row in self.rows)])


def show(key: str, title: str, rows: Iterable[Row]) -> Table:
    """Print rows below a title as they come; return them as a table."""
    print(f"\n{title}\n\n{HEAD}", flush=True)
    shown = []
    for row in rows:
        print(row.line(), flush=True)
        shown.append(row)
    return Table(key, title, shown)


Times = Mapping[str, Sequence[float]]
"""Seconds of each round by what was called."""


def take_turns(calls: Mapping[str, Callable[[], object]], rounds: int, warm: int = 10) -> Times:
    """Call each once in every round, so that what else the machine does falls on all of them."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for i in range(warm + rounds):
        for name, call in calls.items():
            started = time.perf_counter()
            call()
            if i >= warm:
                times[name].append(time.perf_counter() - started)
    return times


Baseline = TypeVar("Baseline")
Value = TypeVar("Value")


def alternate(
    effort: Effort, baseline: Callable[[], Baseline], values: Mapping[str, Callable[[], Value]]
) -> dict[str, list[tuple[Value, Baseline, Baseline]]]:
    """Measure each value in each turn, and the baseline before and after it.

    A machine among others is a fifth slower or faster every few seconds. What is compared has to be
    measured next to each other.
    """
    found: dict[str, list[tuple[Value, Baseline, Baseline]]] = {name: [] for name in values}
    before = baseline()
    for _ in effort.each_turn():
        for name, value in values.items():
            measured = value()
            after = baseline()
            found[name].append((measured, before, after))
            before = after
    return found


def beside_mean(found: Sequence[tuple[float, float, float]]) -> list[tuple[float, float]]:
    """Return (value, baseline) pairs of what ``alternate`` measured."""
    return [(value, (before + after) / 2) for value, before, after in found]


def milliseconds(name: str, times: Sequence[float], beside: Sequence[float] = ()) -> Row:
    """Return the median of some times; the ratio is to ``beside``, of the same rounds."""
    value = 1e3 * statistics.median(times)
    if not beside:
        return Row(name, value, "ms")
    baseline = 1e3 * statistics.median(beside)
    groups = list(zip(_medians(times), _medians(beside), strict=True))
    ratios = [mine / theirs for mine, theirs in groups]
    ratio = statistics.median(ratios)
    return Row(name, value, "ms", baseline, ratio, min(ratios), max(ratios))


def compared(name: str, unit: str, pairs: Sequence[tuple[float, float]]) -> Row:
    """Return the medians of (value, baseline) pairs, one of each turn, and of their ratios."""
    values, baselines = zip(*pairs, strict=True)
    ratios = [value / baseline for value, baseline in pairs]
    return Row(
        name,
        statistics.median(values),
        unit,
        statistics.median(baselines),
        statistics.median(ratios),
        min(ratios),
        max(ratios),
    )


def at_most(row: Row, limit: float, what: str = "ratio") -> Row:
    """Return a row whose ratio, or else its value (``what`` names it), has to keep to a limit."""
    found = row.ratio if what == "ratio" else row.value
    assert found is not None  # noqa: S101
    return dataclasses.replace(row, target=f"{what} ≤ {limit:g}", met=found <= limit)


def at_least(row: Row, limit: float) -> Row:
    """Return a row whose ratio has to reach a limit."""
    assert row.ratio is not None  # noqa: S101
    return dataclasses.replace(row, target=f"ratio ≥ {limit:g}", met=row.ratio >= limit)


def at_most_added(row: Row, pairs: Sequence[tuple[float, float]], limit: float) -> Row:
    """Return a row whose median difference to what it is beside has to keep to a limit."""
    added = statistics.median(value - baseline for value, baseline in pairs)
    target = f"beside + {limit:g} {row.unit} (here {added:+.1f})"
    return dataclasses.replace(row, target=target, met=added <= limit)


def _medians(times: Sequence[float], groups: int = 10) -> list[float]:
    """Return the medians of ten parts of a run, so that one slow call spoils only its part."""
    size = max(1, len(times) // groups)
    return [statistics.median(times[i : i + size]) for i in range(0, len(times), size)]


def _short(number: float) -> str:
    return f"{number:.0f}" if abs(number) >= 1000 else f"{number:.3g}"
