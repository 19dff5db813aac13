"""How signals end a process."""

import contextlib
import gc
import itertools
import os
import re
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from rclpy.context import Context
from rclpy.exceptions import NotInitializedException
from rclpy.logging import get_logger
from sounds import needs_espeak
from tiny_models import convolution_onnx

from i2t_ros.backends import registry
from i2t_ros.errors import BackendMissingError
from i2t_ros.nodes import signals
from i2t_ros.nodes.lifecycle.guard import GuardedExecutor
from i2t_ros.nodes.signals import SIGNALS, Ending, handle
from i2t_ros.optional import interrupted, needed_for

SPEECH = pytest.param("speech_node", marks=needs_espeak)


@pytest.fixture
def ending():
    """Return what handles the signals of this process."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    ending = Ending()
    ending.handle()
    yield ending
    for number, handler in before.items():
        signal.signal(number, handler)


def done(ending, work):
    """Return the result of work that may be interrupted; None if it was."""
    try:
        with ending.interruptible():
            return work()
    except KeyboardInterrupt:
        return None


def ran(program, *words, **environment):
    """Run a Python program to its end; return its exit code and all that it has written."""
    ended = subprocess.run(
        [sys.executable, "-c", program, *words],
        env={**os.environ, **environment},
        cwd="/",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return ended.returncode, ended.stdout


def shared_memory(pid):
    """Return the files of shared memory that a process uses, its peers' among them."""
    maps = Path(f"/proc/{pid}/maps").read_text()
    return set(re.findall(r"/\S+/fast(?:rtps|dds)_[0-9a-f]+", maps))


@pytest.mark.parametrize("module", ["detector_node", "bridge_node", "source_node", SPEECH])
def test_signals_to_its_last_moment_let_a_node_end_cleanly(start, tmp_path, module):
    cv2.imwrite(str(tmp_path / "photo.png"), np.zeros((48, 64, 3), np.uint8))
    options = {
        "detector_node": {"model": "fake"},
        "bridge_node": {"tcp_port": 0},
        "source_node": {"source": tmp_path / "photo.png"},
        "speech_node": {"speech_folder": tmp_path},
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

    assert done(ending, work) is None
    assert ending.came
    signal.raise_signal(number)
    assert done(ending, lambda: "not begun") is None


def test_an_interrupt_that_is_swallowed_comes_at_the_end(ending):
    def work():
        with contextlib.suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        ended.append("work")

    ended = []
    assert done(ending, work) is None
    assert ended == ["work"]
    assert ending.came


def test_what_may_not_be_interrupted_goes_on(ending):
    signal.raise_signal(signal.SIGTERM)
    assert ending.came


def test_nothing_is_interrupted_after_the_block_or_in_another_thread(ending):
    def elsewhere():
        with ending.interruptible():
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
            begun.set()
            come.wait(20)

    begun, come = threading.Event(), threading.Event()
    assert done(ending, lambda: "done") == "done"
    with ThreadPoolExecutor() as pool:
        ended = pool.submit(elsewhere)
        begun.wait(20)  # the main thread takes its signal here at the latest
        come.set()
        ended.result()
    assert ending.came
    with pytest.raises(KeyboardInterrupt), ending.interruptible():
        raise AssertionError("a signal has come before")


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("place", ["Executor.__init__", "Node.__init__"])
def test_a_signal_while_ros_makes_something_ends_a_node_with_0_and_in_silence(place, number):
    # A bridge makes nodes and executors while it is configured. See rclpy's Executor.__del__.
    program = f"""
import signal, sys
from rclpy.executors import Executor
from rclpy.node import Node
from i2t_ros.nodes.bridge.node import BridgeNode
from i2t_ros.nodes.lifecycle.runner import run_lifecycle_node

hits = []

class Bridge(BridgeNode):
    def on_configure(self, state):
        sys.setprofile(hit)
        return super().on_configure(state)

def hit(frame, event, argument):
    if frame.f_code is {place}.__code__:
        sys.setprofile(None)
        hits.append("hit")
        signal.raise_signal({number:d})

code = run_lifecycle_node(Bridge)
print(*hits)
sys.exit(code)
"""
    assert ran(program, "--ros-args", "-p", "tcp_port:=0") == (0, "hit\n")


def test_an_executor_that_cannot_be_made_is_deleted_in_silence(monkeypatch):
    said = []
    monkeypatch.setattr(sys, "unraisablehook", said.append)
    with pytest.raises((TypeError, NotInitializedException)):  # as rclpy's version has it
        GuardedExecutor(get_logger("nobody"), Context())
    gc.collect()
    assert said == []


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


ENGINES = {
    "an engine that passes it on": "signal.raise_signal(number)",
    "one that says it is broken": """
try:
    signal.raise_signal(number)
except BaseException as error:
    raise ImportError("initialization failed") from None
""",
    "one that loses the cause": """
try:
    signal.raise_signal(number)
except BaseException:
    pass
raise ImportError("multiarray failed to import")
""",
    "one that raises something else": """
try:
    signal.raise_signal(number)
except BaseException:
    pass
raise SystemError("initialization raised unreported exception")
""",
    "one that takes no notice": """
try:
    signal.raise_signal(number)
except BaseException:
    pass
class Engine(Backend): ...
""",
}


def engine(folder, monkeypatch, text, number):
    """Make a package, not_there, with a backend that signals its own process when imported."""
    (folder / "not_there.py").write_text(
        f"import signal\nfrom i2t_ros.backends.base import Backend\nnumber = {number:d}\n{text}"
    )
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, "not_there", raising=False)
    entry = SimpleNamespace(target="not_there:Engine", package="", install="pip install it")
    monkeypatch.setattr(registry, "backends", lambda: {"engine": entry})
    monkeypatch.setattr(registry, "is_installed", lambda name: True)


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("shape", ENGINES)
def test_a_signal_during_an_engines_import_is_no_missing_engine(
    ending, tmp_path, monkeypatch, shape, number
):
    engine(tmp_path, monkeypatch, ENGINES[shape], number)
    assert done(ending, lambda: registry._class_of("engine")) is None
    assert ending.came
    assert not interrupted.is_set()


