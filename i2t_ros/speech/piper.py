"""Piper: neural voices that run on a CPU; each is a file for one language."""

import json
import os
import selectors
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from i2t_ros.errors import InvalidRequestError, SpeechError
from i2t_ros.installation import how_to_fetch_voice, how_to_install
from i2t_ros.language.tags import widening
from i2t_ros.optional import can_import, missing
from i2t_ros.resources import expanded
from i2t_ros.speech.base import NORMAL_RATE, Engine, Manner

LOAD_LIMIT = 60.0
"""Seconds for a voice to load; a large one takes 10 s on a Raspberry Pi."""
TIME_LIMIT = 30.0
"""Seconds for the sound of a sentence."""
LONGEST_HEAD = 10_000
"""Bytes of the line before a sound."""
_STOPPED = "piper: speech was stopped"

# Not `python -m`, which searches the working folder first.
_CODE = (
    "import sys; sys.path[:] = filter(None, sys.path); "
    "from i2t_ros.installation import use_packages; use_packages(); "
    "from i2t_ros.speech.piper_worker import main; main()"
)


class PiperEngine(Engine):
    """Runs Piper in a process of its own, which keeps the voice loaded."""

    def __init__(self, voice: str) -> None:
        """Look at the voice's files, and load it.

        Raises BackendMissingError, InvalidRequestError, and SpeechError if Piper refuses it.
        """
        self._voice, self._language = _found(voice)
        self._lock = threading.Lock()  # on the next three
        self._process: subprocess.Popen[bytes] | None = None
        self._busy = False
        self._stopped = False
        self._pace, self._volume = 1.0, 1.0
        self.title = f"piper, voice {self._voice.stem} ({self._language})"
        self._ask(None)

    def use(self, manner: Manner) -> None:
        """Check the language, and take the rest; see Engine."""
        _check_language(self._voice, self._language, manner.language)
        self._pace, self._volume = NORMAL_RATE / manner.rate, manner.volume

    def synthesize(self, text: str) -> bytes:
        """Return the WAV file of a text; see Engine."""
        return self._ask({"text": text, "pace": self._pace, "volume": self._volume})

    def start(self) -> None:
        """Allow sentences."""
        with self._lock:
            self._stopped = False

    def stop(self) -> None:
        """Give up the sentence in progress; the voice stays loaded if there is none."""
        with self._lock:
            self._stopped = True
            if self._busy and self._process is not None:
                self._process.kill()

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._stopped = True
            process, self._process = self._process, None
            if process is not None and self._busy:  # whoever reads its answer ends it
                process.kill()
            elif process is not None:
                _end(process)

    def _ask(self, sentence: dict[str, object] | None) -> bytes:
        """Return the sound of a sentence; None: load the voice. A process that failed is ended."""
        while True:
            process, fresh = self._begin()
            try:
                if fresh:
                    self._await_voice(process)
                return _answer(process, sentence) if sentence else b""
            except BaseException as error:
                _end(process)  # what it still writes would be taken for the next sentence
                if isinstance(error, (SpeechError, EOFError)) and self._silenced():
                    raise SpeechError(_STOPPED) from error
                if not isinstance(error, EOFError):
                    raise
                if fresh:  # else it may have been killed while it had nothing to do
                    raise SpeechError("piper has ended in the midst of a sentence") from error
            finally:
                with self._lock:
                    self._busy = False

    def _begin(self) -> tuple[subprocess.Popen[bytes], bool]:
        """Return a process, and whether it is a new one; raises SpeechError once stopped."""
        with self._lock:
            if self._stopped:
                raise SpeechError(_STOPPED)
            self._busy = True
            old = self._process
            if old is not None and old.poll() is None:
                return old, False
            if old is not None:
                _end(old)
            self._process = _worker(self._voice)
            return self._process, True

    def _await_voice(self, process: subprocess.Popen[bytes]) -> None:
        try:
            _read_answer(process, LOAD_LIMIT)
        except (SpeechError, EOFError) as error:
            why = str(error) or "piper has ended before it was loaded"
            raise SpeechError(f"voice {self._voice}: {why}") from error

    def _silenced(self) -> bool:
        with self._lock:
            return self._stopped


def check_piper(voice: str, language: str) -> None:
    """Raise what would keep PiperEngine from speaking this language; nothing is loaded."""
    _check_language(*_found(voice), language)


