"""The first moments of a node's process."""

import os
import signal
import subprocess
import sys

import pytest
from project import first_on_path

from i2t_ros.nodes.processes import NodeProcess, signals_wait
from i2t_ros.nodes.signals import SIGNALS


@pytest.mark.parametrize("name", ["detector_node", "bridge_node", "source_node", "speech_node"])
@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_during_the_imports_ends_a_node_quietly(tmp_path, name, number):
    # It stands in the place of a module that takes long to import.
    slow = "import signal, sys; sys.stdout.write('importing'); sys.stdout.flush(); signal.pause()"
    (tmp_path / "rclpy.py").write_text(slow)
    node = subprocess.Popen(
        [sys.executable, "-c", f"from i2t_ros.nodes.start import {name}; exit({name}())"],
        env={**os.environ, "PYTHONPATH": first_on_path(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    with node:
        assert node.stdout.read(9) == b"importing"
        node.send_signal(number)
        assert node.wait(20) == 0
        assert node.stdout.read() == b""


def test_a_signal_right_after_the_start_waits_for_the_handlers():
    lines = []
    with signals_wait():
        node = NodeProcess("source_node", write=lines.append)
    node.stop()
    assert (node.returncode, lines) == (0, [])
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == set()


def test_a_signal_while_nodes_are_started_comes_once_all_of_them_are():
    # The tests may have been started with SIGINT ignored, as a shell does behind a script.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    started = []

    def starts():
        with signals_wait():
            signal.raise_signal(signal.SIGINT)
            started.append("all")

    try:
        with pytest.raises(KeyboardInterrupt):
            starts()
    finally:
        signal.signal(signal.SIGINT, before)
    assert started == ["all"]