@pytest.mark.parametrize("shape", ENGINES)
def test_nor_during_the_import_of_any_other_package(ending, tmp_path, monkeypatch, shape):
    engine(tmp_path, monkeypatch, ENGINES[shape].replace("SystemError", "ImportError"), 2)

    def work():
        with needed_for("seeing", "pip install it"):
            import not_there  # noqa: F401, PLC0415

    assert done(ending, work) is None


def test_another_thread_is_not_interrupted_and_its_package_is_missing(ending):
    def elsewhere():
        with pytest.raises(BackendMissingError), needed_for("flying", "pip install wings"):
            import no_such_wings  # noqa: F401, PLC0415
        ended.append("elsewhere")

    def work():
        with contextlib.suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        with ThreadPoolExecutor() as pool:
            pool.submit(elsewhere).result()

    ended = []
    assert done(ending, work) is None
    assert ended == ["elsewhere"]


@pytest.mark.parametrize("times", [1, 3])
def test_signals_during_an_engines_import_end_a_node_with_0_and_in_silence(tmp_path, times):
    pytest.importorskip("onnx")
    hit = "signal.raise_signal(signal.SIGINT)"
    text = ENGINES["one that loses the cause"].replace("signal.raise_signal(number)", hit)
    (tmp_path / "onnxruntime").mkdir()
    (tmp_path / "onnxruntime" / "__init__.py").write_text(
        f"import os, signal\n{text}".replace("    pass", f"    [{hit} for _ in range({times - 1})]")
    )
    (tmp_path / "mine.onnx").write_bytes(convolution_onnx())
    program = "from i2t_ros.nodes.start import detector_node; exit(detector_node())"
    options = ("--ros-args", "-p", "backend:=onnxruntime", "-p", f"model:={tmp_path / 'mine.onnx'}")
    assert ran(program, *options, PYTHONPATH=str(tmp_path)) == (0, "")
