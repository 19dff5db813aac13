"""The real Piper, with a voice that the test writes: a hum for each phoneme."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sounds import InThread, length, loudness
from tiny_voice import RATE, SAMPLES, write_voice
from waiting import has_ended, until

from i2t_ros.errors import BackendMissingError, InvalidRequestError, SpeechError
from i2t_ros.speech import piper
from i2t_ros.speech.base import Manner
from i2t_ros.speech.piper import PiperEngine, check_piper

TEXT = "I can see a dog."


@pytest.fixture
def voice(tmp_path):
    pytest.importorskip("onnx")
    pytest.importorskip("piper")
    return write_voice(tmp_path)


@pytest.fixture
def described(tmp_path):
    """Return the path of a voice that nothing can load: its description is all that it has."""
    (tmp_path / "voice.onnx").write_bytes(b"no model")
    description = {
        "audio": {"sample_rate": 16_000}, "espeak": {"voice": "es"},
        "num_symbols": 1, "num_speakers": 1, "phoneme_id_map": {},
    }  # fmt: skip
    (tmp_path / "voice.onnx.json").write_text(json.dumps(description))
    return tmp_path / "voice.onnx"


@pytest.fixture
def engines():
    made = []

    def make(voice):
        made.append(PiperEngine(str(voice)))
        return made[-1]

    yield make
    for engine in made:
        engine.close()


def process_of(engine):
    return engine._process.pid


def stand_in(monkeypatch, text):
    """Let another program answer in the place of Piper."""
    monkeypatch.setattr(piper, "can_import", lambda name: True)
    monkeypatch.setattr(piper, "_CODE", text)


def test_a_sentence_is_a_sound_as_long_as_its_phonemes(engines, voice):
    engine = engines(voice)
    engine.use(Manner("en"))
    short, long = engine.synthesize(TEXT), engine.synthesize(f"{TEXT[:-1]}, a cat and a cup.")
    assert length(short) > 10 * SAMPLES / RATE
    assert length(long) > length(short) + 10 * SAMPLES / RATE
    assert engine.synthesize(TEXT) == short
    assert engine.title == "piper, voice en_US-hum (en_US)"


def test_the_voice_says_how_words_sound(engines, voice, tmp_path):
    (tmp_path / "es").mkdir()
    spanish = write_voice(tmp_path / "es", "es_ES", "es")
    sounds = []
    for path, language in ((voice, "en-GB"), (spanish, "es-MX")):
        engine = engines(path)
        engine.use(Manner(language))
        sounds.append(engine.synthesize("dos tazas"))
    assert sounds[0] != sounds[1]


def test_a_voice_of_another_language_is_refused(engines, voice):
    engine = engines(voice)
    for check in (engine.use, lambda manner: check_piper(str(voice), manner.language)):
        with pytest.raises(InvalidRequestError, match="for the language es, this one speaks en_US"):
            check(Manner("es"))
        check(Manner("en_GB.UTF-8"))


def test_rate_and_volume(engines, voice):
    engine = engines(voice)
    engine.use(Manner("en"))
    normal = engine.synthesize(TEXT)
    engine.use(Manner("en", rate=350, volume=0.25))
    quick = engine.synthesize(TEXT)
    assert length(quick) == pytest.approx(length(normal) / 2, rel=0.01)
    assert loudness(quick) == pytest.approx(loudness(normal) / 4, rel=0.05)


def test_text_is_no_command_and_no_phonemes(engines, voice):
    engine = engines(voice)
    engine.use(Manner("en"))
    for text in ('"}\n{"text": "x"', "--help", "<break/>", "日本語 \\n"):
        assert length(engine.synthesize(text)) > 0
    assert engine.synthesize(TEXT) == engine.synthesize(TEXT)


def test_a_text_without_phonemes_is_an_error_and_the_next_is_said(engines, voice):
    engine = engines(voice)
    engine.use(Manner("en"))
    with pytest.raises(SpeechError, match="piper: "):
        engine.synthesize("")
    assert length(engine.synthesize(TEXT)) > 0


def test_the_voice_stays_loaded_and_comes_back_if_its_process_is_killed(engines, voice):
    engine = engines(voice)
    engine.use(Manner("en"))
    first, pid = engine.synthesize(TEXT), process_of(engine)
    engine.stop()
    engine.start()
    engine.synthesize(TEXT)
    assert process_of(engine) == pid
    os.kill(pid, signal.SIGKILL)
    until(lambda: has_ended(pid), "it ends")
    assert engine.synthesize(TEXT) == first
    assert process_of(engine) != pid


def test_nothing_is_left_when_it_is_closed(engines, voice):
    engine = engines(voice)
    pid = process_of(engine)
    files = len(os.listdir("/proc/self/fd"))
    engine.close()
    engine.close()
    assert has_ended(pid)
    assert len(os.listdir("/proc/self/fd")) == files - 2
    with pytest.raises(SpeechError, match="stopped"):
        engine.synthesize(TEXT)


def test_it_ends_when_its_parent_is_killed(voice):
    code = (
        "import sys; from i2t_ros.speech.piper import PiperEngine; "
        "engine = PiperEngine(sys.argv[1]); print(engine._process.pid, flush=True); "
        "sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(voice)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, cwd="/", **pipes) as parent:
        pid = int(parent.stdout.readline())
        assert not has_ended(pid)
        parent.kill()
    until(lambda: has_ended(pid), "it ends")


def test_a_file_that_is_no_model_is_refused_with_what_piper_says(engines, described):
    pytest.importorskip("piper")
    with pytest.raises(SpeechError, match=f"voice {described}: piper: InvalidProtobuf"):
        engines(described)


@pytest.mark.parametrize(
    "description",
    [
        "",
        "[]",
        "{}",
        '{"audio": 1}',
        '{"audio": {}}',
        '{"audio": {"sample_rate": 1}}',
        '"\\ud800"',
        '{"audio": {"sample_rate": "x"}, "espeak": {"voice": "es"}}',
        "[" * 9999,
    ],
)
def test_a_description_of_something_else_is_refused(described, description):
    Path(f"{described}.json").write_text(description)
    with pytest.raises(InvalidRequestError, match="describes no voice of Piper"):
        check_piper(str(described), "es")


@pytest.mark.parametrize("gone", ["", ".json"])
def test_a_missing_file_is_named(described, gone):
    Path(f"{described}{gone}").unlink()
    with pytest.raises(
        InvalidRequestError, match=rf"there is no file {described}{gone}; "
    ) as error:
        check_piper(str(described), "es")
    assert ("download_voices voice`" in str(error.value)) == (not gone)


def test_a_voice_named_without_its_ending_is_one_slip_with_one_answer(described):
    with pytest.raises(InvalidRequestError, match=f"; did you mean {described}\\?$"):
        check_piper(str(described.with_suffix("")), "es")


def test_a_missing_package_is_named_with_the_command_that_installs_it(described, monkeypatch):
    monkeypatch.setattr(piper, "can_import", lambda name: False)
    with pytest.raises(BackendMissingError, match=r"i2t_ros\[speech\]|setup --extras speech"):
        check_piper(str(described), "es")


def test_a_stop_ends_a_sentence_at_once(engines, described, monkeypatch):
    stand_in(monkeypatch, "import sys; print('{\"bytes\": 0}', flush=True); list(sys.stdin)")
    engine = engines(described)
    pid = process_of(engine)
    begun = threading.Event()
    read = piper._read_answer
    monkeypatch.setattr(piper, "_read_answer", lambda *args: (begun.set(), read(*args))[1])
    speaking = InThread(engine.synthesize, "hola")
    assert begun.wait(30.0)
    engine.stop()
    assert "stopped" in str(speaking.outcome(5.0))
    assert has_ended(pid)
    engine.start()


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ("sys.exit(3)", "voice .*: piper has ended before it was loaded"),
        ("print('hello', flush=True); input()", "piper answers b'hello'"),
        ("print('x' * 20_000, flush=True); input()", "piper answers b'xxx"),
        ('print(\'{"error": "no memory"}\', flush=True); input()', "piper: no memory"),
        ("input()", "it took over 0 s"),
    ],
)
def test_a_process_that_answers_something_else_is_ended(described, monkeypatch, answers, said):
    stand_in(monkeypatch, f"import sys; {answers}")
    if "took" in said:
        monkeypatch.setattr(piper, "LOAD_LIMIT", 0.3)
    with pytest.raises(SpeechError, match=said):
        PiperEngine(str(described))


def test_a_sound_that_breaks_off_is_an_error_and_the_process_begins_anew(
    engines, described, monkeypatch
):
    load = "print('{\"bytes\": 0}', flush=True); input(); "
    stand_in(monkeypatch, f"{load}print('{{\"bytes\": 100}}\\nxyz', flush=True)")
    engine = engines(described)
    pid = process_of(engine)
    for _ in range(2):
        with pytest.raises(SpeechError, match="ended in the midst"):
            engine.synthesize("hola")
    assert process_of(engine) != pid
