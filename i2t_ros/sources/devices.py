"""Linux camera devices (Video4Linux): which exist, and why one cannot be used."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from i2t_ros.errors import SourceMissingError, SourceUnreadableError

_DEVICES = Path("/dev")
_PROCESSES = Path("/proc")


def is_device(path: Path) -> bool:
    """Return whether a path names a camera, even one that is not plugged in."""
    if path.parent == _DEVICES and path.name.startswith("video"):
        return True
    try:
        return stat.S_ISCHR(path.stat().st_mode)  # also through links, as in /dev/v4l/by-id
    except OSError:
        return False


def camera_of(path: Path) -> Path:
    """Return ``path`` if a camera is there; raises SourceMissingError, SourceUnreadableError."""
    if not path.exists():
        there = ", ".join(map(str, sorted(_DEVICES.glob("video*")))) or "none"
        raise SourceMissingError(f"no camera {path}; cameras here: {there}")
    if not os.access(path, os.R_OK | os.W_OK):
        raise SourceUnreadableError(
            f"camera {path}: no permission; add the user to the group of the device "
            f"(`sudo usermod -aG video $USER`, then log in again)"
        )
    return path


def why_closed(path: Path) -> str:
    """Return the likely reason why a camera does not open."""
    if users := users_of(path):
        return f"it is in use by {', '.join(users)}"
    return "it is not a camera, or another user's program is using it"


def users_of(path: Path) -> list[str]:
    """Return the other processes that have a device open, as far as this user may see them."""
    wanted = os.path.realpath(path)
    users = []
    for process in _PROCESSES.glob("[0-9]*"):
        if process.name != str(os.getpid()) and wanted in _open_files(process):
            users.append(f"process {process.name} ({_name_of(process)})")
    return sorted(users)


def _open_files(process: Path) -> set[str]:
    try:
        return {os.readlink(entry) for entry in (process / "fd").iterdir()}
    except OSError:  # the process has ended, or belongs to another user
        return set()


def _name_of(process: Path) -> str:
    try:
        return (process / "comm").read_text().strip()
    except OSError:
        return "already ended"
