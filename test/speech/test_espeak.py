"""espeak-ng as it is: the length and the language of the sounds that it makes."""

import os
import re
import subprocess

import pytest
from sounds import InThread, length, loudness, needs_espeak, write_program
from waiting import has_ended, until

from i2t_ros.errors import BackendMissingError, InvalidRequestError, SpeechError
from i2t_ros.language import LANGUAGES, ObjectCount, compose
from i2t_ros.pipeline.tasks.detect import ObjectFacts
from i2t_ros.speech import espeak
from i2t_ros.speech.base import Manner
from i2t_ros.speech.espeak import EspeakEngine, check_espeak, voice_for
from i2t_ros.speech.voice import VoiceOptions, open_voice

pytestmark = needs_espeak
VOICES = {
    "en": "en-us", "es": "es", "zh": "cmn-latn-pinyin", "ko": "ko", "fr": "fr-fr", "de": "de",
    "pt": "pt-br", "ja": "ja", "es-419": "es-419", "pt-PT": "pt-pt", "en-GB": "en-gb",
    "zh-Hant": "cmn-latn-pinyin", "it": "it", "nl": "nl", "pl": "pl", "ru": "ru", "tr": "tr",
    "ar": "ar", "hi": "hi", "id": "id",
}  # fmt: skip


@pytest.fixture
def engine():
    engine = EspeakEngine()
    yield engine
    engine.close()


def spoken(engine, text, language="en", **manner):
    engine.use(Manner(language, **manner))
    return engine.synthesize(text)


def phonemes(text, voice, *flags):
    """Return what espeak-ng says with a voice, in the International Phonetic Alphabet."""
    command = ["espeak-ng", "-b", "1", "-v", voice, "-q", "--ipa", "--stdin", *flags]
    return subprocess.run(command, input=text, capture_output=True, text=True).stdout.strip()


def sentence(language):
    facts = ObjectFacts((ObjectCount("person", 2, 1.0, 1.0), ObjectCount("dog", 1, 1.0, 1.0)))
    return compose([facts], language, "sentence")


def test_a_sentence_is_a_sound_of_a_plausible_length(engine):
    short = length(spoken(engine, "I can see a dog."))
    long = length(spoken(engine, "I can see a dog, three cats, and a cup on a dining table."))
    assert 0.5 < short < 3.0
    assert short + 1.0 < long < 8.0


@pytest.mark.parametrize("language", VOICES)
def test_each_language_has_its_voice(language):
    assert voice_for(language) == VOICES[language]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_sentence_of_each_language_is_spoken_in_it(engine, language):
    text = sentence(language)
    sound = spoken(engine, text, language)
    assert 0.7 < length(sound) < (15.0 if language == "ja" else 6.0)  # it spells Japanese
    assert engine.title == f"espeak-ng, voice {voice_for(language)}"
    other = "de" if language != "de" else "en"
    assert phonemes(text, voice_for(language)) != phonemes(text, voice_for(other))
    assert sound != spoken(engine, text, other)


def test_spanish_words_sound_spanish(engine):
    """The lisp of Spain, and none in Mexico: the language reaches the sound."""
    said = phonemes("dos tazas de café", voice_for("es"))
    assert "θ" in said
    assert "θ" not in phonemes("dos tazas de café", voice_for("es-MX"))
    assert "θ" not in phonemes("dos tazas de café", voice_for("en"))


def test_chinese_is_read_as_chinese_and_not_as_english_letters():
    assert "(en)" not in phonemes("我看到两个人。", voice_for("zh"))


@pytest.mark.parametrize(
    ("language", "voice"),
    [
        ("es_MX.UTF-8", "es-mx"), ("EN", "en-us"), ("de-AT", "de"), ("zh-HK", "yue"), ("no", "nb"),
        ("zh-TW", "cmn-latn-pinyin"), ("pt-BR", "pt-br"), ("fr-BE", "fr-be"), ("cy", "cy"),
    ],
)  # fmt: skip
def test_other_tags_get_the_nearest_voice(language, voice):
    assert voice_for(language) == voice


