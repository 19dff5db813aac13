"""`i2t ask --camera`: a question to a running detector_node."""

import json
import signal
import threading

import hostile_vlm
import pytest
from detector_talk import GREY, picture, show
from hostile_vlm import good, status
from project import I2T
from running_command import RunningCommand
from std_msgs.msg import String

from i2t_ros.cli.main import main

pytest.importorskip("openai", reason="openai is not installed")


@pytest.fixture(scope="module")
def server():
    with hostile_vlm.serving(good(["Yes", ", it is."])) as running:
        yield running


@pytest.fixture(scope="module")
def node(server, shared_peer, start_once):
    """Return a node whose camera has shown an image."""
    started = start_once(model="fake", caption_url=server.url)
    shared_peer.processes.append(started)
    sentences = shared_peer.collect(String, "/detector_node/sentence")
    show(shared_peer, shared_peer.camera(), picture(GREY), lambda: sentences)
    return started


def test_the_answer_is_that_of_the_node(node, server, capsys):
    assert main(["ask", "--camera", "image", "Is it open?", "--language", "es"]) == 0
    assert capsys.readouterr().out == "Yes, it is.\n"
    asked = server.next_asked()
    assert asked.text.endswith("Question: Is it open?")
    assert "Answer in Spanish" in asked.text
    flags = ["--json", "--tasks", "faces", "--spoken"]
    assert main(["ask", "--camera", "", "Is it open?", *flags]) == 0
    reply = json.loads(capsys.readouterr().out)
    assert reply["answer"]["text"] == "Yes, it is."
    assert (reply["tasks"], reply["spoken"], reply["hash"]) == (["faces"], True, None)
    assert "Answer in English" in server.next_asked().text


def test_what_the_node_refuses_is_an_error_that_can_be_read(node, server, capsys):
    assert main(["ask", "--camera", "garden", "Is it open?"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("i2t ask: unknown camera 'garden'")
    assert said.endswith("[unknown_camera]\n")
    before, server.play = server.play, status(401)
    try:
        assert main(["ask", "--camera", "image", "Is it open?"]) == 1
    finally:
        server.play = before
    assert capsys.readouterr().err.endswith("[vlm_unauthorized]\n")
    server.next_asked()


def test_a_node_that_is_not_there(node, capsys):
    assert main(["ask", "--camera", "image", "Why?", "--detector", "/nobody"]) == 1
    assert capsys.readouterr().err.endswith("[detector_unreachable]\n")
    assert main(["ask", "--camera", "image", "Why?", "--detector", "no body"]) == 1
    assert capsys.readouterr().err.endswith("[invalid_request]\n")


def test_ctrl_c_stops_the_nodes_model(node, server, tmp_path):
    before, server.play = server.play, good(["There", " are"], gate=threading.Event())
    asking = RunningCommand(I2T, "ask", "--camera", "image", "Why?", cwd=tmp_path)
    try:
        asked = server.next_asked()
        assert asking.end(signal.SIGINT) == 130
        assert asked.closed.wait(30)
        assert asking.text() == ""
    finally:
        asking.kill()
        server.play = before
