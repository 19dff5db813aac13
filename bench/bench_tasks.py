"""What faces, text and classification cost beside detection: time, memory, and all at once.

    python bench/bench_tasks.py [--quick]

One photo of 1280 x 720 with a cat, four people and four lines of text. In each round every way to
work on it has its turn, so whatever else the machine does falls on all; a ratio is the median of
the rounds' own ratios, its spread their quartiles. Memory is resident memory of processes of its
own, after five photos; its spread is the least and the most of three. Tasks whose engine or model
is not on this machine are left out, and named.
"""

import argparse
import contextlib
import os
import statistics
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import cv2

from i2t_ros.describer import DescribeOptions, Describer
from i2t_ros.detector import open_detector
from i2t_ros.errors import I2tError
from i2t_ros.reply_cache import ReplyCache
from i2t_ros.tasks.table import TaskChoices, task_openers
from i2t_ros.types import TASKS, DescribeRequest

SHARED = Path(os.environ.get("I2T_SHARED") or Path(__file__).parents[2] / "shared")
WHITE = (255, 255, 255)
PAGE_LIMIT = 5.0  # seconds for a picture with 20 texts
WARM_UP = 2  # rounds


def rows(quick: bool) -> list[dict]:
    """Return what was measured: name, value, unit, baseline, ratio, target, met and spread."""
    use_shared_models()
    describer, tasks = opened()
    with contextlib.closing(describer):
        rounds = 5 if quick else 15
        return [
            *times(describer, tasks, rounds),
            *replies(describer, rounds if "text" in tasks else 0),
            *memory(tasks, 1 if quick else 3),
        ]


def times(describer, tasks, rounds):
    """Measure each task alone, and several one after another and at once."""
    image = photo()
    groups = {f"{len(tasks)} tasks": tasks}
    if "text" in tasks:
        quick = tuple(task for task in tasks if task != "text")
        groups[f"{len(quick)} tasks without text"] = quick

    def work(chosen):
        describer.describe(image, replace(DescribeOptions(), tasks=chosen))

    calls = {f"task {task} alone": lambda t=task: work((t,)) for task in tasks}
    for name, chosen in groups.items():
        calls[f"{name} one after another"] = lambda c=chosen: [work((task,)) for task in c]
        calls[f"{name} at once"] = lambda c=chosen: work(c)
    measured = taking_turns(calls, rounds)
    for name, seconds in measured.items():
        baseline = measured.get(name.replace(" at once", " one after another"))
        yield row(name, seconds, None if baseline is seconds else baseline)


