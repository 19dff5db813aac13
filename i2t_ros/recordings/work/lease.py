"""A lock on storage that knows no locks: a file that its owner writes again and again."""

import getpass
import logging
import os
import socket
import threading
import time
from contextlib import suppress

import msgspec

from i2t_ros.errors import InvalidRequestError, SourceError
from i2t_ros.recordings.storage import Storage

RENEW = 10.0
"""Seconds from one writing to the next."""
STALE = 35.0
"""Seconds without a change after which the owner is taken for dead. It is this machine's clock that
counts them, so it does not matter whether the clocks of machines agree."""
LOOK = 2.0
"""Seconds from one look at another's lock to the next."""

_log = logging.getLogger(__name__)


class Lease:
    """A context manager that keeps other runs out, as long as they ask too.

    The storage must know conditional writes (Amazon's S3 and MinIO do since 2024).
    """

    def __init__(self, storage: Storage, name: str) -> None:
        """Lock nothing yet."""
        self._storage = storage
        self._name = name
        self._number = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._renew, daemon=True, name="i2t-lease")

    def __enter__(self) -> "Lease":
        """Lock; raises InvalidRequestError if another run is at work, and SourceError.

        If another one has been killed, it takes STALE seconds to be sure of that.
        """
        while not self._storage.create(self._name, self._text()):
            if self._is_abandoned():
                self._take_over()
                break
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Unlock."""
        self._ended.set()
        self._thread.join()
        with suppress(SourceError):  # it goes stale by itself, and an error may be on its way
            self._storage.remove(self._name)

    def _is_abandoned(self) -> bool:
        """Watch another's lock: False if it is free now; raises InvalidRequestError if in use."""
        first = self._owner()
        if first is None:
            return False
        _log.warning(
            "%s: another i2t annotate (%s) is at work there, or was killed; looking for up to %d s",
            self._storage.url, first.get("owner"), STALE,
        )  # fmt: skip
        until = time.monotonic() + STALE
        while time.monotonic() < until:
            self._ended.wait(LOOK)
            now = self._owner()
            if now is None:
                return False
            if now != first:
                raise InvalidRequestError(
                    f"{self._storage.url}: another i2t annotate ({now.get('owner')}) is at work "
                    "there; wait for it, or name another folder with --out"
                )
        return True

    def _take_over(self) -> None:
        """Replace the lock of a dead owner; if two do so at the same time, the later one has it."""
        self._storage.write(self._name, self._text())
        self._ended.wait(LOOK)
        if self._owner() != msgspec.json.decode(self._text()):
            raise InvalidRequestError(
                f"{self._storage.url}: another i2t annotate has begun there at the same time"
            )

    def _owner(self) -> dict[str, object] | None:
        """Return what the lock says; None: there is none."""
        try:
            return msgspec.json.decode(self._storage.read(self._name), type=dict[str, object])
        except FileNotFoundError:
            return None
        except msgspec.MsgspecError:
            return {"owner": "unknown"}

    def _text(self) -> bytes:
        owner = f"process {os.getpid()} of {_user()} on {socket.gethostname()}"
        return msgspec.json.encode({"owner": owner, "renewed": self._number})

    def _renew(self) -> None:
        while not self._ended.wait(RENEW):
            self._number += 1
            with suppress(SourceError):  # the next one may succeed
                self._storage.write(self._name, self._text())


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a number without a name, as in containers
        return str(os.getuid())
