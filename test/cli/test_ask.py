"""`i2t ask`: a question about a picture, as a user types it."""

import base64
import json
import os
import signal
import subprocess
import threading

import cv2
import hostile_vlm
import numpy as np
import pytest
from hostile_vlm import good, status
from project import I2T
from running_command import RunningCommand

from i2t_ros.cli import inputs
from i2t_ros.cli.ask import ASK_GROUPS, disagreements
from i2t_ros.cli.main import main
from i2t_ros.options import options_of
from i2t_ros.sources import LazyImage, Source
from i2t_ros.types import Answer, CountCheck
from i2t_ros.vlm.settings import LanguageModelSettings

pytest.importorskip("openai", reason="openai is not installed")

GREY = np.full((48, 64, 3), 128, np.uint8)


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "photo.png"
    cv2.imwrite(str(path), GREY)
    return path


@pytest.fixture
def server():
    with hostile_vlm.serving(good(["Yes", ", it", " is."])) as running:
        yield running


@pytest.fixture
def ask(server):
    """Run the command; return its exit code."""

    def run(*words):
        return main(["ask", *map(str, words), "--model", "fake", "--caption-url", server.url])

    return run


def test_the_answer_is_printed_and_nothing_else(ask, photo, server, capsys):
    assert ask(photo, "Is the door open?") == 0
    assert capsys.readouterr() == ("Yes, it is.\n", "")
    (asked,) = server.asked
    assert "Is the door open?" in asked.text
    assert "person" in asked.text  # what the detector has found
    assert len(asked.pictures) == 1


def test_flags_may_stand_anywhere(photo, server, capsys):
    flags = ["--model", "fake", "--caption-url", server.url]
    for words in (
        [*flags, str(photo), "Why?"],
        [str(photo), *flags, "Why?"],
        [str(photo), "Why?", *flags],
    ):
        assert main(["ask", *words]) == 0
        assert server.next_asked().text.endswith("Question: Why?")
    assert capsys.readouterr().out == "Yes, it is.\n" * 3


def test_what_the_flags_say_reaches_the_server(ask, photo, server):
    flags = ["--caption-model", "eyes", "--caption-max-tokens", "7", "--caption-width", "32"]
    assert ask(photo, "Why?", "--language", "es", "--tasks", "faces,detect", *flags) == 0
    (asked,) = server.asked
    assert (asked.body["model"], asked.body["max_tokens"]) == ("eyes", 7)
    assert "Answer in Spanish" in asked.text


def test_the_key_is_that_of_the_environment(ask, photo, server, monkeypatch, capsys):
    monkeypatch.setenv("CAPTION_API_KEY", "open sesame")
    assert ask(photo, "Why?") == 0
    assert server.asked[0].headers["Authorization"] == "Bearer open sesame"
    server.play = status(401, "who is open sesame?")
    assert ask(photo, "Why?") == 1
    assert "sesame" not in capsys.readouterr().err


def test_every_setting_of_the_language_model_has_a_flag():
    names = [option.name for options in ASK_GROUPS.values() for option in options]
    assert len(names) == len(set(names))
    assert {option.name for option in options_of(LanguageModelSettings)} <= set(names)


def test_an_answer_for_a_voice_has_no_digits(ask, photo, server, capsys):
    server.play = good(["There are ", "2 dogs."])
    assert ask(photo, "How many?", "--spoken") == 0
    assert capsys.readouterr().out == "There are two dogs.\n"


def test_json_has_the_reply_with_the_answer(ask, photo, server, capsys):
    assert ask(photo, "Is the door open?", "--json") == 0
    captured = capsys.readouterr()
    reply = json.loads(captured.out)
    answer = reply["answer"]
    assert answer.pop("elapsed_ms") > 0
    assert answer == {
        "text": "Yes, it is.",
        "model": f"tiny at {server.address.removeprefix('http://')}",
        "agreement": "unchecked",
        "counts": [],
    }
    assert reply["sentence"] == "I can see a person."
    assert (reply["width"], reply["height"]) == (64, 48)
    assert reply["failures"] == {}
    assert captured.err == ""


