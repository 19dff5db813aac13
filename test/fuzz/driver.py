"""Runs a target: generates inputs, watches, and keeps an input that was not taken well."""

import ast
import contextlib
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from bounds import Bounds
from target import Case, Target
from watching import Watch

OUT = Path(__file__).resolve().parent / "out"
SHRINKING = 20.0
"""Seconds to look for a smaller input that fails too."""
AFTERWARD = 0.05
"""Seconds in which a listener may fail after a client has left."""
WARM_UP = 20
"""Inputs before memory is measured: libraries load what they need, allocators settle."""


class FoundError(AssertionError):
    """An input was not taken well; the message says how, and how to try it again."""


@dataclass
class Figures:
    """What a run of a target has shown: a row of the table of docs/security.md."""

    name: str
    cases: int = 0
    seconds: float = 0.0
    loop_delay: float = 0.0
    grown: int = 0
    answer: float = 0.0


def case_of(target: Target, seed: int, number: int) -> Case:
    """Return an input, which depends on nothing else."""
    return target.generate(Random(f"{target.name} {seed} {number}"))


def run(
    kind: type[Target],
    bounds: Bounds,
    seed: int,
    over: Callable[[Figures], bool],
    *,
    busy_machine: bool = False,
) -> Figures:
    """Run inputs until ``over``, which is told how far it is; raises FoundError."""
    with _watched(kind, bounds, busy_machine) as (target, watch):
        figures, began = Figures(target.name), time.monotonic()
        while not over(figures):
            number = figures.cases
            if number == WARM_UP:
                watch.settle()
            case = case_of(target, seed, number)
            try:
                _run_one(target, watch, case)
            except Exception as error:
                problem = f"{type(error).__name__}: {error}"
                before = case_of(target, seed, max(0, number - 1))
                smallest = _shrunk(target, watch, (case, before), _kind_of(error))
                path = save(target.name, f"{seed}-{number}", smallest)
                raise FoundError(
                    f"{target.name}, seed {seed}, case {number}: {problem}\n"
                    f"make fuzz TARGET={target.name} CASE={path} tries it again"
                ) from error
            figures.cases += 1
            figures.seconds = time.monotonic() - began
            figures.loop_delay, figures.grown = watch.loop_delay, watch.grown
            figures.answer = watch.answer
    return figures


def again(kind: type[Target], bounds: Bounds, path: Path) -> None:
    """Run a saved input; raises what is wrong with it."""
    with _watched(kind, bounds, busy_machine=False) as (target, watch):
        _run_one(target, watch, ast.literal_eval(path.read_text()))


def save(name: str, which: str, case: Case) -> Path:
    """Write an input to a file that ``again`` reads."""
    OUT.mkdir(exist_ok=True)
    path = OUT / f"{name}-{which}.txt"
    path.write_text("[\n" + "".join(f"    {part!r},\n" for part in case) + "]\n")
    return path


@contextlib.contextmanager
def _watched(
    kind: type[Target], bounds: Bounds, busy_machine: bool
) -> Iterator[tuple[Target, Watch]]:
    watch = Watch(bounds, busy_machine=busy_machine)
    target = kind(bounds, watch)
    with watch.log(), target.opened():
        yield target, watch
    watch.measure = lambda: 0  # what is measured has ended
    watch.check(target.memory)


def _run_one(target: Target, watch: Watch, case: Case) -> None:
    target.run(case)
    watch.check(target.memory)


def _kind_of(error: Exception) -> str:
    """Return what tells one failure from another: its type and message, without figures."""
    return re.sub(r"\d+", "", f"{type(error).__name__}: {error}")[:40]


def _shrunk(target: Target, watch: Watch, cases: tuple[Case, Case], failure: str) -> Case:
    """Return the smallest input found that fails so too: without parts, parts without slices.

    It may be the one before that has failed, when its client had left. If neither fails alone, it
    is the first as it is.
    """
    end, pause = time.monotonic() + SHRINKING, threading.Event()

    def fails(smaller: Case) -> bool:
        try:
            target.run(smaller)
            pause.wait(AFTERWARD)
            watch.check(target.memory)
        except Exception as error:
            return _kind_of(error) == failure
        return False

    case = next(filter(fails, cases), None)
    if case is None:
        return cases[0]
    size = max(map(len, case))
    while size and time.monotonic() < end:
        for smaller in _smaller(case, size):
            if time.monotonic() > end:
                break
            if fails(smaller):
                case = smaller
                break
        else:
            size //= 2
    return case


def _smaller(case: Case, size: int) -> Iterator[Case]:
    for number, part in enumerate(case):
        yield case[:number] + case[number + 1 :]
        for start in range(0, len(part), size):
            yield [*case[:number], part[:start] + part[start + size :], *case[number + 1 :]]
