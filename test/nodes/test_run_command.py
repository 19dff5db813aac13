"""`i2t run` as a user types it: three nodes, one command."""

import contextlib
import os
import signal
import subprocess
import sys

import cv2
import numpy as np
import pytest
from project import I2T
from running_command import RunningCommand
from std_msgs.msg import String
from waiting import has_ended, until

from i2t_ros.client import Client, ServerError


@pytest.fixture
def run(tmp_path):
    runs = []

    def run(*arguments, before=()):
        runs.append(RunningCommand(*before, I2T, "run", *arguments, cwd=tmp_path))
        return runs[-1]

    yield run
    for started in runs:
        started.kill()


@pytest.fixture(autouse=True)
def pictures(tmp_path):
    """Lay a picture and a parameter file into the working folder."""
    cv2.imwrite(str(tmp_path / "photo.png"), np.full((48, 64, 3), 128, np.uint8))
    (tmp_path / "robot.yaml").write_text(
        "detector_node: {ros__parameters: {model: fake, language: de}}\n"
        "bridge_node: {ros__parameters: {tcp_port: 0}}\n"
        "source_node: {ros__parameters: {source: photo.png, rate: 10.0}}\n"
    )


def gone(pids):
    return all(map(has_ended, pids))


def test_three_nodes_from_one_file_and_a_clean_end(peer, run, tmp_path):
    sentences = peer.collect(String, "/detector_node/sentence")
    started = run("--params-file", "robot.yaml")
    port = int(started.until(r"\[bridge_node\] .*listening on 127\.0\.0\.1 port (\d+)")[1])
    started.until(r"\[source_node\] .*active: picture .*/photo\.png to /image")
    started.until(r"\[detector_node\] .*active: images from /image")
    peer.until(lambda: sentences, "a sentence")
    assert sentences[0].data == "Ich sehe eine Person."
    picture, answers = (tmp_path / "photo.png").read_bytes(), []

    def answered():
        with (
            contextlib.suppress(ServerError),  # the bridge has not found the detector yet
            Client("127.0.0.1", port, protocol=1) as client,
        ):
            answers.append(client.describe(picture))
        return answers

    peer.until(answered, "an answer")
    assert "1 persona" in answers[0].sentence
    children = started.children()
    assert len(children) == 3
    assert started.end(signal.SIGINT) == 0
    assert gone(children)
    assert "Traceback" not in started.text()
    assert all(line.startswith("[") for line in started.lines), started.text()


def test_what_is_said_on_the_command_line_goes_before_the_file(peer, run, tmp_path):
    # Also where the file has a section for all nodes, into which -p would go.
    file = tmp_path / "robot.yaml"
    file.write_text("/**: {ros__parameters: {use_sim_time: false}}\n" + file.read_text())
    sentences = peer.collect(String, "/detector_node/sentence")
    started = run(
        "--params-file", "robot.yaml", "--language", "fr", "--image", "/front/image_raw",
        "--no-bridge", "--ros-args", "-p", "style:=list",
    )  # fmt: skip
    started.until(r"images from /front/image_raw")
    peer.until(lambda: sentences, "a sentence")
    assert sentences[0].data.startswith("L’objet suivant a été détecté")
    assert "bridge_node" not in started.text()
    assert started.end(signal.SIGTERM) == 0


def test_with_http_and_compressed_images_of_another_topic(peer, run):
    httpx = pytest.importorskip("httpx")
    pytest.importorskip("fastapi")
    started = run(
        "--params-file", "robot.yaml", "--image", "/front/image_raw", "--http",
        "--ros-args", "-p", "http_port:=0", "-p", "image_transport:=compressed",
    )  # fmt: skip
    started.until(r"images from /front/image_raw/compressed")
    url = started.until(r"listening on (http://127\.0\.0\.1:\d+)/")[1]
    with httpx.Client(base_url=url, timeout=30) as client:
        seen = "/snapshot?camera=image&annotated="
        for which in ("0", "1"):
            peer.until(lambda: client.get(seen + which).status_code == 200, "a picture")  # noqa: B023
        peer.until(lambda: client.get("/readyz").status_code == 200, "the bridge has the detector")
        assert client.get("/v1/describe").json()["sentence"] == "Ich sehe eine Person."
    assert started.end(signal.SIGINT) == 0


def test_the_end_of_the_pictures_ends_all(run):
    started = run("--source", "photo.png", "--once", "--model", "fake", "--no-bridge")
    assert started.end() == 0
    assert "ended after 1 images" in started.text()
    assert "source_node has ended, so the others are ended too" in started.text()


def test_a_node_that_cannot_start_ends_all_and_the_exit_code_says_so(run):
    started = run("--source", "nowhere.mp4", "--model", "fake", "--ros-args", "-p", "tcp_port:=0")
    until(lambda: len(started.children()) == 3, "three nodes")
    children = started.children()
    assert started.end() == 1
    assert gone(children)
    assert "no such file or folder" in started.text()
    reason = "i2t run: source_node ended with code 1: cannot configure: no such file or folder"
    assert started.lines[-1].startswith(reason)
    assert started.lines[-1].endswith("a photo, a film or a folder of pictures")
    assert "Traceback" not in started.text()


def test_a_node_that_is_killed_ends_all(run):
    started = run("--params-file", "robot.yaml")
    started.until("active: images from")
    started.until("active: picture")
    started.until("active: detector")
    victim = started.children()[0]
    os.kill(victim, signal.SIGKILL)
    assert started.end() == 1
    assert "detector_node ended with code -9" in started.text()


def test_only_without_a_source_and_the_node_ends_even_if_the_command_is_killed(run):
    started = run("--no-source", "--no-bridge", "--model", "fake")
    started.until("active: images from /image")
    children = started.children()
    assert len(children) == 1
    assert started.end(signal.SIGKILL) == -signal.SIGKILL
    until(lambda: gone(children), "the node ends")


def test_in_the_background_of_a_script_and_with_nohup(run):
    """Such a process starts with SIGINT and SIGHUP ignored."""
    ignoring = ["sh", "-c", "trap '' INT HUP; exec \"$@\"", "sh"]
    started = run("--params-file", "robot.yaml", "--no-bridge", before=ignoring)
    started.until("active: picture")
    children = started.children()
    for pid in (*children, started.pid):
        os.kill(pid, signal.SIGHUP)
    started.until("now reliable")  # the source shows images, the detector sees them
    assert started.children() == children
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGINT):
        os.kill(started.pid, number)
    assert started.end() == 0
    assert gone(children)


def test_its_lines_may_have_no_reader():
    code = (
        "from i2t_ros.cli.run import _write\n"
        "for _ in range(500): _write('a_node', 'x' * 1000)\n"
        "__import__('sys').stderr.write('well')"
    )
    script = '{ "$0" -c "$1"; echo " $?" >&2; } | head -c 9'
    command = ["sh", "-c", script, sys.executable, code]
    done = subprocess.run(command, cwd="/", capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("[a_node] ", "well 0\n")


def test_a_missing_parameter_file_is_named(run):
    started = run("--params-file", "none.yaml")
    assert started.end() == 1
    assert "none.yaml" in started.text()
    assert "invalid_request" in started.text()


def test_http_without_a_bridge_is_refused(run):
    started = run("--no-bridge", "--http", "--model", "fake")
    assert started.end() == 1
    (line,) = started.lines
    assert "--http needs bridge_node" in line
