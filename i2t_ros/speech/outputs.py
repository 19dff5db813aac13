"""Where the sound goes: to a loudspeaker, or into a folder."""

import re
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
KEPT = 100
"""Files of a folder that are kept, the newest."""
_OURS = re.compile(r"\d{8}T\d{12}\.wav")


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
            self._programs.run(command, seconds_of(sound) + LATE, files=[file.descriptor])

    def start(self) -> None:
        """Allow sounds."""
        self._programs.start()

    def stop(self) -> None:
        """End the player."""
        self._programs.stop()


class SoundFolder(Output):
    """Leaves each sound as a file in a folder, for a robot whose loudspeaker is elsewhere.

    A file is complete once it has its name, <time in UTC>.wav. The next one comes when this one has
    ended, if it is played at once.
    """

    def __init__(self, folder: str) -> None:
        """Make the folder, if it is not there; raises InvalidRequestError."""
        self._folder = expanded(folder)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._write(self._folder / ".trial", b"")
            (self._folder / ".trial").unlink()
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
        now = datetime.now(timezone.utc)
        try:
            self._write(self._folder / f"{now:%Y%m%dT%H%M%S%f}.wav", sound)
            ours = sorted(path for path in self._folder.iterdir() if _OURS.fullmatch(path.name))
            for old in ours[:-KEPT]:
                old.unlink(missing_ok=True)
        except OSError as error:
            raise SpeechError(f"{self._folder}: {error.strerror or error}") from error
        self._stopped.wait(seconds)

    @staticmethod
    def _write(path: Path, content: bytes) -> None:
        partial = path.with_suffix(".part")
        try:
            partial.write_bytes(content)
            partial.rename(path)
        except OSError:
            partial.unlink(missing_ok=True)
            raise

    def start(self) -> None:
        """Allow sounds."""
        self._stopped.clear()

    def stop(self) -> None:
        """Wait no longer for the sound in progress."""
        self._stopped.set()