@pytest.mark.parametrize("language", ["xx", "", "-", "--help", "../../en", "en us", "x" * 10_000])
def test_a_language_without_a_voice_is_refused_and_the_old_one_stays(engine, language):
    engine.use(Manner("es"))
    with pytest.raises(InvalidRequestError, match="espeak-ng has no voice for it"):
        engine.use(Manner(language))
    assert engine.title == "espeak-ng, voice es"


def test_who_asks_for_japanese_is_told_what_espeak_cannot(caplog):
    check_espeak("", "ja")  # what a launch file does before it starts the node
    engine = EspeakEngine()
    for volume in (1.0, 0.5, 0.5):
        engine.use(Manner("ja", volume=volume))
    (line,) = caplog.messages
    assert "reads kana alone" in line
    assert "Chinese character" not in phonemes("ねこ", "ja")


def test_rate_and_volume(engine):
    text = "I can see two people and a dog."
    normal = spoken(engine, text)
    assert length(spoken(engine, text, rate=90)) > 1.5 * length(normal)
    assert length(spoken(engine, text, rate=400)) < 0.7 * length(normal)
    assert loudness(spoken(engine, text, volume=0.3)) < 0.5 * loudness(normal)
    assert loudness(spoken(engine, text, volume=0.0)) < 50


def test_what_looks_like_an_option_or_markup_is_said(engine, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for text in ("-w stolen.wav a", "--stdout", "-f /etc/hostname", "<break time='9s'/>"):
        assert 0.2 < length(spoken(engine, text)) < 8.0
    assert list(tmp_path.iterdir()) == []


def test_a_program_that_makes_no_sound_is_an_error(monkeypatch, tmp_path):
    write_program(tmp_path, "espeak-ng", "echo 'Pty Language\n 5 en-us x y z'\nexit 0\n")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    espeak._voices.cache_clear()
    try:
        with pytest.raises(SpeechError, match="a sentence became no sound, but 0 bytes"):
            open_voice(VoiceOptions(folder=str(tmp_path / "sounds")), Manner("en"))
    finally:
        espeak._voices.cache_clear()
    assert not (tmp_path / "sounds").exists()


def test_it_is_missing(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BackendMissingError, match="sudo apt-get install espeak-ng"):
        EspeakEngine()


def test_voices_that_are_not_listed_are_an_error(monkeypatch, tmp_path):
    write_program(tmp_path, "espeak-ng", "exit 1\n")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    espeak._voices.cache_clear()
    with pytest.raises(SpeechError, match="does not list its voices: espeak-ng failed with 1"):
        voice_for("en")
    os.mkfifo(tmp_path / "pipe")
    text = f'cat "{tmp_path}/pipe" &\necho $! > "{tmp_path}/child"\nwait\n'
    write_program(tmp_path, "espeak-ng", text)
    monkeypatch.setattr(espeak, "TIME_LIMIT", 0.5)
    with pytest.raises(SpeechError, match=r"does not list its voices: .* took over"):
        voice_for("en")
    until(lambda: has_ended(int((tmp_path / "child").read_text())), "nothing is left")
    espeak._voices.cache_clear()


def test_a_stop_ends_a_sentence(engine, monkeypatch, tmp_path):
    engine.use(Manner("en"))
    os.mkfifo(tmp_path / "pipe")
    write_program(tmp_path, "espeak-ng", f'touch "{tmp_path}/begun"; cat "{tmp_path}/pipe"\n')
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    speaking = InThread(engine.synthesize, "a dog")
    until((tmp_path / "begun").exists, "it begins")
    engine.stop()
    assert re.search("stopped", str(speaking.outcome(5.0)))
    with pytest.raises(SpeechError, match="stopped"):
        engine.synthesize("a dog")
