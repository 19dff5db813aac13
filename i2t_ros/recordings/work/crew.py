"""Processes of this machine that do the duties of a job side by side."""

import multiprocessing
import os
import shutil
import signal
import tempfile
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Protocol

import cv2

from i2t_ros.errors import BackendError, I2tError, error_from_code
from i2t_ros.recordings.storage import is_url, local_path
from i2t_ros.recordings.work.places import SCRATCH
from i2t_ros.recordings.work.worker import Advance, Duty, Worker

DEATHS = 20
"""Processes that may die of one unit, before it is not for single images that they die."""
STEP = 0.1
"""Seconds between two messages of a process that say how far it is."""
END_LIMIT = 5.0
"""Seconds for a process to end by itself; then it is killed."""

_spawn = multiprocessing.get_context("spawn")  # fork would copy threads' locks as they are


class Crew(Protocol):
    """Those who do duties."""

    def do(
        self, duties: Iterable[Duty], advance: Advance, skip: Callable[[Duty], None]
    ) -> Iterator[Duty]:
        """Do duties, and yield each when it is done, in any order.

        ``advance`` is told how many more images are done. ``skip`` is called if a process dies of a
        careful duty; it may record that the image that it was at is left out. Raises the error of a
        duty that fails.
        """
        ...


def after_death(duty: Duty, deaths: Counter[str], cause: str, skip: Callable[[Duty], None]) -> Duty:
    """Return what to do after a process has died of a duty: the same, image by image.

    deaths  how many have died of each duty; this one is counted
    cause   of this death, for people
    skip    see Crew.do

    Raises BackendError if too many have died of it.
    """
    name = f"{duty.kind} {duty.unit.name}"
    deaths[name] += 1
    if deaths[name] >= DEATHS or (duty.kind != "look" and deaths[name] > 1):
        raise BackendError(
            f"{deaths[name]} processes have died at {name} (the last one: {cause}); if memory is "
            "short, fewer may do: --workers 1"
        )
    if duty.careful:
        skip(duty)
    return replace(duty, careful=duty.kind == "look")


class LocalCrew:
    """Processes of this machine. A context manager that ends them.

    Their temporary files are in one folder, which goes with them: they are ended while they have
    some, and a bag that had to be unpacked takes gigabytes.
    """

    def __init__(
        self, folder: str, number: int, at_start: Callable[[], object] | None = None
    ) -> None:
        """Start none yet.

        folder    of the results
        number    of processes
        at_start  called in each process before anything else; a function of a module
        """
        self._folder = folder
        self._at_start = at_start
        self._number = number
        self._temporary = ""
        self._members: list[_Member] = []

    def __enter__(self) -> "LocalCrew":
        """Start nothing: processes are started for duties."""
        place = None
        if not is_url(self._folder):  # else it is where Python has temporary files (TMPDIR)
            place = Path(local_path(self._folder), SCRATCH).absolute()
            place.mkdir(parents=True, exist_ok=True)
        self._temporary = tempfile.mkdtemp(prefix="i2t-annotate-", dir=place)
        return self

    def __exit__(self, *_: object) -> None:
        """End all processes."""
        for member in self._members:
            member.connection.close()
        for member in self._members:
            member.end()
        self._members.clear()
        shutil.rmtree(self._temporary, ignore_errors=True)

    def do(
        self, duties: Iterable[Duty], advance: Advance, skip: Callable[[Duty], None]
    ) -> Iterator[Duty]:
        """See Crew."""
        waiting, again = iter(duties), deque[Duty]()
        deaths = Counter[str]()
        self._start_all(waiting, again)
        while busy := [each for each in self._members if each.duty is not None]:
            ready = set(wait([member.connection for member in busy]))
            for member in busy:
                if member.connection not in ready:
                    continue
                duty = member.duty
                assert duty is not None  # noqa: S101 (it is busy)
                try:
                    kind, value = member.connection.recv()
                except (EOFError, OSError):
                    again.append(after_death(duty, deaths, self._bury(member), skip))
                else:
                    if kind == "advance":
                        advance(value)
                        continue
                    if kind == "failed":
                        raise error_from_code(*value) if value[0] else OSError(value[1])
                    member.duty = None
                    yield duty
            self._start_all(waiting, again)

    def _start_all(self, waiting: Iterator[Duty], again: "deque[Duty]") -> None:
        """Give each process that has nothing to do a duty; start more if there are duties."""
        idle = [member for member in self._members if member.duty is None]
        while idle or len(self._members) < self._number:
            duty = again.popleft() if again else next(waiting, None)
            if duty is None:
                return
            if idle:
                member = idle.pop()
            else:
                member = _Member(self._folder, self._temporary, self._at_start)
                self._members.append(member)
            member.give(duty)

    def _bury(self, member: "_Member") -> str:
        """Remove a process that has died; return of what."""
        self._members.remove(member)
        member.connection.close()
        status = member.end()
        return signal.Signals(-status).name if status < 0 else f"exit code {status}"


class _Member:
    """One process and what it is at."""

    def __init__(self, folder: str, temporary: str, at_start: Callable[[], object] | None) -> None:
        self.connection, theirs = _spawn.Pipe()
        self.duty: Duty | None = None
        self._process: SpawnProcess = _spawn.Process(
            target=_work,
            args=(folder, temporary, theirs, at_start),
            daemon=True,
            name="i2t-annotate",
        )
        self._process.start()
        theirs.close()

    def give(self, duty: Duty) -> None:
        """Have it do a duty; if it has died meanwhile, that shows when it is waited for."""
        self.duty = duty
        with suppress(OSError):
            self.connection.send(duty)

    def end(self) -> int:
        """End the process, whose connection is closed; return its exit status."""
        self._process.terminate()
        self._process.join(END_LIMIT)
        if self._process.exitcode is None:
            self._process.kill()
            self._process.join()
        status = self._process.exitcode or 0
        self._process.close()
        return status


def _work(
    folder: str, temporary: str, connection: Connection, at_start: Callable[[], object] | None
) -> None:
    """Do duties until the other end of the connection is closed: the main of each process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that leads
    if at_start is not None:
        at_start()
    tempfile.tempdir = temporary
    threading.Thread(target=_end_with_parent, args=(temporary,), daemon=True).start()
    cv2.setNumThreads(1)
    worker = None
    while True:
        try:
            duty = connection.recv()
        except (EOFError, OSError):
            break
        try:
            worker = worker or Worker(folder)
            steps = _Steps(lambda number: connection.send(("advance", number)))
            worker.do(duty, steps.add)
            steps.end()
            answer: tuple[str, object] = "done", None
        except I2tError as error:
            answer = "failed", (error.code, str(error))
        except BrokenPipeError:
            break  # the process that leads has ended
        except OSError as error:
            answer = "failed", ("", str(error))
        try:
            connection.send(answer)
        except OSError:
            break
    os._exit(0)  # engines may take long to tidy up, or crash when they do


class _Steps:
    """Tells how many images are done, at most so often: to tell costs both processes time."""

    def __init__(self, advance: Advance) -> None:
        self._advance = advance
        self._number = 0
        self._due = 0.0

    def add(self, number: int) -> None:
        self._number += number
        if time.monotonic() >= self._due:
            self.end()

    def end(self) -> None:
        self._advance(self._number)
        self._number, self._due = 0, time.monotonic() + STEP


def _end_with_parent(temporary: str) -> None:
    """End this process if the one that leads is killed while this one computes."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        shutil.rmtree(temporary, ignore_errors=True)
        os._exit(1)
