"""Hostile input to every parser for a while, each target in a process of its own.

    make fuzz MINUTES=30                  all targets, in turn
    make fuzz MINUTES=5 TARGET=http       one of them
    make fuzz SEED=12                     the inputs of an earlier run
    make fuzz TARGET=http CASE=FILE       one input that was kept
    make fuzz MINUTES=30 ARGS=--write-docs   puts the figures into docs/security.md too

Ends with code 1 if an input was not taken well; a small one that fails is kept in test/fuzz/out.
"""

import argparse
import dataclasses
import faulthandler
import multiprocessing
import os
import random
import signal
import sys
import time
import traceback
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / folder) for folder in ("test/fuzz", "test/support", "bench")]

import driver
import report
from all_targets import TARGETS
from bounds import LONG_RUN

PAGE = ROOT / "docs" / "security.md"
EVERY = 5.0  # seconds between two lines of progress
HEAD = (
    "| target | inputs | seconds | longest delay of the loop | memory grown | slowest innocent "
    "answer |\n"
    "|---|---|---|---|---|---|"
)


@dataclasses.dataclass(frozen=True)
class Table:
    """The figures of a run; ``key`` is what the page calls them."""

    rows: list[driver.Figures]
    key: str = "fuzz"

    def text(self) -> str:
        """Return it in Markdown."""
        return "\n".join([HEAD, *map(_line, self.rows)])


def _line(row: driver.Figures) -> str:
    delay = f"{1000 * row.loop_delay:.0f} ms" if row.loop_delay else "no loop"
    answer = f"{1000 * row.answer:.0f} ms" if row.answer else "no clients"
    grown = f"{row.grown / 1e6:.0f} MB"
    return f"| `{row.name}` | {row.cases} | {row.seconds:.0f} | {delay} | {grown} | {answer} |"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=30.0, help="for all targets together")
    parser.add_argument("--seed", type=int, help="by default a random one, which is printed")
    parser.add_argument("--target", choices=TARGETS, help="this one alone")
    parser.add_argument("--case", type=Path, help="a file of test/fuzz/out, of that target")
    parser.add_argument("--write-docs", action="store_true", help="into docs/security.md")
    arguments = parser.parse_args()
    names = [arguments.target] if arguments.target else list(TARGETS)
    if arguments.case:
        if not arguments.target:
            parser.error("--case needs its --target")
        driver.again(TARGETS[arguments.target], LONG_RUN, arguments.case)
        print("taken well")
        return 0
    seed = random.SystemRandom().randrange(10**9) if arguments.seed is None else arguments.seed
    measured = report.here()
    print(f"{measured.line()}\nseed {seed}")
    seconds = 60 * arguments.minutes / len(names)
    rows, failed = [], []
    for name in names:
        row, problem = _in_a_process(name, seed, seconds)
        rows.append(row)
        if problem:
            failed.append(name)
            print(problem)
    print(Table(rows).text())
    if arguments.write_docs and not failed:
        report.write_page(measured, [Table(rows)], PAGE)
    return int(bool(failed))


def _in_a_process(name: str, seed: int, seconds: float) -> tuple[driver.Figures, str]:
    """Return the figures of a target, and what went wrong; a crash ends only its process."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    child = context.Process(target=_run, args=(name, seed, seconds, theirs), name=name)
    child.start()
    theirs.close()
    figures, problem, told = driver.Figures(name), "", time.monotonic()
    try:
        while True:
            figures, problem = ours.recv()
            if time.monotonic() - told > EVERY:
                told = time.monotonic()
                _progress(figures, seconds)
    except EOFError:
        child.join()
    except KeyboardInterrupt:  # it ends what it has started, also if it was not told
        os.kill(child.pid, signal.SIGINT)
        child.join()
        raise
    if child.exitcode and not problem:
        problem = (
            f"{name}, seed {seed}: the process ended with {child.exitcode} at case {figures.cases} "
            f"or soon after; {driver.OUT}/{name}-crash.txt has the stack"
        )
    return figures, problem


def _progress(figures: driver.Figures, seconds: float) -> None:
    left = max(0.0, seconds - figures.seconds)
    rate = figures.cases / max(figures.seconds, 1e-9)
    print(
        f"{figures.name}: {figures.cases} inputs, {rate:.0f} a second; "
        f"memory +{figures.grown / 1e6:.0f} MB, loop {1000 * figures.loop_delay:.0f} ms, "
        f"innocent {1000 * figures.answer:.0f} ms; {left:.0f} s left",
        flush=True,
    )


def _run(name: str, seed: int, seconds: float, pipe) -> None:
    """Be the process of a target."""
    driver.OUT.mkdir(exist_ok=True)
    with (driver.OUT / f"{name}-crash.txt").open("w") as stack:
        faulthandler.enable(stack)
        # Decoders write a line for each of a picture's faults.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        newest = driver.Figures(name)

        def over(figures: driver.Figures) -> bool:
            nonlocal newest
            newest = figures
            pipe.send((figures, ""))
            return figures.seconds > seconds

        try:
            pipe.send((driver.run(TARGETS[name], LONG_RUN, seed, over), ""))
        except driver.FoundError as error:
            pipe.send((newest, str(error)))
        except Exception:
            pipe.send((newest, f"{name}, seed {seed}:\n{traceback.format_exc()}"))
        finally:
            faulthandler.disable()
    if not (driver.OUT / f"{name}-crash.txt").stat().st_size:
        (driver.OUT / f"{name}-crash.txt").unlink()


if __name__ == "__main__":
    sys.exit(main())
