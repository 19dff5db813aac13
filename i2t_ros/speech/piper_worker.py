"""The process in which Piper runs: a voice is loaded once, and a signal ends any sentence.

Standard input has one line of JSON for each sentence: {"text", "pace", "volume"}. Standard output
has a line for the voice, once it is loaded, and one for each sentence: {"error"}, or {"bytes"} and
then as many bytes of a WAV file. It ends when its input does.
"""

import io
import json
import os
import sys
import wave
from typing import BinaryIO


def main() -> None:
    """Load the voice that the first argument names, and speak until the input ends."""
    # Whatever else writes to standard output would be taken for an answer.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        from piper import PiperVoice, SynthesisConfig  # noqa: PLC0415 (a process of its own)

        voice = PiperVoice.load(sys.argv[1])
    except Exception as error:  # whatever a wrong file makes it raise
        _answer(answers, {"error": f"{type(error).__name__}: {error}"})
        return
    _answer(answers, {"bytes": 0})
    own_pace = voice.config.length_scale
    for line in sys.stdin:
        asked = json.loads(line)
        manner = SynthesisConfig(length_scale=own_pace * asked["pace"], volume=asked["volume"])
        sound = io.BytesIO()
        try:
            with wave.open(sound, "wb") as file:
                voice.synthesize_wav(asked["text"], file, syn_config=manner)
        except Exception as error:
            _answer(answers, {"error": f"{type(error).__name__}: {error}"})
        else:
            _answer(answers, {"bytes": sound.tell()}, sound.getvalue())


def _answer(answers: BinaryIO, head: dict[str, object], body: bytes = b"") -> None:
    answers.write(json.dumps(head).encode() + b"\n" + body)
    answers.flush()


if __name__ == "__main__":
    main()
