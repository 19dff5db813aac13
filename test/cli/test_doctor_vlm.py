"""`i2t models doctor --caption-url`: what it says of good and of bad servers."""

import base64
import json

import cv2
import hostile_vlm
import numpy as np
import pytest
from hostile_vlm import good, status

from i2t_ros import errors
from i2t_ros.cli.doctor_vlm import ADVICE
from i2t_ros.cli.main import main
from i2t_ros.errors import LanguageModelError

pytest.importorskip("openai", reason="openai is not installed")


@pytest.fixture
def doctor(capsys):
    """Run the command; return its exit code and what it printed."""

    def run(*arguments):
        code = main(["models", "doctor", *map(str, arguments)])
        told = capsys.readouterr()
        assert not told.err
        return code, told.out

    return run


def lines(told):
    """Return the text of each line by the name at its left."""
    return dict(line.split(None, 1) for line in told.splitlines())


def without_pictures(reply):
    """Answer questions, and refuse pictures as llama.cpp does for a model without eyes."""
    if reply.asked.pictures:
        status(500, "image input is not supported")(reply)
    else:
        good(["Yes"])(reply)


def test_a_good_server(doctor):
    with hostile_vlm.serving(good(["Red", "."])) as server:
        code, told = doctor("--caption-url", server.url)
        (asked,) = server.asked
    assert code == 0
    said = lines(told)
    assert said["server"] == f"{server.address.removeprefix('http://')} (this machine)"
    assert (said["models"], said["model"]) == ("tiny", "tiny")
    assert (said["pictures"], said["answer"], said["usable"]) == ("yes", "Red.", "yes")
    assert "s to the first word" in said["took"]
    assert "warning" not in said
    (url,) = asked.pictures
    picture = np.frombuffer(base64.b64decode(url.partition(",")[2]), np.uint8)
    blue, green, red = cv2.imdecode(picture, cv2.IMREAD_COLOR)[32, 32]
    assert red > 200
    assert max(blue, green) < 100
    assert "color" in asked.text


def test_what_a_script_gets(doctor):
    with hostile_vlm.serving(good(["Red"])) as server:
        code, told = doctor("--caption-url", server.url, "--json")
    report = json.loads(told)
    assert code == 0
    assert 0 <= report.pop("seconds_to_first_word") <= report.pop("seconds")
    assert report == {
        "url": server.url,
        "usable": True,
        "problem": None,
        "warnings": [],
        "server": server.address.removeprefix("http://"),
        "this_machine": True,
        "models": ["tiny"],
        "model": "tiny",
        "answer": "Red",
        "pictures": True,
    }


def test_a_server_that_takes_no_pictures(doctor):
    with hostile_vlm.serving(without_pictures) as server:
        code, told = doctor("--caption-url", server.url)
    said = lines(told)
    assert code == 1
    assert said["pictures"] == "no, but it answers without one"
    assert "image input is not supported" in said["problem"]
    assert said["problem"].endswith("[vlm_server_error]")
    assert said["usable"] == "no"


def test_a_server_that_answers_nothing_is_not_said_to_take_no_pictures(doctor):
    with hostile_vlm.serving(status(500)) as server:
        code, told = doctor("--caption-url", server.url)
    assert code == 1
    assert "pictures" not in lines(told)


def test_a_model_that_may_not_see(doctor):
    with hostile_vlm.serving(good(["Green"])) as server:
        code, told = doctor("--caption-url", server.url)
    assert code == 0
    assert lines(told)["warning"].startswith("the picture was red: the model may not see it")


