"""Holding back what native code writes to standard error without asking Python's sys.stderr."""

from __future__ import annotations

import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager

STDERR = 2
_one_at_a_time = threading.Lock()


class HeldStderr:
    """What has been written to standard error since hold_stderr() began, by any thread."""

    def __init__(self, file: int) -> None:
        """Read from ``file``, a descriptor."""
        self._file = file
        self._unwanted: re.Pattern[str] | None = None

    def take(self, unwanted: re.Pattern[str]) -> str:
        """Return what matches; it will not be written out."""
        self._unwanted = unwanted
        return "".join(match.group() for match in unwanted.finditer(self._text()))

    def rest(self) -> str:
        """Return what has not been taken."""
        text = self._text()
        return self._unwanted.sub("", text) if self._unwanted else text

    def _text(self) -> str:
        # Not read(): the position in the file is shared with whoever writes.
        held = os.pread(self._file, os.fstat(self._file).st_size, 0)
        return held.decode(errors="surrogateescape")


@contextmanager
def hold_stderr() -> Iterator[HeldStderr]:
    """Hold back what this process writes to descriptor 2 within the block, and write it out after.

    All but what ``take`` took, also if the block raises. Other threads write on as if nothing were:
    their lines come a moment later. So the block has to be short; if the process is killed within
    it they are lost.
    """
    with _one_at_a_time, tempfile.TemporaryFile() as file:
        sys.stderr.flush()
        console = _duplicate()
        held = HeldStderr(file.fileno())
        try:
            os.dup2(file.fileno(), STDERR)
            try:
                yield held
            finally:
                sys.stderr.flush()
                os.dup2(console, STDERR)
                _write(console, held.rest().encode(errors="surrogateescape"))
        finally:
            os.close(console)


def _duplicate() -> int:
    try:
        return os.dup(STDERR)
    except OSError:  # a process may have been started without one
        return os.open(os.devnull, os.O_WRONLY)


def _write(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
