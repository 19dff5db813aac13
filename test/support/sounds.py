"""What a sound file has, and programs that stand in for a player."""

import contextlib
import io
import os
import shutil
import stat
import threading
import wave
from pathlib import Path

import pytest
from waiting import until

needs_espeak = pytest.mark.skipif(not shutil.which("espeak-ng"), reason="no espeak-ng")


def length(sound):
    """Return the seconds that a WAV file sounds, of its bytes or its path."""
    with wave.open(io.BytesIO(sound) if isinstance(sound, bytes) else str(sound)) as file:
        assert file.getsampwidth() == 2
        assert file.getnchannels() == 1
        return file.getnframes() / file.getframerate()


def loudness(sound):
    """Return the largest sample of a WAV file."""
    with wave.open(io.BytesIO(sound)) as file:
        frames = memoryview(file.readframes(file.getnframes())).cast("h")
        return max(map(abs, frames))


def silence(seconds):
    """Return a WAV file."""
    sound = io.BytesIO()
    with wave.open(sound, "wb") as file:
        file.setparams((1, 2, 1000, 0, "NONE", ""))
        file.writeframes(bytes(2 * round(1000 * seconds)))
    return sound.getvalue()


def write_program(folder, name, text):
    """Write a shell script that stands in for a program; return its path."""
    path = Path(folder, name)
    path.write_text(f"#!/bin/sh\n{text}")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


class StandInPlayer:
    """A player in a folder for PATH: it notes when it begins and ends, and ends when it is let.

    sounds  what it was given to play, one file after the other
    """

    def __init__(self, folder, name="aplay"):
        self.folder = Path(folder)
        self._log = self.folder / "played"
        self._log.touch()
        self._gate = self.folder / "gate"
        os.mkfifo(self._gate)
        write_program(
            folder,
            name,
            f'for last in "$@"; do :; done\n'
            f'cp "$last" "{folder}/$$.wav"\n'
            f'echo "begin $$ $*" >> "{self._log}"\n'
            f'read line < "{self._gate}"\n'
            f'echo "end $$" >> "{self._log}"\n',
        )

    @property
    def events(self):
        """What it has noted: "begin" and "end", each with the number of its process."""
        lines = [line.split() for line in self._log.read_text().splitlines()]
        return [(what, int(pid)) for what, pid, *_ in lines]

    @property
    def arguments(self):
        """The command lines, without the program."""
        lines = [line.split(maxsplit=2) for line in self._log.read_text().splitlines()]
        return [line[2] for line in lines if line[0] == "begin"]

    @property
    def playing(self):
        """The processes that have begun, the newest last."""
        return [pid for what, pid in self.events if what == "begin"]

    @property
    def sounds(self):
        return [(self.folder / f"{pid}.wav").read_bytes() for pid in self.playing]

    def end(self):
        """Let the player that runs end, or the next one that does; it has read this then."""
        gates = []

        def opened():
            with contextlib.suppress(OSError):  # nobody reads yet
                gates.append(os.open(self._gate, os.O_WRONLY | os.O_NONBLOCK))
            return gates

        until(opened, "a player that can be ended")
        os.set_blocking(gates[0], True)
        with contextlib.suppress(BrokenPipeError), open(gates[0], "w") as gate:
            gate.write("\n")

    def never_two_at_once(self):
        """Whether each player that began found the one before ended."""
        kinds = [what for what, _ in self.events]
        return all(what == ("begin", "end")[at % 2] for at, what in enumerate(kinds))


class InThread(threading.Thread):
    """Calls a function in a thread; ``outcome`` waits for what it returns or raises."""

    def __init__(self, function, *arguments):
        super().__init__(daemon=True)
        self._function = function
        self._arguments = arguments
        self._outcome = None
        self.start()

    def run(self):
        try:
            self._outcome = self._function(*self._arguments)
        except Exception as error:
            self._outcome = error

    def outcome(self, limit=30.0):
        self.join(limit)
        assert not self.is_alive(), f"still running after {limit} s"
        return self._outcome