def replies(describer, rounds):
    """Measure whole replies, from an encoded picture to an annotated one."""
    if not rounds:
        return
    options = replace(DescribeOptions(), tasks=("text",))
    request = DescribeRequest(cv2.imencode(".jpg", page())[1].tobytes(), annotate=True)
    read = len(describer.answer(request, options).description.scene.texts)
    remembering = Describer(None, {"text": lambda: Lent(describer)}, cache=ReplyCache())
    with contextlib.closing(remembering):
        measured = taking_turns(
            {
                "worked": lambda: describer.answer(request, options),
                "cached": lambda: remembering.answer(request, options),
            },
            max(3, rounds // 3),
        )
    yield row(f"reply to a photo with 20 texts, {read} read", measured["worked"], limit=PAGE_LIMIT)
    yield row("the same from the cache", measured["cached"], measured["worked"])


class Lent:
    """The text task of another describer."""

    name, report, degraded = "lent", "", False

    def __init__(self, describer):
        self._describer = describer

    def run(self, image, options):
        return self._describer.describe(image, options).scene

    def close(self):
        """Leave it to its owner."""


def memory(tasks, processes):
    """Measure processes without any task, with each of them, and with all."""
    base = statistics.median(megabytes(()) for _ in range(processes))
    yield figure("memory without a task", base, "MB")
    for chosen in [(task,) for task in tasks] + [tasks]:
        added = [megabytes(chosen) - base for _ in range(processes)]
        name = f"memory that task {chosen[0]} adds"
        if len(chosen) > 1:
            name = f"memory that {len(chosen)} tasks add"
        entry = figure(name, statistics.median(added), "MB")
        yield {**entry, "spread": (min(added), max(added))}


def megabytes(tasks):
    """Return the resident memory of a new process that has worked on five photos."""
    done = subprocess.run(
        [sys.executable, __file__, "--memory", ",".join(tasks)],
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    return float(done.stdout.split()[-1])


def print_memory(tasks):
    """Work on five photos and print the resident memory of this process in MB."""
    use_shared_models()
    image = photo()
    if tasks:
        describer, _ = opened(tasks)
        with contextlib.closing(describer):
            for _ in range(5):
                describer.describe(image, replace(DescribeOptions(), tasks=tasks))
            print(resident())
    else:
        print(resident())


def resident():
    """Return the resident memory of this process in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def taking_turns(calls, rounds):
    """Return the seconds of each call in each round."""
    seconds = {name: [] for name in calls}
    for i in range(WARM_UP + rounds):
        for name, call in calls.items():
            started = time.perf_counter()
            call()
            if i >= WARM_UP:
                seconds[name].append(time.perf_counter() - started)
    return seconds


def row(name, seconds, baseline=None, limit=None):
    """Return the median in ms; beside a baseline of the same rounds, the ratio."""
    made = figure(name, 1e3 * statistics.median(seconds), "ms")
    parts = [1e3 * s for s in seconds]
    if baseline is not None:
        parts = [a / b for a, b in zip(seconds, baseline, strict=True)]
        made["baseline"] = 1e3 * statistics.median(baseline)
        made["ratio"] = statistics.median(parts)
    if limit is not None:
        made["target"] = 1e3 * limit
        made["met"] = made["value"] <= made["target"]
    low, _, high = statistics.quantiles(parts, n=4)
    return {**made, "spread": (low, high)}


def figure(name, value, unit):
    empty = dict.fromkeys(("baseline", "ratio", "target", "met", "spread"))
    return {"name": name, "value": value, "unit": unit, **empty}


def use_shared_models():
    """Take what is on this machine and nothing else."""
    os.environ.setdefault("I2T_MODEL_PATH", str(SHARED / "models"))
    os.environ["I2T_OFFLINE"] = "1"


def opened(wanted=TASKS):
    """Return a describer with the tasks that this machine can do, all loaded, and their names."""
    detector = open_detector() if "detect" in wanted else None
    describer = Describer(detector, task_openers(TaskChoices()))
    tasks = []
    for task in wanted:
        try:
            describer.prepare([task])
            tasks.append(task)
        except I2tError as error:
            print(f"left out: {task}: {error}", file=sys.stderr)
    return describer, tuple(tasks)


def photo():
    """Return a cat, four people and four lines of text."""
    image = background()
    people = cv2.imread(str(SHARED / "images" / "face.jpg"))
    if people is not None:
        image[720 - people.shape[0] :, 1280 - people.shape[1] :] = people
    for i, text in enumerate(("Platform 24", "Mind the gap", "Exit", "Departs 10:35")):
        cv2.putText(image, text, (820, 70 + 70 * i), 0, 1.5, WHITE, 4, cv2.LINE_AA)
    return image


def page():
    """Return a photo with 20 lines of text on it."""
    image = background()
    for i in range(20):
        at = (40 + i % 2 * 600, 60 + i // 2 * 66)
        cv2.putText(image, f"Line {i:02}: mind the gap", at, 0, 1, WHITE, 3, cv2.LINE_AA)
    return image


def background():
    image = cv2.imread(str(SHARED / "images" / "cat_720p.jpg"))
    if image is None:
        raise SystemExit(f"no photo in {SHARED}/images")
    return image


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    parser.add_argument(
        "--memory", metavar="TASKS", help="print this process's memory after five photos"
    )
    args = parser.parse_args()
    if args.memory is not None:
        print_memory(tuple(filter(None, args.memory.split(","))))
        return
    print("| what | value | beside | ratio | spread | target | met |")
    print("|---|---|---|---|---|---|---|")
    for entry in rows(args.quick):
        print(line(entry))


def line(entry):
    """Return one row of the table."""
    value, baseline, target = (
        "" if entry[key] is None else f"{entry[key]:.1f} {entry['unit']}"
        for key in ("value", "baseline", "target")
    )
    ratio = "" if entry["ratio"] is None else f"{entry['ratio']:.3f}"
    digits = 1 if entry["ratio"] is None else 3
    spread = entry["spread"] and " to ".join(f"{end:.{digits}f}" for end in entry["spread"])
    met = {None: "", True: "yes", False: "no"}[entry["met"]]
    return (
        f"| {entry['name']} | {value} | {baseline} | {ratio} | {spread or ''} | {target} | {met} |"
    )


if __name__ == "__main__":
    main()