def test_one_of_several_models(doctor):
    models = hostile_vlm.model_list("words", "eyes")
    with hostile_vlm.serving(good(["red"]), models) as server:
        _, first = doctor("--caption-url", server.url)
        _, named = doctor("--caption-url", server.url, "--caption-model", "eyes")
        _, other = doctor("--caption-url", server.url, "--caption-model", "ears")
        assert [asked.body["model"] for asked in server.asked] == ["words", "eyes", "ears"]
    assert lines(first)["models"] == "words, eyes"
    assert lines(first)["warning"].endswith("name the right one with --caption-model")
    assert "warning" not in lines(named)
    assert lines(other)["warning"] == "the server does not list ears"


def test_a_server_without_a_list_of_models(doctor):
    with hostile_vlm.serving(good(["red"]), status(404)) as server:
        code, told = doctor("--caption-url", server.url)
        assert (code, lines(told)["problem"].split()[-1]) == (1, "[vlm_refused]")
        code, told = doctor("--caption-url", server.url, "--caption-model", "eyes")
    said = lines(told)
    assert (code, said["models"], said["model"]) == (0, "none", "eyes")
    assert said["warning"].startswith("no list of models: ")


@pytest.mark.parametrize(
    ("play", "code"),
    [
        (status(401), "vlm_unauthorized"),
        (status(429, Retry_After="1"), "vlm_busy"),
        (hostile_vlm.html(), "vlm_not_an_api"),
        (hostile_vlm.empty(), "vlm_empty"),
        (hostile_vlm.cut(["A"]), "vlm_cut_off"),
        (hostile_vlm.endless(), "vlm_endless"),
    ],
)
def test_each_failure_has_its_code_and_what_to_do(doctor, play, code):
    with hostile_vlm.serving(play) as server:
        exit_code, told = doctor("--caption-url", server.url, "--caption-max-tokens", "9")
    said = lines(told)
    assert exit_code == 1
    assert said["problem"].endswith(f"[{code}]")
    assert said["to"] == f"do       {ADVICE[code]}"
    assert said["usable"] == "no"


def test_nobody_answers(doctor):
    code, told = doctor("--caption-url", "http://127.0.0.1:1")
    said = lines(told)
    assert code == 1
    assert said["problem"].endswith("[vlm_unreachable]")
    assert said["to"].startswith("do       start the server")


def test_a_url_that_is_none(capsys):
    assert main(["models", "doctor", "--caption-url", "robot"]) == 1
    assert "caption_url: expected a URL such as" in capsys.readouterr().err


def test_another_machine_is_named_before_anything_is_sent_there(capsys):
    # Of TEST-NET-1 (RFC 5737): nobody answers.
    asked = ["--caption-url", "http://192.0.2.1:8080", "--caption-timeout", "0.1"]
    assert main(["models", "doctor", *asked]) == 1
    said = lines(capsys.readouterr().out)
    assert said["server"] == "192.0.2.1:8080 (ANOTHER MACHINE: pictures are sent)"


def test_words_of_the_server_cannot_steer_the_terminal(doctor):
    with hostile_vlm.serving(good(["red"]), hostile_vlm.model_list("\x1b[2Jeyes")) as server:
        _, told = doctor("--caption-url", server.url)
    assert "\x1b" not in told


def test_every_failure_of_a_language_model_has_advice():
    kinds = [LanguageModelError, *LanguageModelError.__subclasses__()]
    assert len(kinds) > 10
    assert {kind.code for kind in kinds} <= set(ADVICE)
    known = {kind.code for kind in vars(errors).values() if hasattr(kind, "code")}
    assert set(ADVICE) <= known


def test_without_the_flag_a_line_says_how_to_use_it(monkeypatch, capsys):
    monkeypatch.setenv("I2T_OFFLINE", "1")
    main(["models", "doctor"])
    last = capsys.readouterr().out.splitlines()[-1]
    assert "i2t models doctor --caption-url URL" in last


def test_a_model_and_a_server_are_two_examinations(capsys):
    assert main(["models", "doctor", "robot.onnx", "--caption-url", "http://127.0.0.1:1"]) == 1
    assert capsys.readouterr().err.endswith("examine one after the other [invalid_request]\n")
