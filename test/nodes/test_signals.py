"""How signals end a process."""

import contextlib
import itertools
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest

from i2t_ros.nodes import signals
from i2t_ros.nodes.signals import SIGNALS, Ending, handle


@pytest.fixture
def ending():
    """Return what handles the signals of this process."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    ending = Ending()
    ending.handle()
    yield ending
    for number, handler in before.items():
        signal.signal(number, handler)


def shared_memory(pid):
    """Return the files of shared memory that a process uses, its peers' among them."""
    maps = Path(f"/proc/{pid}/maps").read_text()
    return set(re.findall(r"/\S+/fast(?:rtps|dds)_[0-9a-f]+", maps))


@pytest.mark.parametrize("module", ["detector_node", "bridge_node", "source_node"])
def test_signals_to_its_last_moment_let_a_node_end_cleanly(start, tmp_path, module):
    cv2.imwrite(str(tmp_path / "photo.png"), np.zeros((48, 64, 3), np.uint8))
    options = {
        "detector_node": {"model": "fake"},
        "bridge_node": {"tcp_port": 0},
        "source_node": {"source": tmp_path / "photo.png"},
    }
    before = set(map(str, Path("/dev/shm").glob("fast*_*")))  # noqa: S108 (also of killed peers)
    node = start(module, **options[module])
    own = shared_memory(node.pid) - shared_memory(os.getpid()) - before
    assert own
    pause = threading.Event()
    for number in itertools.cycle(SIGNALS):
        if not node.running():
            break
        os.kill(node.pid, number)
        pause.wait(0.01)
    assert node.stop() == 0
    assert not any(map(os.path.exists, own))


@pytest.mark.parametrize("number", SIGNALS)
def test_the_first_signal_interrupts_and_the_next_are_ignored(ending, number):
    def work():
        signal.raise_signal(number)
        raise AssertionError("not interrupted")

    assert ending.interrupt(work) is None
    assert ending.came
    signal.raise_signal(number)
    assert ending.interrupt(lambda: "not begun") is None


def test_an_interrupt_that_is_swallowed_has_come_all_the_same(ending):
    def work():
        with contextlib.suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        return "done"

    assert ending.interrupt(work) == "done"
    assert ending.came


def test_what_may_not_be_interrupted_goes_on(ending):
    signal.raise_signal(signal.SIGTERM)
    assert ending.came


def test_a_signal_after_the_time_to_end_kills():
    code = (
        "import signal\n"
        "from i2t_ros.nodes import signals\n"
        "signals.Ending().handle()\n"
        "signal.raise_signal(signal.SIGINT)\n"
        "signal.raise_signal(signal.SIGINT)\n"
        "print('here', flush=True)\n"
        "signals.PATIENCE = -1.0\n"
        "signal.raise_signal(signal.SIGINT)\n"
        "print('still here')\n"
    )
    command = [sys.executable, "-c", code]
    ended = subprocess.run(command, cwd="/", capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (-signal.SIGINT, "here\n"), ended.stderr
    assert signals.PATIENCE > 5  # ros2 launch sends SIGTERM 5 s after SIGINT


def test_only_sighup_stays_ignored(ending):
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    handle(signal.default_int_handler)
    assert [signal.getsignal(number) == signal.SIG_IGN for number in SIGNALS] == [0, 0, 1]
