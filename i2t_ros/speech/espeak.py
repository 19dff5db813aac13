"""espeak-ng: small, quick, over a hundred languages, and a voice like a robot's."""

import logging
import re
import reprlib
from collections.abc import Mapping
from functools import cache

from i2t_ros.errors import InvalidRequestError, SpeechError
from i2t_ros.language.tags import widening
from i2t_ros.speech.base import Engine, Manner
from i2t_ros.speech.programs import MemoryFile, Programs, find_program

PROGRAM = "espeak-ng"
TIME_LIMIT = 20.0
"""Seconds for the sound of a sentence; the longest takes 0.1 s on a laptop."""

# Tags that espeak-ng has under another name, or whose variety it would choose otherwise than
# config/languages/ does. Up to 1.51 its "cmn" reads Chinese characters as English letters.
_VOICES: Mapping[str, tuple[str, ...]] = {
    "en": ("en-us",),
    "fr": ("fr-fr",),
    "no": ("nb",),
    "pt": ("pt-br",),
    "pt-pt": ("pt-pt", "pt"),
    "zh": ("cmn-latn-pinyin", "cmn"),
    "zh-hk": ("yue",),
    "zh-mo": ("yue",),
    "zh-hant-hk": ("yue",),
    "zh-hant-mo": ("yue",),
}
_POOR = {
    "ja": "espeak-ng reads kana alone: of a Chinese character it says that it is one. Take a voice "
    "of Piper (speech_voice)"
}

logger = logging.getLogger(__name__)


class EspeakEngine(Engine):
    """Runs espeak-ng once for each sentence."""

    def __init__(self) -> None:
        """Find the program; raises BackendMissingError."""
        find_program("speech", PROGRAM)
        self._programs = Programs()
        self._words: tuple[str, ...] = ()
        self._language = ""

    def use(self, manner: Manner) -> None:
        """Choose the voice, and say once of a language what is poor about it; see Engine."""
        voice = voice_for(manner.language)
        if manner.language != self._language and (poor := _poor(manner.language)):
            logger.warning("language %s: %s", manner.language, poor)
        self._language = manner.language
        volume = round(100 * manner.volume)
        self._words = ("-v", voice, "-s", str(manner.rate), "-a", str(volume))
        self.title = f"espeak-ng, voice {voice}"

    def synthesize(self, text: str) -> bytes:
        """Return the WAV file of a text; see Engine."""
        with MemoryFile() as sound:  # what it writes to a pipe has no length in its header
            command = [PROGRAM, "-b", "1", *self._words, "--stdin", "-w", sound.path]
            self._programs.run(command, TIME_LIMIT, text, files=[sound.descriptor])
            return sound.read()

    def start(self) -> None:
        """Allow sentences."""
        self._programs.start()

    def stop(self) -> None:
        """Give up the sentence in progress."""
        self._programs.stop()

    def close(self) -> None:
        """Give up the sentence in progress; nothing else is held."""
        self._programs.stop()


def check_espeak(_: str, language: str) -> None:
    """Raise what would keep EspeakEngine from speaking this language."""
    find_program("speech", PROGRAM)
    voice_for(language)


def voice_for(language: str) -> str:
    """Return espeak-ng's name of the voice for a language: "pt-br" for "pt".

    Raises InvalidRequestError, and SpeechError if espeak-ng does not list its voices.
    """
    known = _voices()
    for tag in widening(language):
        for voice in (*_VOICES.get(tag, ()), tag):
            if voice in known:
                return voice
    raise InvalidRequestError(
        f"language {reprlib.repr(language)}: espeak-ng has no voice for it; `espeak-ng --voices` "
        "lists them"
    )


def _poor(language: str) -> str:
    return next((_POOR[tag] for tag in widening(language) if tag in _POOR), "")


@cache
def _voices() -> frozenset[str]:
    """Return the languages for which espeak-ng has voices, by its own names."""
    try:
        with MemoryFile() as written:
            Programs().run([PROGRAM, "--voices"], TIME_LIMIT, output=written.descriptor)
            listed = written.read().decode(errors="replace")
    except SpeechError as error:
        raise SpeechError(f"espeak-ng does not list its voices: {error}") from error
    rows = [line.split(maxsplit=2) for line in listed.splitlines()[1:]]
    others = re.findall(r"\(([\w-]+) \d+\)", listed)
    return frozenset([row[1].lower() for row in rows if len(row) == 3] + others)
