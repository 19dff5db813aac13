"""What need not be installed: packages to import, and what other packages add to this one."""

import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from i2t_ros.errors import BackendMissingError
from i2t_ros.installation import how_to_install


@contextmanager
def needed_for(purpose: str, install: str) -> Iterator[None]:
    """Turn an ImportError of the block into BackendMissingError.

    purpose  what cannot be done without the import, as "tracking"
    install  the commands that bring it; on a robot too, if they differ there
    """
    try:
        yield
    except ImportError as error:
        pass_on_interrupt(error)
        raise missing(purpose, install, str(error)) from error
    pass_on_interrupt()


def pass_on_interrupt(error: BaseException | None = None) -> None:
    """Raise the KeyboardInterrupt that an import has swallowed, or turned into ``error``.

    Extension modules turn whatever interrupts their import into an ImportError, often without its
    cause; to go on, or to look for another package, would keep whoever has interrupted waiting.
    """
    while error is not None:
        if isinstance(error, KeyboardInterrupt):
            raise error
        error = error.__cause__ or error.__context__
    if interrupted.is_set() and threading.current_thread() is threading.main_thread():
        raise KeyboardInterrupt


interrupted = threading.Event()
"""Set while the main thread does what a signal has interrupted, and should have ended."""


def missing(purpose: str, install: str, why: str) -> BackendMissingError:
    """Return the error of something that is not installed, or that cannot be imported."""
    return BackendMissingError(
        f"{purpose} needs a package that is not installed ({why}): {install}"
    )


def missing_module(what: str, error: ModuleNotFoundError) -> BackendMissingError:
    """Return the error of a node or command that cannot start; other causes are raised again."""
    name = (error.name or "").partition(".")[0]
    if name in ("", "i2t_ros"):
        raise error
    ros = name.startswith(("rcl", "launch", "ament_")) or name.endswith(("_msgs", "_interfaces"))
    sourced = "source your ROS 2, as in `. /opt/ros/jazzy/setup.bash`, and your workspace"
    return missing(what, sourced if ros else how_to_install(), str(error))


def can_import(module: str) -> bool:
    """Whether a module can be found; it is not imported, but the packages that it is in are."""
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError) as error:  # a parent package that is broken or absent
        pass_on_interrupt(error)
        return False


def entry_points_of(group: str) -> Iterable[Any]:
    """Return the entry points of a group that installed distributions declare.

    importlib.metadata is only imported if there is one: it takes 26 ms and 3 MB.
    """
    files = (file for folder in sys.path for file in Path(folder).glob("*-info/entry_points.txt"))
    if not any(_mentions(file, f"[{group}]") for file in files):
        return ()
    from importlib.metadata import entry_points  # noqa: PLC0415

    return entry_points(group=group)


def _mentions(file: Path, text: str) -> bool:
    try:
        return text in file.read_text("utf-8", "replace")
    except OSError:
        return False
