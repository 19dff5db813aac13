"""Processes of this machine that do the duties of a job side by side."""

import multiprocessing
import os
import shutil
import signal
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Protocol

import cv2

from i2t_ros.errors import BackendError, I2tError, error_from_code
from i2t_ros.recordings.work.places import SCRATCH
from i2t_ros.recordings.work.worker import Advance, Duty, Worker

DEATHS = 5
"""Processes that may die of one unit, before it is not for single images that they die."""
END_LIMIT = 5.0
"""Seconds for a process to end by itself; then it is killed."""

_spawn = multiprocessing.get_context("spawn")  # fork would copy threads' locks as they are


class Crew(Protocol):
    """Those who do duties."""

    def do(
        self, duties: Iterable[Duty], advance: Advance, skip: Callable[[Duty], None]
    ) -> Iterator[Duty]:
        """Do duties, and yield each when it is done, in any order.

        ``advance`` is told how many more images are done. ``skip`` is called if the image that a
        careful duty is at ends the process that looks at it; it must record that. Raises the
        error of a duty that fails.
        """
        ...


class LocalCrew:
    """Processes of this machine. A context manager that ends them."""

    def __init__(
        self, folder: str, number: int, at_start: Callable[[], object] | None = None
    ) -> None:
        """Start none yet.

        folder    of the results
        number    of processes
        at_start  called in each process before anything else; a function of a module
        """
        self._how = folder, at_start
        self._number = number
        self._members: list[_Member] = []

    def __enter__(self) -> "LocalCrew":
        """Start nothing: processes are started for duties."""
        return self

    def __exit__(self, *_: object) -> None:
        """End all processes."""
        for member in self._members:
            member.connection.close()
        for member in self._members:
            member.end()
        self._members.clear()
        shutil.rmtree(Path(self._how[0], SCRATCH), ignore_errors=True)

    def do(
        self, duties: Iterable[Duty], advance: Advance, skip: Callable[[Duty], None]
    ) -> Iterator[Duty]:
        """See Crew."""
        waiting, again = iter(duties), deque[Duty]()
        deaths: dict[str, int] = {}
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
                    self._bury(member, deaths, skip)
                    again.append(replace(duty, careful=duty.kind == "look"))
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
                member = _Member(*self._how)
                self._members.append(member)
            member.give(duty)

    def _bury(
        self, member: "_Member", deaths: dict[str, int], skip: Callable[[Duty], None]
    ) -> None:
        """Deal with a process that has died."""
        duty = member.duty
        assert duty is not None  # noqa: S101 (it was busy)
        self._members.remove(member)
        member.connection.close()
        status = member.end()
        name = f"{duty.kind} {duty.unit.name}"
        deaths[name] = deaths.get(name, 0) + 1
        if deaths[name] >= DEATHS or (duty.kind != "look" and deaths[name] > 1):
            how = signal.Signals(-status).name if status < 0 else f"exit code {status}"
            raise BackendError(
                f"{deaths[name]} processes have died at {name} (the last one of {how}); if memory "
                "is short, fewer may do: --workers 1"
            )
        if duty.careful:
            skip(duty)


class _Member:
    """One process and what it is at."""

    def __init__(self, folder: str, at_start: Callable[[], object] | None) -> None:
        self.connection, theirs = _spawn.Pipe()
        self.duty: Duty | None = None
        self._process: SpawnProcess = _spawn.Process(
            target=_work, args=(folder, theirs, at_start), daemon=True, name="i2t-annotate"
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


def _work(folder: str, connection: Connection, at_start: Callable[[], object] | None) -> None:
    """Do duties until the other end of the connection is closed: the main of each process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that leads
    if at_start is not None:
        at_start()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    cv2.setNumThreads(1)
    # A process that is killed, or ends by os._exit(), leaves its temporary files.
    scratch = Path(folder, SCRATCH).absolute()
    scratch.mkdir(parents=True, exist_ok=True)
    tempfile.tempdir = str(scratch)
    worker = None
    while True:
        try:
            duty = connection.recv()
        except (EOFError, OSError):
            break
        try:
            worker = worker or Worker(folder)
            worker.do(duty, lambda number: connection.send(("advance", number)))
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


def _end_with_parent() -> None:
    """End this process if the one that leads is killed while this one computes."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
