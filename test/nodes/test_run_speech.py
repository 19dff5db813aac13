"""`i2t run --speech`: nothing that is shown once stays unsaid, in words for a voice."""

import os
import shutil
import signal

import cv2
import numpy as np
import pytest
from project import I2T
from rcl_interfaces.srv import GetParameters
from running_command import RunningCommand
from sounds import StandInPlayer, needs_espeak, write_program
from waiting import until

from i2t_ros.cli import run as run_module

pytestmark = needs_espeak


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """Return a folder at the front of PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    return folder


@pytest.fixture
def run(tmp_path):
    """Return a function that runs `i2t run --speech` in a folder with a picture."""
    cv2.imwrite(str(tmp_path / "photo.png"), np.full((48, 64, 3), 128, np.uint8))
    runs = []

    def run(*arguments):
        command = I2T, "run", "--speech", "--model", "fake", "--no-bridge", *arguments
        runs.append(RunningCommand(*command, cwd=tmp_path))
        return runs[-1]

    yield run
    for started in runs:
        started.kill()


def test_a_picture_that_is_shown_once_is_said_to_the_end(run, programs):
    player = StandInPlayer(programs)
    started = run("--source", "photo.png", "--once", "--language", "es")
    started.until("source_node has ended; the others end once all is said")
    until(lambda: player.playing, "it is played")
    assert "said in" not in started.text()
    player.end()
    assert started.end() == 0
    assert "it came: Veo una persona." in started.text()
    assert len(player.playing) == 1
    assert player.never_two_at_once()


def test_it_is_not_shown_before_speech_node_listens(run, programs, tmp_path):
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    real = shutil.which("espeak-ng")
    write_program(programs, "espeak-ng", f'read line < "{gate}"\nexec "{real}" "$@"\n')
    folder = tmp_path / "sounds"
    started = run("--source", "photo.png", "--once", "--ros-args", "-p", f"speech_folder:={folder}")
    started.until("active: picture")
    started.until("active: images from nowhere until somebody listens")
    assert "ended after" not in started.text()
    write_program(programs, "espeak-ng.new", f'exec "{real}" "$@"\n')
    (programs / "espeak-ng.new").rename(programs / "espeak-ng")
    gate.write_text("\n")
    assert started.end() == 0
    assert "it came: I can see a person." in started.text()
    assert len(list(folder.glob("*.wav"))) == 1


def test_what_is_never_said_is_not_waited_for(run, tmp_path):
    """Here as there is nothing new to say."""
    started = run(
        "--source", "photo.png", "--once", "--ros-args", "-p", f"speech_folder:={tmp_path}",
        "-p", "style:=changes",
    )  # fmt: skip
    assert started.end() == 0
    assert "not all was said" not in started.text()
    assert "said in" not in started.text()


def test_a_voice_that_cannot_speak_ends_all(run, programs):
    write_program(programs, "espeak-ng", "exit 1")
    started = run("--source", "photo.png", "--once")
    assert started.end() == 1
    assert "speech_node ended with code 1" in started.text()


@pytest.mark.parametrize(
    ("file", "arguments", "spoken"),
    [
        ("/**: {ros__parameters: {hedge: true}}", [], True),
        ("/**: {ros__parameters: {spoken: false}}", [], False),
        ("/**/detector_node: {ros__parameters: {spoken: false}}", [], False),
        ("detector_node: {ros__parameters: {hedge: true}}", ["-p", "spoken:=false"], False),
    ],
)
def test_words_are_for_a_voice_unless_the_user_says_otherwise(
    peer, run, tmp_path, file, arguments, spoken
):
    (tmp_path / "robot.yaml").write_text(file)
    started = run(
        "--no-source", "--params-file", "robot.yaml", "--ros-args",
        "-p", f"speech_folder:={tmp_path}", *arguments,
    )  # fmt: skip
    started.until("detector_node.*active: images")
    request = GetParameters.Request(names=["spoken", "await_listener"])
    found = peer.call(GetParameters, "/detector_node/get_parameters", request).values
    assert [found[0].bool_value, found[1].double_value] == [spoken, 0.0]
    assert started.end(signal.SIGINT) == 0


def test_without_the_package_for_numbers_it_is_said_once_and_the_rest_goes_on(monkeypatch, capsys):
    monkeypatch.setattr("i2t_ros.nodes.together.can_import", lambda name: False)
    monkeypatch.setattr(run_module, "NodeProcess", _refuse)
    with pytest.raises(StopIteration):
        run_module.run(_arguments("--speech"))
    said = capsys.readouterr().out
    assert said.count("unicode-rbnf") == 1
    assert run_module.chosen_nodes(_arguments("--speech"))["detector_node"] == []


def _refuse(name, words, write):
    raise StopIteration


def _arguments(*words):
    import argparse  # noqa: PLC0415

    parser = argparse.ArgumentParser()
    run_module.add_parser(parser.add_subparsers())
    return parser.parse_args(["run", *words])
