"""Runs nodes as separate processes, watches them, and ends them together."""

from __future__ import annotations

import atexit
import contextlib
import functools
import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence

import yaml

from i2t_ros.resources import config_path

STOP_LIMIT = 15.0
"""Seconds for a node to end after SIGINT; then it is killed."""
LAST_LINES_LIMIT = 2.0
"""Seconds to wait for the last lines of a node that has ended."""

PROFILES = ("FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE")
"""The environment variables that name a profile for Fast DDS 2 and 3."""
SIGNAL_PERIOD = 0.5
"""Seconds until a signal is noticed, at most."""


class NodeProcess:
    """A running node; a context manager that ends it."""

    def __init__(
        self,
        name: str,
        ros_args: Sequence[str] = (),
        write: Callable[[str], None] | None = None,
    ) -> None:
        """Start it.

        ros_args  arguments after ``--ros-args``
        write     gets each line that the node prints, in a separate thread; None: the terminal
        """
        self.name = name
        self._process = subprocess.Popen(  # noqa: S603
            node_command(name, ros_args),
            env=node_environment(),
            stdout=write and subprocess.PIPE,
            stderr=write and subprocess.STDOUT,
            # So that Ctrl-C reaches only this process, which ends the nodes in order.
            start_new_session=True,
        )
        self._reader: threading.Thread | None = None
        if write is not None:
            self._reader = threading.Thread(target=self._pass_on, args=(write,), daemon=True)
            self._reader.start()

    def __enter__(self) -> NodeProcess:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        self.stop()

    @property
    def pid(self) -> int:
        """The process ID."""
        return self._process.pid

    def code(self) -> int | None:
        """Return the exit code (negative: the signal that ended it), or None while it runs."""
        return self._process.poll()

    def wait(self) -> int:
        """Wait until it ends and its last lines are written; return the exit code."""
        code = self._process.wait()
        if self._reader is not None:
            self._reader.join(LAST_LINES_LIMIT)
        return code

    def stop(self) -> int:
        """End it as Ctrl-C would, or kill it if that takes too long; return the exit code."""
        if self.code() is None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(STOP_LIMIT)
            except subprocess.TimeoutExpired:
                self._process.kill()
            except KeyboardInterrupt:  # the user does not want to wait
                self._process.kill()
                raise
        return self.wait()

    def _pass_on(self, write: Callable[[str], None]) -> None:
        assert self._process.stdout is not None  # noqa: S101 (a pipe)
        with self._process.stdout as lines:
            for line in lines:
                write(line.decode(errors="replace").rstrip("\r\n"))


def first_to_end(nodes: Iterable[NodeProcess]) -> NodeProcess:
    """Wait until one of the nodes ends, and return that node."""
    ended: queue.Queue[NodeProcess] = queue.Queue()

    def watch(node: NodeProcess) -> None:
        node.wait()
        ended.put(node)

    for node in nodes:
        threading.Thread(target=watch, args=(node,), daemon=True).start()
    while True:
        # With a time limit, because the kernel may give a signal to another thread, which does not
        # end an endless wait of this one.
        with contextlib.suppress(queue.Empty):
            return ended.get(timeout=SIGNAL_PERIOD)


def node_command(name: str, ros_args: Sequence[str] = ()) -> list[str]:
    """Return the command line of a node."""
    # Not `python -m`, which searches the working folder first: in a checkout, that would hide the
    # installed package.
    code = (
        "import sys; sys.path[:] = filter(None, sys.path); "
        f"from i2t_ros.nodes.{name} import main; sys.exit(main())"
    )
    return [sys.executable, "-c", code, "--ros-args", *ros_args]


def parameter_arguments(parameters: Mapping[str, object]) -> list[str]:
    """Return the ROS arguments that set parameters; None leaves a parameter out."""
    # ROS reads values as YAML, which includes JSON; the quotes keep a string such as "0" a string.
    given = [
        f"{key}:={json.dumps(value)}" for key, value in parameters.items() if value is not None
    ]
    return [word for pair in given for word in ("-p", pair)]


def node_environment() -> dict[str, str]:
    """Return this process's environment, with a DDS profile for large images."""
    # Nodes write to a pipe, and would leave out colors.
    colors = {"RCUTILS_COLORIZED_OUTPUT": "1"} if sys.stdout.isatty() else {}
    return {**dds_profile(), **colors, **os.environ}


def dds_profile() -> dict[str, str]:
    """Return the variables that select this package's profile; none if the user has chosen one."""
    if any(name in os.environ for name in PROFILES):
        return {}
    return dict.fromkeys(PROFILES, str(config_path("fastdds.xml")))


def parameter_file(values: Mapping[str, object], nodes: str = "/**/*") -> str:
    """Return the path of a new file that gives ``nodes`` these parameters, until this process ends.

    ROS merges sections of the same name from several files at the place of the first one, and later
    sections win. So the /** that launch would write loses to the sections that follow it in an
    earlier file. The section here has a name that other files do not use.
    """
    with tempfile.NamedTemporaryFile("w", suffix=".yaml", dir=_folder(), delete=False) as file:
        yaml.safe_dump({nodes: {"ros__parameters": dict(values)}}, file)
    return file.name


@functools.cache
def _folder() -> str:
    """Return a folder for this process's files, which is removed when the process ends."""
    folder = tempfile.TemporaryDirectory(prefix="i2t_")  # not a context: nodes may start again
    atexit.register(folder.cleanup)
    return folder.name