def _found(voice: str) -> tuple[Path, str]:
    """Return a voice's file and its language, once Piper is there, too; see PiperEngine."""
    path = expanded(voice)
    speaks = _language_of(path)
    if not can_import("piper"):
        raise missing("speech with piper", how_to_install("speech"), "no module piper")
    return path, speaks


def _check_language(voice: Path, speaks: str, wanted: str) -> None:
    """Raise InvalidRequestError unless both are the same language, whatever the variety."""
    if [*widening(speaks)][-1] != [*widening(wanted)][-1]:
        raise InvalidRequestError(
            f"speech_voice {voice}: expected a voice for the language {wanted}, this one speaks "
            f"{speaks}"
        )


def _worker(voice: Path) -> subprocess.Popen[bytes]:
    """Start the process. It ends by itself once this one is gone, as its input ends then."""
    return subprocess.Popen(  # noqa: S603 (no shell; the only word of the user's is a file's path)
        [sys.executable, "-c", _CODE, str(voice)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is for this process, which stops it
    )


def _answer(process: subprocess.Popen[bytes], sentence: dict[str, object]) -> bytes:
    """Return the sound of a sentence; raises SpeechError, and EOFError if the process has ended."""
    assert process.stdin is not None  # noqa: S101 (it is a pipe)
    try:
        process.stdin.write(json.dumps(sentence).encode() + b"\n")
        process.stdin.flush()
    except OSError as error:
        raise EOFError from error
    return _read_answer(process, TIME_LIMIT)


def _read_answer(process: subprocess.Popen[bytes], limit: float) -> bytes:
    assert process.stdout is not None  # noqa: S101 (it is a pipe)
    deadline = time.monotonic() + limit
    received = bytearray()
    with selectors.DefaultSelector() as ready:
        ready.register(process.stdout, selectors.EVENT_READ)

        def more() -> None:
            left = deadline - time.monotonic()
            if left <= 0 or not ready.select(left):
                raise SpeechError(f"piper was ended: it took over {limit:.0f} s")
            part = os.read(process.stdout.fileno(), 1 << 16)  # type: ignore[union-attr]
            if not part:
                raise EOFError
            received.extend(part)

        while b"\n" not in received and len(received) < LONGEST_HEAD:
            more()
        line, _, body = bytes(received).partition(b"\n")
        try:
            head = json.loads(line)
        except ValueError as error:
            raise SpeechError(f"piper answers {line[:100]!r}") from error
        if "error" in head:
            raise SpeechError(f"piper: {head['error']}")
        received = bytearray(body)
        while len(received) < head["bytes"]:
            more()
    return bytes(received)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.communicate()  # closes its pipes, and reaps it


def _next_step(voice: Path, lacking: Path) -> str:
    """Return what to do about a file that is not there."""
    if voice.suffix != ".onnx":  # a name as Piper lists it, or a path that ends too early
        whole = Path(f"{voice}.onnx")
        if whole.is_file():
            return f"; did you mean {whole}?"
        name = voice.name
        slip = f"; {name} is a voice's name, and the path of its file {name}.onnx is expected"
        return f"{slip}. `{how_to_fetch_voice(name)}` fetches it into the working folder"
    if lacking != voice:
        return "; it comes with the voice, and has to stay beside it"
    return f"; `{how_to_fetch_voice(voice.stem)}` fetches a voice of Piper's own"


def _language_of(voice: Path) -> str:
    """Return the language that a voice's description names.

    Raises InvalidRequestError if one of the two files is missing, or is something else.
    """
    description = Path(f"{voice}.json")
    for file in (voice, description):
        if not file.is_file():
            raise InvalidRequestError(
                f"speech_voice: expected a voice of Piper, a file NAME.onnx with its "
                f"NAME.onnx.json beside it; there is no file {file}{_next_step(voice, file)}"
            )
    try:
        told: Any = json.loads(description.read_text("utf-8"))
        sample_rate = told["audio"]["sample_rate"]
        language = told.get("language", {}).get("code") or told["espeak"]["voice"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InvalidRequestError(
            f"speech_voice: {description} describes no voice of Piper ({error!r})"
        ) from error
    if not isinstance(language, str) or not isinstance(sample_rate, int):
        raise InvalidRequestError(f"speech_voice: {description} describes no voice of Piper")
    return language