def test_a_task_that_fails_is_told_beside_the_answer(ask, photo, monkeypatch, capsys):
    monkeypatch.setenv("I2T_OFFLINE", "1")
    assert ask(photo, "Why?", "--tasks", "detect,classify", "--classify-model", "resnet50_v2") == 0
    captured = capsys.readouterr()
    assert captured.out == "Yes, it is.\n"
    assert captured.err.startswith("i2t ask: classify: resnet50_v2 is not on this machine")
    assert captured.err.endswith("[model_missing]\n")


def test_an_answer_that_counts_otherwise_is_told(ask, photo, server, capsys):
    server.play = good(["There are two", " people."])
    assert ask(photo, "How many people are there?") == 0
    out, err = capsys.readouterr()
    assert out == "There are two people.\n"
    assert err == "i2t ask: person: the detector counted 1, the answer says 2\n"
    assert ask(photo, "How many people are there?", "--json") == 0
    answer = json.loads(capsys.readouterr().out)["answer"]
    assert answer["agreement"] == "disagrees"
    assert answer["counts"] == [
        {"class_id": "person", "label": "person", "answered": 2, "detected": 1}
    ]
    server.play = good(["There is one person."])
    assert ask(photo, "How many people are there?") == 0
    assert capsys.readouterr() == ("There is one person.\n", "")


def test_counts_that_differ_are_told():
    counts = CountCheck("person", "persona", 2, 3), CountCheck("dog", "perro", 1, 1)
    answer = Answer("Dos personas y un perro.", "eyes", 0.1, "disagrees", counts)
    assert disagreements(answer) == ["persona: the detector counted 3, the answer says 2"]


@pytest.mark.parametrize(
    ("play", "code"),
    [
        (status(429), "vlm_busy"),
        (status(500), "vlm_server_error"),
        (hostile_vlm.html(), "vlm_not_an_api"),
        (hostile_vlm.cut(["There", " are"]), "vlm_cut_off"),
        (hostile_vlm.empty(), "vlm_empty"),
    ],
)
def test_no_answer_is_an_error_that_can_be_read(ask, photo, server, capsys, play, code):
    server.play = play
    assert ask(photo, "Why?") == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("i2t ask: ")
    assert captured.err.endswith(f"[{code}]\n")
    assert captured.err.count("\n") == 1
    assert ask(photo, "Why?", "--json") == 1
    assert json.loads(capsys.readouterr().out)["error"]["code"] == code


def test_without_a_server_the_error_says_how_to_start_one(photo, capsys):
    # An unknown model of the detector: nothing is loaded before the server is known.
    assert main(["ask", str(photo), "Why?", "--model", "nope"]) == 1
    said = capsys.readouterr().err
    assert said.endswith("[vlm_off]\n")
    for help in ("caption_url", "llama-server -hf ", "ollama pull ", "docs/captions.md"):
        assert help in said


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["/nowhere.jpg", "Why?"], "cannot read /nowhere.jpg: No such file"),
        (["/dev/video99", "Why?"], "no camera /dev/video99"),
        (["PHOTO", ""], "question: expected words"),
        (["PHOTO", "  "], "question: expected words"),
        (["PHOTO", "y" * 2001], "question: expected at most 2000 characters, got 2001"),
        (["PHOTO", "Why?", "--language", "tlh"], "[unknown_language]"),
        (["PHOTO", "Why?", "--tasks", "smell"], "unknown task 'smell'"),
        (["PHOTO", "Why?", "--caption-timeout", "0"], "caption_timeout: expected 0.1 to 600"),
        (["--camera", "front", "Why?"], "--caption-url is for a PICTURE"),
    ],
)
def test_a_bad_argument_is_an_error_that_can_be_read(ask, photo, server, capsys, words, message):
    assert ask(*(str(photo) if word == "PHOTO" else word for word in words)) == 1
    assert message in capsys.readouterr().err
    assert server.asked == []


