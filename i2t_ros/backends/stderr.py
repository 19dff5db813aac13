"""Holding back what native code writes to standard error without asking Python's sys.stderr."""

import fcntl
import os
import re
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

STDERR = 2
LAST_WRITES = 1.0
"""Seconds to wait for writes that have begun; they take microseconds, unless a program that was
started meanwhile has the file as its standard error."""
_one_at_a_time = threading.Lock()


@contextmanager
def hold_stderr(unwanted: re.Pattern[bytes]) -> Iterator[list[bytes]]:
    """Hold back what this process writes to descriptor 2 within the block, and write it out after.

    What matches ``unwanted`` is put into the list instead, also if the block raises. Other threads
    write on as if nothing were: their lines come a moment later. So the block has to be short; if
    the process is killed within it they are lost.
    """
    taken: list[bytes] = []
    with (
        _one_at_a_time,
        open(_copy_of_stderr(), "wb") as out,
        tempfile.TemporaryFile() as file,
        _opened_again(file.fileno()) as reader,
    ):
        fcntl.flock(file, fcntl.LOCK_EX)
        if sys.stderr:  # None if the process was started without one
            sys.stderr.flush()
        os.dup2(file.fileno(), STDERR)
        file.close()
        try:
            yield taken
        finally:
            if sys.stderr:
                sys.stderr.flush()
            os.dup2(out.fileno(), STDERR)
            _wait_for_last_writes(reader)
            held = reader.read()
            taken += (match[0] for match in unwanted.finditer(held))
            out.write(unwanted.sub(b"", held))


def _copy_of_stderr() -> int:
    """Return a descriptor; a process that was started without standard error gets the null device.

    So no other file takes the place of descriptor 2.
    """
    try:
        return os.dup(STDERR)
    except OSError:
        null = os.open(os.devnull, os.O_WRONLY)
        if null != STDERR:
            os.dup2(null, STDERR)
            os.close(null)
        return os.dup(STDERR)


def _opened_again(descriptor: int) -> IO[bytes]:
    """Open a file that has no name, with a position and locks of its own."""
    return open(f"/proc/self/fd/{descriptor}", "rb")


def _wait_for_last_writes(reader: IO[bytes]) -> None:
    """Wait until nobody writes to a locked file whose descriptors are closed.

    A thread may be within write(2) at that moment. The lock is given back when the last of them has
    left it (flock(2): with the open file description).
    """
    end, pause = time.monotonic() + LAST_WRITES, threading.Event()
    while time.monotonic() < end:
        try:
            fcntl.flock(reader, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pause.wait(0.001)
        else:
            return
