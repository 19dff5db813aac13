"""What every engine is: text in, the bytes of a WAV file out."""

import io
import unicodedata
import wave
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from i2t_ros.errors import SpeechError
from i2t_ros.options import Checked, option

LONGEST = 500
"""Characters of a sentence that are said: half a minute of English."""
LONGEST_SOUND = 60.0
"""Seconds of its sound: engines name characters that they cannot read, which takes minutes."""
_TURNS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
NORMAL_RATE = 175
"""Words a minute at which voices were made to speak."""


@dataclass(frozen=True, slots=True)
class Manner(Checked):
    """How something is said.

    language  BCP 47, as "es"
    """

    language: str
    rate: int = option(
        NORMAL_RATE, "words a minute, as the engine counts them", bounds=(80, 450), changes="live"
    )
    volume: float = option(
        1.0, "loudness of the sound; 1: as the engine makes it", bounds=(0, 2), changes="live"
    )


class Engine(ABC):
    """Makes sound of sentences, one after the other; stop() may come from another thread.

    title  what speaks, for the log: "espeak-ng, voice es"
    """

    title: str

    @abstractmethod
    def use(self, manner: Manner) -> None:
        """Speak so from the next sentence on.

        Raises InvalidRequestError for a language that it does not speak, and changes nothing then.
        """

    @abstractmethod
    def synthesize(self, text: str) -> bytes:
        """Return the WAV file of a text that clean() has made; raises SpeechError."""

    @abstractmethod
    def start(self) -> None:
        """Allow sentences, again after stop()."""

    @abstractmethod
    def stop(self) -> None:
        """Give up the sentence in progress, and refuse others until start()."""

    @abstractmethod
    def close(self) -> None:
        """Release everything. May be called more than once."""


def clean(sentence: str) -> str:
    """Return a sentence as an engine may have it, "" if nothing in it can be said.

    It may quote what a camera has read. Control characters are commands to espeak-ng, those for the
    direction of text turn a line of the log around, and what stands in double brackets is phonemes
    to both engines. No engine is asked to read markup.
    """
    sentence = sentence[: 10 * LONGEST]  # a stranger may send megabytes, many times a second
    text = "".join(c if _is_text(c) else " " for c in sentence)
    text = " ".join(text.split())
    while "[[" in text or "]]" in text:
        text = text.replace("[[", "[ [").replace("]]", "] ]")
    if len(text) > LONGEST:
        text = text[:LONGEST].rpartition(" ")[0] or text[:LONGEST]
    return text if any(map(str.isalnum, text)) else ""


def _is_text(char: str) -> bool:
    turns = unicodedata.bidirectional(char) in _TURNS
    return not turns and unicodedata.category(char) not in ("Cc", "Cs")


def seconds_of(sound: bytes) -> float:
    """Return how long a WAV file sounds; raises SpeechError if it is none, or empty."""
    with _opened(sound) as file:
        seconds: float = file.getnframes() / file.getframerate()
    if not seconds:
        raise SpeechError("a sentence became a sound without samples")
    return seconds


def shortened(sound: bytes) -> bytes:
    """Return a WAV file without what comes after LONGEST_SOUND; raises SpeechError as above."""
    if seconds_of(sound) <= LONGEST_SOUND:
        return sound
    short = io.BytesIO()
    with _opened(sound) as file, wave.open(short, "wb") as copy:
        copy.setparams(file.getparams())
        copy.writeframes(file.readframes(round(LONGEST_SOUND * file.getframerate())))
    return short.getvalue()


@contextmanager
def _opened(sound: bytes) -> Iterator[wave.Wave_read]:
    try:
        with wave.open(io.BytesIO(sound)) as file:
            yield file
    except (wave.Error, EOFError, ZeroDivisionError) as error:
        raise SpeechError(f"a sentence became no sound, but {len(sound)} bytes: {error}") from error
