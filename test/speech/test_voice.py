"""Which engine and output the options stand for, and a voice as a whole."""

import pytest
from sounds import length, needs_espeak

from i2t_ros.errors import BackendMissingError, InvalidRequestError, SpeechError
from i2t_ros.speech.base import LONGEST, LONGEST_SOUND, Manner
from i2t_ros.speech.espeak import EspeakEngine
from i2t_ros.speech.outputs import Output
from i2t_ros.speech.voice import ENGINES, Voice, VoiceOptions, check_voice, open_voice


@pytest.mark.parametrize(
    ("options", "engine"),
    [
        ({}, "espeak"),
        ({"voice": "a.onnx"}, "piper"),
        ({"engine": "espeak"}, "espeak"),
        ({"engine": "piper", "voice": "a.onnx"}, "piper"),
    ],
)
def test_auto_is_piper_if_a_voice_is_named(options, engine):
    assert VoiceOptions(**options).chosen == engine
    assert engine in ENGINES


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"engine": "piper"}, r"the file of a voice, .*python\S* -m piper.download_voices en_US-"),
        ({"engine": "espeak", "voice": "a.onnx"}, "speech_voice: expected none"),
        ({"folder": "x", "device": "hw:0"}, "speech_folder: nothing is played"),
        ({"folder": "x", "player": "aplay"}, "speech_folder: nothing is played"),
        ({"voice": "/nowhere/a.onnx"}, "no file /nowhere/a.onnx; `.*download_voices a` fetches"),
        ({"voice": "de_DE-x-low"}, r"de_DE-x-low is a voice's name.*download_voices de_DE-x-low`"),
    ],
)
def test_options_that_contradict_each_other_are_refused(options, said):
    for check in (check_voice, lambda options, language: open_voice(options, Manner(language))):
        with pytest.raises(InvalidRequestError, match=said):
            check(VoiceOptions(**options), "en")


@pytest.mark.parametrize("wrong", [{"engine": "festival"}, {"player": "sox"}])
def test_names_that_do_not_exist_are_refused(wrong):
    with pytest.raises(InvalidRequestError, match="expected one of auto, "):
        VoiceOptions(**wrong)


def test_what_is_missing_is_known_before_anything_is_opened(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BackendMissingError, match="espeak-ng"):
        check_voice(VoiceOptions(folder=str(tmp_path / "sounds")), "en")
    assert not (tmp_path / "sounds").exists()


@needs_espeak
def test_a_sentence_becomes_a_file(tmp_path):
    voice = open_voice(VoiceOptions(folder=str(tmp_path)), Manner("en", rate=450))
    assert voice.title == f"espeak-ng, voice en-us, to {tmp_path}"
    assert list(tmp_path.iterdir()) == []  # the trial is not heard
    voice.say("No.")
    (sound,) = tmp_path.iterdir()
    assert 0.1 < length(sound) < 2.0
    voice.say("…")
    assert list(tmp_path.iterdir()) == [sound]
    voice.use(Manner("es"))
    assert "voice es" in voice.title
    voice.stop()
    with pytest.raises(SpeechError, match="stopped"):
        voice.say("No.")
    voice.start()
    voice.say("A")
    assert len(list(tmp_path.iterdir())) == 2
    voice.close()
    voice.close()


@needs_espeak
def test_what_would_sound_for_minutes_is_cut():
    """A word for each character that an engine cannot read; newer sentences wait meanwhile."""

    class Listener(Output):
        def give(self, sound):
            self.sound = sound

        def start(self): ...

        def stop(self): ...

    engine, listener = EspeakEngine(), Listener()
    engine.use(Manner("en", rate=80))
    assert length(engine.synthesize("我" * LONGEST)) > 200
    Voice(engine, listener).say("我" * LONGEST)
    assert length(listener.sound) == LONGEST_SOUND


@needs_espeak
def test_a_language_that_the_engine_does_not_speak_is_refused(tmp_path):
    options = VoiceOptions(folder=str(tmp_path))
    with pytest.raises(InvalidRequestError, match="espeak-ng has no voice"):
        open_voice(options, Manner("xx"))
    with pytest.raises(InvalidRequestError, match="espeak-ng has no voice"):
        check_voice(options, "xx")
