"""Runs nodes as processes of their own, watches them, and ends them together."""

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
from types import TracebackType

import yaml

from i2t_ros.resources import config_path

STOP_LIMIT = 15.0
"""Seconds for a node to end after SIGINT; then it is killed."""
LAST_LINES_LIMIT = 2.0
"""Seconds for the last lines of a node that has ended."""

PROFILES = ("FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE")
"""The environment variables that name a profile for Fast DDS 2 and 3."""
SIGNAL_PERIOD = 0.5
"""Seconds after which a signal is noticed at the latest."""


class NodeProcess:
    """One node, running. As a context it has ended when the context ends."""

    def __init__(
        self,
        name: str,
        ros_args: Sequence[str] = (),
        write: Callable[[str], None] | None = None,
    ) -> None:
        """Start it.

        ros_args  what may follow ``--ros-args``
        write     takes each line that the node prints, in a thread of its own; None: the terminal
        """
        self.name = name
        self._process = subprocess.Popen(  # noqa: S603
            node_command(name, ros_args),
            env=node_environment(),
            stdout=write and subprocess.PIPE,
            stderr=write and subprocess.STDOUT,
            # Ctrl-C reaches the parent alone, which ends the nodes in their order.
            start_new_session=True,
        )
        self._reader: threading.Thread | None = None
        if write is not None:
            self._reader = threading.Thread(target=self._pass_on, args=(write,), daemon=True)
            self._reader.start()

    def __enter__(self) -> NodeProcess:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End it."""
        self.stop()

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    def code(self) -> int | None:
        """Return the exit code (negative: the signal that ended it), or None while it runs."""
        return self._process.poll()

    def wait(self) -> int:
        """Wait for its end and its last lines; return the exit code."""
        code = self._process.wait()
        if self._reader is not None:
            self._reader.join(LAST_LINES_LIMIT)
        return code

    def stop(self) -> int:
        """End it as Ctrl-C would, or by force where that takes too long; return the exit code."""
        if self.code() is None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(STOP_LIMIT)
            except subprocess.TimeoutExpired:
                self._process.kill()
            except KeyboardInterrupt:  # somebody does not want to wait
                self._process.kill()
                raise
        return self.wait()

    def _pass_on(self, write: Callable[[str], None]) -> None:
        assert self._process.stdout is not None  # noqa: S101 (a pipe)
        with self._process.stdout as lines:
            for line in lines:
                write(line.decode(errors="replace").rstrip("\r\n"))


def first_to_end(nodes: Iterable[NodeProcess]) -> NodeProcess:
    """Wait until one of the nodes has ended; return it."""
    ended: queue.Queue[NodeProcess] = queue.Queue()

    def watch(node: NodeProcess) -> None:
        node.wait()
        ended.put(node)

    for node in nodes:
        threading.Thread(target=watch, args=(node,), daemon=True).start()
    while True:
        # With a time limit: the kernel may hand a signal to another thread, which does not end an
        # endless wait of this one.
        with contextlib.suppress(queue.Empty):
            return ended.get(timeout=SIGNAL_PERIOD)


def node_command(name: str, ros_args: Sequence[str] = ()) -> list[str]:
    """Return the command line of a node."""
    # Not `python -m`: that would look in the working folder first, where a checkout of this
    # package hides the installed one.
    code = (
        "import sys; sys.path[:] = filter(None, sys.path); "
        f"from i2t_ros.nodes.{name} import main; sys.exit(main())"
    )
    return [sys.executable, "-c", code, "--ros-args", *ros_args]


def parameter_arguments(parameters: Mapping[str, object]) -> list[str]:
    """Return the ROS arguments that set parameters; those that are None are left out."""
    # ROS reads values as YAML, of which JSON is a part; in quotes, a text like 0 stays a text.
    given = [
        f"{key}:={json.dumps(value)}" for key, value in parameters.items() if value is not None
    ]
    return [word for pair in given for word in ("-p", pair)]


def node_environment() -> dict[str, str]:
    """Return the environment for nodes: this process's, and a profile for large images."""
    colours = {"RCUTILS_COLORIZED_OUTPUT": "1"} if sys.stdout.isatty() else {}  # through a pipe too
    return {**dds_profile(), **colours, **os.environ}


def dds_profile() -> dict[str, str]:
    """Return the environment variables that name our profile; none where the user has one."""
    if any(name in os.environ for name in PROFILES):
        return {}
    return dict.fromkeys(PROFILES, str(config_path("fastdds.xml")))


def parameter_file(values: Mapping[str, object], nodes: str = "/**/*") -> str:
    """Return the path of a new file that gives ``nodes`` these parameters, until this process ends.

    Of several files that of the last section counts, and a section is where it was first met: what
    goes into one that an earlier file has too, such as the /** that launch would write, is
    overruled by the sections after it. So the section here is one that other files do not have.
    """
    with tempfile.NamedTemporaryFile("w", suffix=".yaml", dir=_folder(), delete=False) as file:
        yaml.safe_dump({nodes: {"ros__parameters": dict(values)}}, file)
    return file.name


@functools.cache
def _folder() -> str:
    """Return a folder of this process's files, which goes when the process ends."""
    folder = tempfile.TemporaryDirectory(prefix="i2t_")  # no context: nodes may be started again
    atexit.register(folder.cleanup)
    return folder.name
