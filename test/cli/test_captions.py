"""`i2t describe` with captions of a language model."""

import json

import cv2
import hostile_vlm
import numpy as np
import pytest
from hostile_vlm import good, status

from i2t_ros.cli.main import main

pytest.importorskip("openai", reason="openai is not installed")

GREY = np.full((48, 64, 3), 128, np.uint8)


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "photo.png"
    cv2.imwrite(str(path), GREY)
    return path


@pytest.fixture
def film(tmp_path):
    path = tmp_path / "film.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 1, (64, 48))
    for _ in range(3):
        writer.write(GREY)
    writer.release()
    return path


@pytest.fixture
def server():
    with hostile_vlm.serving(good(["A quiet", " room."])) as running:
        yield running


def describe(server, *words):
    flags = ["--model", "fake", "--caption-url", server.url]
    return main(["describe", *map(str, words), *flags])


def test_the_style_caption_makes_it_the_sentence(photo, server, capsys):
    assert describe(server, photo, "--style", "caption", "--quiet") == 0
    assert capsys.readouterr() == ("A quiet room.\n", "")
    (asked,) = server.asked
    assert "person" in asked.text  # what the detector has found


def test_the_task_caption_is_in_the_json(photo, server, capsys):
    assert describe(server, photo, "--tasks", "detect,caption", "--json") == 0
    reply = json.loads(capsys.readouterr().out)
    assert reply["caption"] == {"text": "A quiet room.", "age": 0.0}
    assert reply["tasks"] == ["detect", "caption"]
    assert "tiny at 127.0.0.1:" in reply["model"]


def test_of_a_film_each_frame_has_its_caption(film, server, capsys):
    assert describe(server, film, "--style", "caption", "--every", "1", "--quiet") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines == [f"{film} at {time}.00 s: A quiet room." for time in range(3)]
    assert len(server.asked) == 3


def test_without_a_caption_there_is_the_sentence_and_the_reason(photo, server, capsys):
    server.play = status(500)
    assert describe(server, photo, "--style", "caption", "--quiet") == 0
    out, err = capsys.readouterr()
    assert out == "I can see a person.\n"
    assert err.startswith("i2t describe: caption: ")
    assert err.endswith("[vlm_server_error]\n")


def test_without_a_server_there_is_the_sentence_and_the_reason(photo, capsys):
    assert main(["describe", str(photo), "--model", "fake", "--style", "caption", "--quiet"]) == 0
    out, err = capsys.readouterr()
    assert out == "I can see a person.\n"
    assert err.startswith("i2t describe: caption: no language model is set")
    assert err.endswith("[vlm_off]\n")


def test_a_caption_that_is_all_that_was_asked_for_is_an_error(photo, server, capsys):
    server.play = status(500)
    assert describe(server, photo, "--tasks", "caption") == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.endswith("[vlm_server_error]\n")


def test_the_prompt_and_the_language_are_those_that_are_asked_for(photo, server):
    flags = ["--style", "caption", "--language", "es", "--caption-prompt", "Name the mood."]
    assert describe(server, photo, *flags) == 0
    (asked,) = server.asked
    assert asked.text.endswith("Name the mood.")
    assert "Answer in Spanish" in asked.text
