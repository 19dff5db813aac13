"""What `i2t annotate` makes of the cores, and whether its memory stays flat.

A video of 640 x 480 at 10 Hz: photos that move slowly, H.264. The engine is yolox_nano with one
thread, as in each worker. In each turn the bare engine runs before and after: alone, whose rate
times the cores is what all is compared with. In every core at once it is what the machine can do;
a plain loop in every core, which decodes and describes and keeps nothing, is what any program can.
`Looking` is from the first image to the last, without the start of the processes; the others are
the whole command. Memory is of all processes together, once early and at the end, of
a video that is long, with an engine that costs nothing.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import multiprocessing
import os
import re
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from effort import Effort
from material import SHARED, bare_engine, model, open_detector, photo
from table import Row, Table, alternate, at_least, at_most, beside_mean, compared, show
from targets import RECORDINGS, RECORDINGS_GROWTH

from i2t_ros.backends.base import BackendOptions
from i2t_ros.backends.cores import usable_cores
from i2t_ros.cli.flags import GROUPS
from i2t_ros.pipeline.describe_options import DescribeOptions
from i2t_ros.pipeline.describer import Describer
from i2t_ros.recordings.base import SECOND, Selection, Span
from i2t_ros.recordings.reading.videos import VideoRecording
from i2t_ros.recordings.work.annotate import Annotation, settle
from i2t_ros.recordings.work.crew import LocalCrew
from i2t_ros.recordings.work.job import Job
from i2t_ros.recordings.work.plan import make_plan
from i2t_ros.recordings.work.store import open_store
from i2t_ros.recordings.writing.registry import OUTPUTS, RECORDING

RATE = 10
"""Hz."""
SECONDS = 60
"""Of the video that is described."""
HOUR = 3600
"""Seconds of the video whose memory is measured."""
BARE = 2.0
"""Seconds that the bare engine runs each time."""
LOT = 200
"""Images between two looks at the memory."""
CORES = usable_cores().number


def tables(effort: Effort) -> list[Table]:
    with tempfile.TemporaryDirectory(prefix="i2t-bench-") as folder:
        film = make_film(Path(folder, "film.mp4"), SECONDS)
        hour = make_film(Path(folder, "hour.mp4"), HOUR)
        return [
            show("recordings", "Recordings, all cores", rates(film, Path(folder), effort)),
            show("recordings_memory", "Memory of an hour at 10 Hz", memory(hour, Path(folder))),
        ]


def rates(film: Path, folder: Path, effort: Effort) -> Iterator[Row]:
    """Measure images a second."""
    everything = tuple(name for name in OUTPUTS if name != RECORDING)
    values = {
        "looking": lambda: annotated(film, folder, ("jsonl",)).looking,
        "the bare engine in every core at once": lambda: together(CORES),
        "a plain loop in every core": lambda: together(CORES, film),
        "whole command, tables": lambda: annotated(film, folder, ("jsonl",)).whole,
        "whole command, all but the annotated video": lambda: (
            annotated(film, folder, everything).whole
        ),
        "whole command, and the annotated video": lambda: annotated(film, folder, OUTPUTS).whole,
    }
    found = alternate(effort, lambda: CORES * together(1), values)
    for name, measured in found.items():
        row = compared(f"{name} ({CORES} cores)", "images/s", beside_mean(measured))
        yield at_least(row, RECORDINGS) if name == "looking" else row


class Clock:
    """Hears how far the work is, and looks at the time and at the memory."""

    def __init__(self, *, weigh: bool = False) -> None:
        self.started = time.perf_counter()
        self.times: list[tuple[str, float, int]] = []
        self.megabytes: list[tuple[int, float]] = []
        self._weigh = weigh
        self._what, self._done = "", 0

    def begin(self, what: str, total: int, done: int) -> None:
        self._what, self._done = what, 0

    def advance(self, number: int) -> None:
        self._done += number
        if self._what == "looking":
            self.times.append((self._what, time.perf_counter(), self._done))
            if self._weigh and self._done >= LOT * (1 + len(self.megabytes)):
                self.megabytes.append((self._done, weight()))


class Annotated:
    """One run, with the engine that the bench measures, or one that costs nothing."""

    def __init__(self, film: Path, folder: Path, outputs: Sequence[str], *, fake: bool) -> None:
        values = {option.name: option.default for group in GROUPS.values() for option in group}
        values |= {"threads": 1, "language_folder": None, "model": "fake" if fake else model()}
        job = Job((str(film),), Selection(), values, outputs=tuple(outputs))
        self.clock = Clock(weigh=fake)
        with tempfile.TemporaryDirectory(dir=folder) as out:
            store = open_store(out)
            plan = make_plan(job)
            settle(store, plan, overwrite=True)
            with LocalCrew(out, CORES) as crew:
                self.made = Annotation(store, plan, self.clock).run(crew)
        self.seconds = time.perf_counter() - self.clock.started

    @property
    def looking(self) -> float:
        """Images a second, from the first tenth on, when every process has begun."""
        times = self.clock.times[len(self.clock.times) // 10 :]
        return (times[-1][2] - times[0][2]) / (times[-1][1] - times[0][1])

    @property
    def whole(self) -> float:
        return self.made.images / self.seconds


def annotated(film: Path, folder: Path, outputs: Sequence[str]) -> Annotated:
    return Annotated(film, folder, outputs, fake=False)


def memory(hour: Path, folder: Path) -> Iterator[Row]:
    """Compare the memory of all processes at the end with that after a tenth."""
    weighed = Annotated(hour, folder, ("jsonl",), fake=True).clock.megabytes
    early = statistics.median(mb for done, mb in weighed if 0.05 < done / (HOUR * RATE) < 0.15)
    late = statistics.median(mb for done, mb in weighed if done / (HOUR * RATE) > 0.9)
    row = Row(f"memory, {CORES} workers and the one that leads", late, "MB", early, late / early)
    yield at_most(row, RECORDINGS_GROWTH)


def weight() -> float:
    """Return the resident memory of this process and its children, in MB."""
    own = os.getpid()
    tasks = Path(f"/proc/{own}/task").glob("*/children")
    pids = [own, *(int(pid) for file in tasks for pid in file.read_text().split())]
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError, TypeError):
            total += int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1])
    return total / 1024


def together(number: int, film: Path | None = None) -> float:
    """Return the images a second of some processes, each with one thread: of the bare engine.

    film  what they read and describe instead
    """
    context = multiprocessing.get_context("spawn")
    barrier, results = context.Barrier(number), context.SimpleQueue()
    target, more = (_bare, ()) if film is None else (_loop, (film,))
    processes = [
        context.Process(target=target, args=(barrier, results, *more)) for _ in range(number)
    ]
    for process in processes:
        process.start()
    rates = [results.get() for _ in processes]
    for process in processes:
        process.join()
    return sum(rates)


def _bare(barrier, results) -> None:
    cv2.setNumThreads(1)
    call = bare_engine(open_detector(model(), options=BackendOptions(threads=1)), photo())
    _count(barrier, results, itertools.repeat(call))


def _loop(barrier, results, film: Path) -> None:
    cv2.setNumThreads(1)
    opener = functools.partial(open_detector, model(), options=BackendOptions(threads=1))
    describer, options = Describer({"detect": opener}), DescribeOptions()
    recording, selection = VideoRecording(str(film)), Selection()
    span = Span(0, HOUR * SECOND, 0)
    items = recording.items(span, selection)
    _count(
        barrier,
        results,
        (lambda item=item: describer.describe(item.read(), options) for item in items),
    )


def _count(barrier, results, calls) -> None:
    """Put how many calls a second are made, after ten to warm up."""
    for call in itertools.islice(calls, 10):
        call()
    barrier.wait()
    count, start = 0, time.perf_counter()
    for call in calls:
        call()
        count += 1
        if time.perf_counter() - start > BARE:
            break
    results.put(count / (time.perf_counter() - start))


def make_film(path: Path, seconds: int) -> Path:
    """Write a video in which photos move slowly."""
    names = sorted((SHARED / "images").glob("*.jpg")) if SHARED.exists() else []
    photos = [photo(720, 540, f"images/{each.name}") for each in names] or [photo(720, 540)]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 640, 480, "yuv420p"
        stream.time_base = Fraction(1, RATE)
        for number in range(seconds * RATE):
            image = photos[number // (5 * RATE) % len(photos)]
            left, top = number % 80, number % 60
            frame = av.VideoFrame.from_ndarray(
                np.ascontiguousarray(image[top : top + 480, left : left + 640]), "bgr24"
            )
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path
