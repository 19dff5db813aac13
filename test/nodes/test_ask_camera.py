"""i2t ask --camera, below its command line: ask_camera() in a process that is no node."""

import signal
import subprocess
import sys
import time

import hostile_vlm
import pytest
from detector_talk import GREY, picture, show
from hostile_vlm import good, slow, status
from std_msgs.msg import String
from waiting import TIME_LIMIT

from i2t_ros.errors import (
    DetectorUnreachableError,
    InvalidRequestError,
    LanguageModelServerError,
    TimeLimitError,
    UnknownCameraError,
)
from i2t_ros.nodes import ask
from i2t_ros.nodes.ask import ask_camera

WORDS = ["There", " is", " one."]
PROGRAM = """
from i2t_ros.nodes.ask import ask_camera
ask_camera("", "Who?", told=lambda text: print(text, flush=True))
"""


@pytest.fixture
def vlm():
    with hostile_vlm.serving(good(WORDS)) as server:
        yield server


@pytest.fixture
def camera(peer, start, vlm):
    """Have a detector in a namespace, whose camera has shown an image."""
    start(model="fake", caption_url=vlm.url, arguments=["-r", "__ns:=/car"])
    sentences = peer.collect(String, "/car/detector_node/sentence")
    show(peer, peer.camera("/car/image"), picture(GREY), lambda: sentences)
    return "/car/detector_node"


@pytest.mark.parametrize("camera_name", ["", "image"])
def test_the_answer_comes_as_it_is_written_and_then_whole(vlm, camera, camera_name):
    said = []
    reply = ask_camera(
        camera_name, "¿Quién?", detector=camera, language="es", told=said.append, time_limit=30
    )
    assert reply.answer.text == "There is one."
    assert said[0] == "There"
    assert reply.description.language == "es"
    assert "¿Quién?" in vlm.next_asked().text


def test_errors_are_those_of_the_detector_and_of_the_language_model(vlm, camera):
    with pytest.raises(UnknownCameraError, match="rear"):
        ask_camera("rear", "Who?", detector=camera.strip("/"))
    vlm.play = status(500)
    with pytest.raises(LanguageModelServerError):
        ask_camera("", "Who?", detector=camera)


def test_a_detector_that_is_not_there_is_named(monkeypatch):
    monkeypatch.setattr(ask, "FIND_LIMIT", 0.5)
    began = time.monotonic()
    with pytest.raises(DetectorUnreachableError, match=r"/car/detector_node/ask; start detector_"):
        ask_camera("", "Who?", detector="/car/detector_node")
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("name", ["", "/", "a b", "7", "a//b", "/ask/", "\udc80"])
def test_what_is_no_name_is_refused_before_ros_is_started(name):
    with pytest.raises(InvalidRequestError, match="expected the name of a node"):
        ask_camera("", "Who?", detector=name)


def test_a_time_limit_stops_the_model(vlm, camera, gate):
    vlm.play = slow(gate)
    for seconds in (1, 4, 16, 64):  # the busier the machine, the later the model is asked
        with pytest.raises(TimeLimitError, match=f"within {seconds} s"):
            ask_camera("", "Who?", detector=camera, time_limit=seconds)
        if vlm.asked:
            break
    assert vlm.next_asked().closed.wait(TIME_LIMIT)


def test_ctrl_c_stops_the_model(vlm, camera, gate):
    vlm.play = good(WORDS, gate=gate)
    program = PROGRAM.replace('"Who?"', f'"Who?", detector="{camera}"')
    with subprocess.Popen(
        [sys.executable, "-c", program],
        cwd="/",
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout.readline() == "There\n"
        process.send_signal(signal.SIGINT)
        assert vlm.next_asked().closed.wait(TIME_LIMIT)
        _, said = process.communicate(timeout=TIME_LIMIT)
        assert process.returncode == -signal.SIGINT, said
        assert "KeyboardInterrupt" in said