class Webcam(Source):
    """A camera whose images are black at first."""

    title = "camera /dev/video7"
    is_open = False

    def open(self):
        self.is_open = True

    def images(self, stop):
        for number in range(99):
            yield LazyImage(str(number), lambda number=number: np.full_like(GREY, 20 * number))

    def close(self):
        self.is_open = False


def test_a_webcam_has_time_to_find_its_exposure(ask, server, monkeypatch, capsys):
    webcam = Webcam()
    monkeypatch.setattr(inputs, "open_source", {"/dev/video7": webcam}.__getitem__)
    assert ask("/dev/video7", "Why?", "--json") == 0
    reply = json.loads(capsys.readouterr().out)
    assert (reply["answer"]["text"], reply["hash"]) == ("Yes, it is.", None)
    picture = base64.b64decode(server.asked[0].pictures[0].partition(",")[2])
    seen = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert abs(seen.mean() - 200) < 2
    assert not webcam.is_open


def test_a_webcam_can_be_described(monkeypatch, capsys):
    monkeypatch.setattr(inputs, "open_source", lambda _: Webcam())
    assert main(["describe", "/dev/video7", "--model", "fake", "--quiet"]) == 0
    assert capsys.readouterr().out == "I can see a person.\n"


def test_a_webcam_without_images_is_an_error(ask, monkeypatch, capsys):
    webcam = Webcam()
    webcam.images = lambda stop: iter(())
    monkeypatch.setattr(inputs, "open_source", lambda _: webcam)
    assert ask("/dev/video7", "Why?") == 1
    assert capsys.readouterr().err == "i2t ask: camera /dev/video7: no image [source_lost]\n"


def test_a_video_is_refused(ask, tmp_path, capsys):
    film = tmp_path / "film.mp4"
    film.write_bytes(b"film")
    assert ask(film, "Why?") == 1
    assert "is a video: ask about a picture" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["photo.jpg"],
        ["--camera", "front"],
        ["--camera", "front", "photo.jpg", "Why?"],
        ["--camera", "front", "Why?", "--language-folder", "mine"],
        ["photo.jpg", "Why?", "--detector", "/car/detector_node"],
    ],
)
def test_wrong_usage_ends_with_2(words, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["ask", *words])
    assert ended.value.code == 2
    assert "usage: i2t ask" in capsys.readouterr().err


def test_standard_input(photo, server):
    command = [I2T, "ask", "-", "Why?", "--model", "fake", "--caption-url", server.url]
    done = subprocess.run(command, input=photo.read_bytes(), capture_output=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"Yes, it is.\n", b"")


def read_until(terminal, text):
    """Return what a terminal shows up to a text."""
    shown = b""
    while text not in shown:
        shown += os.read(terminal, 4096)
    return shown


def test_on_a_terminal_the_answer_appears_as_it_is_written(photo, server):
    gate = threading.Event()
    server.play = good(["There are", " two dogs."], gate=gate)
    ours, theirs = os.openpty()
    command = [I2T, "ask", photo, "Why?", "--model", "fake", "--caption-url", server.url]
    environment = os.environ | {"TERM": "xterm"}
    with subprocess.Popen(command, stdout=theirs, stdin=theirs, env=environment) as asking:
        os.close(theirs)
        assert read_until(ours, b"There are") == b"There are"
        gate.set()
        assert read_until(ours, b"\n") == b" two dogs.\r\n"
        assert asking.wait(60) == 0
    os.close(ours)


@pytest.mark.parametrize("is_told", [True, False])
def test_ctrl_c_stops_the_model_and_ends_quietly(photo, server, tmp_path, is_told):
    never = threading.Event()
    words = ["There are", " two dogs."]
    server.play = good(words, gate=never) if is_told else hostile_vlm.slow(never, head_first=False)
    command = I2T, "ask", photo, "Why?", "--model", "fake", "--caption-url", server.url
    asking = RunningCommand(*command, cwd=tmp_path)
    try:
        asked = server.next_asked()
        assert asking.end(signal.SIGINT) == 130
        assert asked.closed.wait(30)
        assert asking.text() == ""
    finally:
        asking.kill()
