"""Runs the programs that speak and play, each for one sentence."""

import os
import selectors
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from contextlib import suppress

from i2t_ros.errors import SpeechError
from i2t_ros.installation import how_to_install_program
from i2t_ros.optional import missing

LONGEST_COMPLAINT = 300
"""Characters of what a program complains about that are shown, of its last line."""
_KEPT = 4096
"""Bytes of its complaints that are kept, the last."""
_LOOK_PERIOD = 0.1
"""Seconds between two looks whether it has ended, while it says nothing."""


def find_program(purpose: str, *names: str) -> str:
    """Return the first of these programs that is on PATH; raises BackendMissingError."""
    found = next(filter(shutil.which, names), None)
    if found is None:
        install = " or ".join(map(how_to_install_program, names))
        raise missing(purpose, install, f"no program {' or '.join(names)}")
    return found


class Programs:
    """Runs programs one at a time; none outlives stop(), or this process.

    No shell reads a command. A sentence is never part of one: it goes through standard input.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()  # on these two
        self._running: subprocess.Popen[bytes] | None = None
        self._stopped = False

    def run(
        self,
        command: Sequence[str],
        limit: float,
        text: str = "",
        *,
        files: Sequence[int] = (),
        output: int = subprocess.DEVNULL,
    ) -> None:
        """Run a program to its end.

        limit   seconds after which it is killed
        text    its standard input
        files   descriptors that it gets as well, as /proc/self/fd/<number>
        output  a descriptor for its standard output

        What it leaves behind, such as a sound server, is not waited for.

        Raises SpeechError if it fails, takes too long or is stopped.
        """
        name = command[0]
        deadline = time.monotonic() + limit
        with MemoryFile(text.encode("utf-8", "replace")) as given:
            process = self._begin(command, given.descriptor, files, output)
        try:
            said = _complaints(process, deadline)
        except subprocess.TimeoutExpired as error:
            raise SpeechError(f"{name} was ended: it took over {limit:.0f} s") from error
        finally:
            with self._lock:
                self._running = None
                _kill(process)
            process.stderr.close()  # type: ignore[union-attr]  # it is a pipe
            process.wait()
        if self._stopped:
            raise SpeechError(f"{name}: speech was stopped")
        if process.returncode:
            lines = said.decode(errors="replace").split("\n")
            why = next(filter(None, map(str.strip, reversed(lines))), "no reason given")
            raise SpeechError(f"{name} failed with {process.returncode}: {why[:LONGEST_COMPLAINT]}")

    def _begin(
        self, command: Sequence[str], text: int, files: Sequence[int], output: int
    ) -> subprocess.Popen[bytes]:
        # If this process is killed, the kernel kills the program; setpriv is part of util-linux.
        guard = ["setpriv", "--pdeathsig", "KILL", "--"] if shutil.which("setpriv") else []
        with self._lock:
            if self._stopped:
                raise SpeechError(f"{command[0]}: speech was stopped")
            try:
                self._running = process = subprocess.Popen(  # noqa: S603 (no shell, fixed words)
                    [*guard, *command],
                    stdin=text,
                    stdout=output,
                    stderr=subprocess.PIPE,
                    pass_fds=files,
                    start_new_session=True,  # Ctrl-C is for this process, which stops it
                )
            except OSError as error:
                raise SpeechError(
                    f"{command[0]} does not start: {error.strerror or error}"
                ) from error
        return process

    @property
    def stopped(self) -> bool:
        """Whether none may run."""
        return self._stopped

    def start(self) -> None:
        """Allow programs, again after stop()."""
        with self._lock:
            self._stopped = False

    def stop(self) -> None:
        """Kill the one that runs, and run none until start()."""
        with self._lock:
            self._stopped = True
            if self._running is not None:
                _kill(self._running)


def _complaints(process: subprocess.Popen[bytes], deadline: float) -> bytes:
    """Return the end of what a program writes to standard error, once the program has ended.

    The pipe itself may stay open for longer: what the program has started has it, too.

    Raises subprocess.TimeoutExpired at the deadline.
    """
    assert process.stderr is not None  # noqa: S101 (it is a pipe)
    said = b""
    with selectors.DefaultSelector() as ready:
        ready.register(process.stderr, selectors.EVENT_READ)
        while (left := deadline - time.monotonic()) > 0:
            ended = process.poll() is not None  # before the look at what it has said
            if ready.select(0 if ended else min(left, _LOOK_PERIOD)):
                part = os.read(process.stderr.fileno(), 1 << 16)
                said = (said + part)[-_KEPT:]
                if not part:
                    process.wait(max(deadline - time.monotonic(), 0))
                    return said
            if ended:  # and all that a pipe holds has been read
                return said
    raise subprocess.TimeoutExpired(process.args, 0)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a program and what it has started; it leads a session of its own."""
    if process.returncode is None:  # its number is still its own
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


class MemoryFile:
    """A file in memory that programs reach by a path, and that nothing leaves behind."""

    def __init__(self, content: bytes = b"") -> None:
        self.descriptor = os.memfd_create("i2t_sound")
        self.path = f"/proc/self/fd/{self.descriptor}"
        self._file = open(self.descriptor, "r+b")  # noqa: SIM115
        self._file.write(content)
        self._file.seek(0)  # for a program whose standard input it is

    def __enter__(self) -> "MemoryFile":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def read(self) -> bytes:
        """Return all that is in it."""
        self._file.seek(0)
        return self._file.read()
