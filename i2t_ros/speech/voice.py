"""A voice: an engine and where its sound goes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from i2t_ros.errors import InvalidRequestError
from i2t_ros.installation import how_to_fetch_voice
from i2t_ros.options import Checked, option
from i2t_ros.speech.base import Engine, Manner, clean, seconds_of, shortened
from i2t_ros.speech.espeak import EspeakEngine, check_espeak
from i2t_ros.speech.outputs import PLAYERS, Loudspeaker, Output, SoundFolder
from i2t_ros.speech.piper import PiperEngine, check_piper


@dataclass(frozen=True, slots=True)
class EngineEntry:
    """An engine: what makes it of speech_voice, and what checks that and a language before."""

    make: Callable[[str], Engine]
    check: Callable[[str, str], object]


ENGINES: Mapping[str, EngineEntry] = {
    "espeak": EngineEntry(lambda _: EspeakEngine(), check_espeak),
    "piper": EngineEntry(PiperEngine, check_piper),
}
"""Name -> engine."""
TRIAL = "1"
"""What each engine can say, in any language."""


@dataclass(frozen=True, slots=True)
class VoiceOptions(Checked):
    """Which engine speaks, and where its sound goes."""

    engine: str = option(
        "auto",
        "what speaks; espeak: the program espeak-ng; piper: neural voices of the extra speech; "
        "auto: piper if speech_voice names a voice, else espeak",
        choices=("auto", *ENGINES),
    )
    voice: str = option(
        "",
        "a voice of Piper: the path of a file NAME.onnx with its NAME.onnx.json beside it; it "
        "speaks one language",
    )
    player: str = option(
        "auto",
        "what plays the sound; auto: the first that is installed",
        choices=("auto", *PLAYERS),
    )
    device: str = option("", "the player's own name of a sound device; empty: its default")
    folder: str = option(
        "",
        "a folder in which the sounds are left as WAV files, the newest 100, and nothing is "
        "played; empty: they are played",
    )

    @property
    def chosen(self) -> str:
        """The engine that ``auto`` stands for, or else the one that is named."""
        return self.engine if self.engine != "auto" else "piper" if self.voice else "espeak"

    def check(self) -> None:
        """Raise InvalidRequestError for options that contradict each other."""
        if self.chosen == "piper" and not self.voice:
            raise InvalidRequestError(
                "speech_voice: expected the file of a voice, as speech_engine is piper; "
                f"`{how_to_fetch_voice('en_US-lessac-medium')}` fetches one, and without a name "
                "lists those that there are"
            )
        if self.chosen == "espeak" and self.voice:
            raise InvalidRequestError(
                "speech_voice: expected none, as speech_engine is espeak; piper takes one"
            )
        if self.folder and (self.device or self.player != "auto"):
            raise InvalidRequestError(
                "speech_folder: nothing is played, so leave speech_player and speech_device out"
            )


class Voice:
    """Says one sentence after the other; stop() may come from another thread."""

    def __init__(self, engine: Engine, output: Output) -> None:
        self._engine = engine
        self._output = output

    @property
    def title(self) -> str:
        """What speaks and where, for the log."""
        return f"{self._engine.title}, to {self._output.title}"

    def use(self, manner: Manner) -> None:
        """Speak so from the next sentence on; see Engine.use."""
        self._engine.use(manner)

    def say(self, sentence: str) -> None:
        """Say a sentence to its end; raises SpeechError. One without a word takes no time."""
        if text := clean(sentence):
            self._output.give(shortened(self._engine.synthesize(text)))

    def start(self) -> None:
        """Allow sentences, again after stop()."""
        self._engine.start()
        self._output.start()

    def stop(self) -> None:
        """Fall silent at once, and refuse sentences until start()."""
        self._engine.stop()
        self._output.stop()

    def close(self) -> None:
        """Release everything. May be called more than once."""
        self._output.stop()
        self._engine.close()


def check_voice(options: VoiceOptions, language: str) -> None:
    """Raise what would keep open_voice() from its work, as far as can be told without it.

    That is BackendMissingError for what is not installed, and InvalidRequestError.
    """
    options.check()
    ENGINES[options.chosen].check(options.voice, language)
    if not options.folder:
        _output(options)


def _output(options: VoiceOptions) -> Output:
    if options.folder:
        return SoundFolder(options.folder)
    return Loudspeaker(options.player, options.device)


def open_voice(options: VoiceOptions, manner: Manner) -> Voice:
    """Return the voice that the options ask for, after a trial that nobody hears.

    Raises BackendMissingError, InvalidRequestError and SpeechError.
    """
    options.check()
    engine = ENGINES[options.chosen].make(options.voice)
    try:
        engine.use(manner)
        seconds_of(engine.synthesize(TRIAL))
        return Voice(engine, _output(options))
    except BaseException:
        engine.close()
        raise
