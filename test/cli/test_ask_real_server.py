"""`i2t ask` and `i2t models doctor` with llama.cpp's server, whose model's words are nonsense."""

import json
import signal

import cv2
import numpy as np
import pytest
import tiny_vlm
from project import I2T
from running_command import RunningCommand
from waiting import until

from i2t_ros.cli.main import main

pytest.importorskip("openai", reason="openai is not installed")


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "photo.png"
    cv2.imwrite(str(path), np.full((48, 64, 3), 128, np.uint8))
    return path


@pytest.fixture
def flags(vlm_server, monkeypatch):
    monkeypatch.setenv("CAPTION_API_KEY", vlm_server.key)
    return ["--caption-url", vlm_server.url]


def test_the_doctor_finds_its_model_and_that_it_takes_pictures(flags, capsys):
    assert main(["models", "doctor", "--json", "--caption-max-tokens", "16", *flags]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["models"], report["model"]) == (["tiny"], "tiny")
    assert report["pictures"]
    assert report["answer"]
    assert 0 < report["seconds_to_first_word"] <= report["seconds"]


def test_the_doctor_says_that_the_key_is_wrong(flags, monkeypatch, capsys):
    monkeypatch.delenv("CAPTION_API_KEY")
    assert main(["models", "doctor", *flags]) == 1
    said = capsys.readouterr().out
    assert "[vlm_unauthorized]" in said
    assert "CAPTION_API_KEY" in said


def test_an_answer(photo, flags, capsys):
    assert main(["ask", str(photo), "Why?", "--model", "fake", *flags]) == 0
    assert capsys.readouterr() == (f"{tiny_vlm.SENTENCE}\n", "")


def test_ctrl_c_frees_its_place(photo, flags, vlm_server, tmp_path):
    before = vlm_server.broken_off()
    words = tiny_vlm.AT_LENGTH, "--model", "fake", "--caption-max-tokens", "4096"
    command = I2T, "ask", photo, *words, "--caption-timeout", "600", *flags
    asking = RunningCommand(*command, cwd=tmp_path)
    try:
        until(vlm_server.busy, "the model writes")
        assert asking.end(signal.SIGINT) == 130
        until(lambda: not vlm_server.busy(), "the model has stopped")
        assert len(vlm_server.broken_off() - before) == 1
        assert asking.text() == ""
    finally:
        asking.kill()
