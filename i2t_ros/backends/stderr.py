"""Holding back what native code writes to standard error without asking Python's sys.stderr."""

import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager

STDERR = 2
_one_at_a_time = threading.Lock()


@contextmanager
def hold_stderr(unwanted: re.Pattern[bytes]) -> Iterator[list[bytes]]:
    """Hold back what this process writes to descriptor 2 within the block, and write it out after.

    What matches ``unwanted`` is put into the list instead, also if the block raises. Other threads
    write on as if nothing were: their lines come a moment later. So the block has to be short; if
    the process is killed within it they are lost.
    """
    taken: list[bytes] = []
    with _one_at_a_time, tempfile.TemporaryFile() as file:
        if sys.stderr:  # None if the process was started without one
            sys.stderr.flush()
        try:
            console = os.dup(STDERR)
        except OSError:  # a process may have been started without one
            console = os.open(os.devnull, os.O_WRONLY)
        with open(console, "wb") as out:
            os.dup2(file.fileno(), STDERR)
            try:
                yield taken
            finally:
                if sys.stderr:
                    sys.stderr.flush()
                os.dup2(console, STDERR)
                # Not read(): the position in the file is shared with whoever writes.
                held = os.pread(file.fileno(), os.fstat(file.fileno()).st_size, 0)
                taken += (match[0] for match in unwanted.finditer(held))
                out.write(unwanted.sub(b"", held))
