"""Where the sound goes: to a loudspeaker, or into a folder."""

import re
import secrets
import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path

from i2t_ros.errors import InvalidRequestError, SpeechError
from i2t_ros.resources import expanded
from i2t_ros.speech.base import seconds_of
from i2t_ros.speech.programs import MemoryFile, Programs, find_program

PLAYERS: Mapping[str, tuple[tuple[str, ...], str]] = {
    "aplay": (("-q",), "--device="),
    "paplay": ((), "--device="),
    "pw-play": ((), "--target="),
}
"""Program that plays a WAV file -> its flags, and the one that names a device."""
LATE = 10.0
"""Seconds that a player may take beyond the length of the sound."""
NO_LOUDSPEAKER = (
    'no loudspeaker? speech_folder leaves files instead; docs/troubleshooting.md, "It does not '
    'speak"'
)
"""What to do if a player fails."""
KEPT = 100
"""Files of a folder that are kept, the newest."""
_OURS = re.compile(r"(\d{8}T\d{12})\.wav|\.(\d{8}T\d{12})-[0-9a-f]{16}\.part")
"""The names of sounds, and of what is being written, or has been when a node was killed."""


class Output(ABC):
    """Takes one sound after the other; stop() may come from another thread."""

    title: str

    @abstractmethod
    def give(self, sound: bytes) -> None:
        """Give a WAV file out, for as long as it sounds; raises SpeechError."""

    @abstractmethod
    def start(self) -> None:
        """Allow sounds, again after stop()."""

    @abstractmethod
    def stop(self) -> None:
        """Give up the sound in progress, and refuse others until start()."""


class Loudspeaker(Output):
    """Plays each sound with a program of the system."""

    def __init__(self, player: str = "auto", device: str = "") -> None:
        """Find the player; raises BackendMissingError.

        player  one of PLAYERS; "auto": the first that is installed
        device  the player's own name of one; "": its default
        """
        names = PLAYERS if player == "auto" else (player,)
        program = find_program("the loudspeaker", *names)
        flags, flag = PLAYERS[program]
        self._command = [program, *flags, *([f"{flag}{device}"] if device else [])]
        self._programs = Programs()
        self.title = f"{program}{f' on {device}' if device else ''}"

    def give(self, sound: bytes) -> None:
        """Play it; see Output."""
        with MemoryFile(sound) as file:
            command = [*self._command, file.path]
            limit = seconds_of(sound) + LATE
            try:
                self._programs.run(command, limit, files=[file.descriptor])
            except SpeechError as error:
                if self._programs.stopped:
                    raise
                raise SpeechError(f"{error}; {NO_LOUDSPEAKER}") from error

    def start(self) -> None:
        """Allow sounds."""
        self._programs.start()

    def stop(self) -> None:
        """End the player."""
        self._programs.stop()


class SoundFolder(Output):
    """Leaves each sound as a file in a folder, for a robot whose loudspeaker is elsewhere.

    A file is complete once it has its name, <time in UTC>.wav. In the order of their names they are
    in the order in which they came, even if the clock is set back. The next one comes when this one
    has ended, if it is played at once. Nodes may share a folder.
    """

    def __init__(self, folder: str) -> None:
        """Make the folder, if it is not there; raises InvalidRequestError."""
        self._folder = expanded(folder)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._partial(_now(), b"").unlink()
        except OSError as error:
            raise InvalidRequestError(
                f"speech_folder {self._folder}: expected a folder that can be written to: "
                f"{error.strerror or error}"
            ) from error
        self._stopped = threading.Event()
        self.title = str(self._folder)

    def give(self, sound: bytes) -> None:
        """Write it; see Output."""
        seconds = seconds_of(sound)
        if self._stopped.is_set():
            raise SpeechError("speech was stopped")
        try:
            self._write(sound)
        except OSError as error:
            raise SpeechError(f"{self._folder}: {error.strerror or error}") from error
        self._stopped.wait(seconds)

    def _write(self, sound: bytes) -> None:
        """Write the newest file, and remove the oldest."""
        found = [match for path in self._folder.iterdir() if (match := _OURS.fullmatch(path.name))]
        earlier = sorted((match[1] or match[2], match[0]) for match in found)
        time = max(_now(), _after(earlier[-1][0])) if earlier else _now()
        partial = self._partial(time, sound)
        try:
            partial.rename(self._folder / f"{time}.wav")
        finally:
            partial.unlink(missing_ok=True)
        for _, name in earlier[: 1 - KEPT]:
            (self._folder / name).unlink(missing_ok=True)

    def _partial(self, time: str, content: bytes) -> Path:
        """Write a file under a name that nobody can foresee; others may write to the folder."""
        path = self._folder / f".{time}-{secrets.token_hex(8)}.part"
        with path.open("xb") as file:
            try:
                file.write(content)
                file.flush()
            except OSError:
                path.unlink(missing_ok=True)
                raise
        return path

    def start(self) -> None:
        """Allow sounds."""
        self._stopped.clear()

    def stop(self) -> None:
        """Wait no longer for the sound in progress."""
        self._stopped.set()


def _now() -> str:
    return f"{datetime.now(timezone.utc):%Y%m%dT%H%M%S%f}"


def _after(time: str) -> str:
    """Return what follows a file's time in the order of names."""
    following = f"{int(time.replace('T', '')) + 1:020d}"
    return f"{following[:8]}T{following[8:]}"
