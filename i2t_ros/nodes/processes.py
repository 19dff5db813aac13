"""Runs nodes as separate processes, watches them, and ends them together."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from i2t_ros.nodes.signals import SIGNALS
from i2t_ros.resources import config_path

STOP_LIMIT = 15.0
"""Seconds for a node to end after SIGINT; then it is killed."""
LAST_LINES_LIMIT = 2.0
"""Seconds to wait for the last lines of a node that has ended."""
EVERY_NODE, DEFAULTS = "/**/*", "/**/**"
"""Names of sections for every node, which no file of a user's has: see parameter_file()."""
LOOK_PERIOD = 0.2
"""Seconds between two checks whether a node has ended."""
PROFILES = ("FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE")
"""The environment variables that name a profile for Fast DDS 2 (to ROS 2 Jazzy) and 3."""


class NodeProcess(subprocess.Popen[bytes]):
    """A running node; a context manager that ends it."""

    def __init__(
        self, name: str, ros_args: Sequence[str] = (), write: Callable[[str], None] | None = None
    ) -> None:
        """Start it.

        ros_args  arguments after ``--ros-args``
        write     gets each line that the node prints, in a separate thread; None: the terminal
        """
        self.name = name
        # Not `python -m`, which searches the working folder first: in a checkout, that would hide
        # the installed package.
        # If this process is killed, the kernel sends the node a signal (PR_SET_PDEATHSIG, man 2
        # prctl); also if the thread that starts it ends, so start it in one that does not.
        code = (
            f"import ctypes, sys; ctypes.CDLL(None).prctl(1, {signal.SIGINT:d}); "
            "sys.path[:] = filter(None, sys.path); "
            f"from i2t_ros.nodes.start import {name}; sys.exit({name}())"
        )
        super().__init__(
            [sys.executable, "-c", code, "--ros-args", *ros_args],
            env=node_environment(),
            stdout=write and subprocess.PIPE,
            stderr=write and subprocess.STDOUT,
            # So that Ctrl-C reaches only this process, which ends the nodes in order.
            start_new_session=True,
        )
        self.last_line = ""
        self._reader = threading.Thread(target=self._pass_on, args=(write,), daemon=True)
        self._reader.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End it as Ctrl-C would, or kill it if that takes too long; its last lines are written."""
        self.send_signal(signal.SIGINT)
        try:
            self.wait(STOP_LIMIT)
        except BaseException as error:
            self.kill()
            if not isinstance(error, subprocess.TimeoutExpired):  # the user does not want to wait
                raise
        self.wait()
        self._reader.join(LAST_LINES_LIMIT)

    def _pass_on(self, write: Callable[[str], None]) -> None:
        if self.stdout is not None:
            with self.stdout as lines:
                for line in lines:
                    self.last_line = line.decode(errors="replace").rstrip("\r\n")
                    write(self.last_line)


@contextmanager
def signals_wait() -> Iterator[None]:
    """Let signals wait while nodes are started, so that none is left behind by a Ctrl-C.

    The nodes inherit this: a signal waits until they have their handlers.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def first_to_end(nodes: Sequence[NodeProcess]) -> NodeProcess:
    """Wait until one of the nodes ends and its last lines are written; return that node."""
    # Not one endless wait: the kernel may give a signal to another thread, and Python handles it in
    # this one, once its wait ends.
    while (node := one_that_ended(nodes)) is None:
        time.sleep(LOOK_PERIOD)
    node.stop()
    return node


def one_that_ended(nodes: Sequence[NodeProcess]) -> NodeProcess | None:
    """Return the first of the nodes that has ended, if there is one."""
    return next((node for node in nodes if node.poll() is not None), None)


def node_environment() -> dict[str, str]:
    """Return this process's environment, with a DDS profile for large images."""
    # Nodes write to a pipe, and would leave out colors.
    colors = {"RCUTILS_COLORIZED_OUTPUT": "1"} if sys.stdout.isatty() else {}
    return {**dds_profile(), **colors, **os.environ}


def dds_profile() -> dict[str, str]:
    """Return the variable that selects this package's profile; none if the user has chosen one."""
    if any(name in os.environ for name in PROFILES):
        return {}
    return {profile_variable(): str(config_path("fastdds.xml"))}


def profile_variable() -> str:
    """Return the one of PROFILES that this Fast DDS reads; 3 warns of the name that 2 knows."""
    prefixes = os.environ.get("AMENT_PREFIX_PATH", sys.prefix).split(os.pathsep)
    return PROFILES[any(Path(prefix, "share", "fastdds").is_dir() for prefix in prefixes)]


def parameter_file(values: Mapping[str, object], nodes: str = EVERY_NODE) -> str:
    """Return the path of a file that gives ``nodes`` these parameters while this process lives.

    It is in memory, so nothing stays behind, even if the process is killed.

    ROS merges sections of the same name from several files at the place of the first one, and later
    sections win. So the /** that launch would write loses to the sections that follow it in an
    earlier file. The section here has a name that other files do not use.
    """
    descriptor = os.memfd_create("i2t_parameters")
    with open(descriptor, "w", encoding="utf-8", closefd=False) as file:
        # JSON is YAML with every text in quotes: 1e5 or nan would be numbers for ROS, but not for
        # PyYAML, which would leave their quotes out.
        json.dump({nodes: {"ros__parameters": dict(values)}}, file, ensure_ascii=False)
    return f"/proc/{os.getpid()}/fd/{descriptor}"
