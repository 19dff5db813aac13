"""Linux camera devices (Video4Linux): which exist, and why one cannot be used."""

import os
from contextlib import suppress
from pathlib import Path

from i2t_ros.errors import SourceMissingError, SourceUnreadableError

BY_ID = Path("/dev/v4l/by-id")
"""Where udev keeps a link to each USB camera, named after its maker, model and serial number."""


class CameraDevice:
    """A camera, found again under whatever number it comes back."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._link: Path | None = None

    def now(self) -> Path | None:
        """Return the device that the camera is now, or None if it is not plugged in.

        Without a link (not USB, or no udev as in many containers) a camera is its number.
        """
        found = os.path.realpath(self._path)
        if self._link is None and os.path.exists(found):
            with suppress(OSError):
                links = sorted(BY_ID.iterdir())
                self._link = next((link for link in links if os.path.realpath(link) == found), None)
        device = Path(os.path.realpath(self._link)) if self._link else self._path
        return device if device.exists() else None


def is_device(path: Path) -> bool:
    """Return whether a path names a camera, even one that is not plugged in."""
    if path.parent == Path("/dev") and path.name.startswith("video"):
        return True
    with suppress(OSError):
        return path.is_char_device()  # also through links, as in /dev/v4l/by-id
    return False


def camera_of(path: Path) -> Path:
    """Return ``path`` if a camera is there; raises SourceMissingError, SourceUnreadableError."""
    if not path.exists():
        there = ", ".join(map(str, sorted(Path("/dev").glob("video*")))) or "none"
        raise SourceMissingError(f"no camera {path}; cameras here: {there}")
    if not os.access(path, os.R_OK | os.W_OK):
        raise SourceUnreadableError(
            f"camera {path}: no permission; add the user to the group of the device "
            f"(`sudo usermod -aG video $USER`, then log in again)"
        )
    return path


def why_closed(path: Path) -> str:
    """Return the likely reason why a camera does not open."""
    wanted = os.path.realpath(path)
    users = []
    for process in Path("/proc").glob("[0-9]*"):
        # The process may have ended, or belong to another user.
        with suppress(OSError):
            if process.name != str(os.getpid()) and any(
                os.readlink(entry) == wanted for entry in (process / "fd").iterdir()
            ):
                name = (process / "comm").read_text().strip()
                users.append(f"process {process.name} ({name})")
    if users:
        return f"it is in use by {', '.join(sorted(users))}"
    return "it is not a camera, or another user's program is using it"
