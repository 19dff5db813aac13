"""Recordings on shared storage: each machine copies what it works on, as readers need files."""

import fcntl
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import BinaryIO

import platformdirs
from filelock import FileLock

from i2t_ros.errors import I2tError, SourceLostError, SourceUnreadableError
from i2t_ros.recordings.base import Damage, Recorded, Recording, Selection, Span
from i2t_ros.recordings.remote import Listing, listing_of
from i2t_ros.recordings.storage import Storage
from i2t_ros.types import Image

MOST = 100 * 2**30
"""Bytes of all copies on a machine, unless a single recording has more. The disk may hold fewer."""
RESERVE = 2**30
"""Bytes of the disk that copies leave free."""
_LOCK = "lock"


@dataclass(frozen=True)
class Copies:
    """The copies of one user of this machine, whose processes share them.

    Whoever adds or removes one holds a lock on all; who reads one holds a lock on that one, which
    ends with the process at the latest. What was read longest ago is removed first.
    """

    folder: Path
    most: int = MOST

    @contextmanager
    def held(self, listing: Listing) -> Iterator[Path]:
        """Provide a copy of a recording, as long as the block lasts.

        Raises SourceError if it cannot be had, and OSError.
        """
        lock = self._hold(listing)
        try:
            yield self._home(listing) / "files" / listing.name
        finally:
            lock.close()

    def clear(self) -> None:
        """Remove the copies that nobody reads."""
        if self.folder.is_dir():
            with self._changing():
                for home in self._homes():
                    self._remove(home)

    def _hold(self, listing: Listing) -> BinaryIO:
        """Return an open file whose closing gives the copy free."""
        home = self._home(listing)
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._changing():
            if not home.is_dir():
                self._make_room(listing)
                self._fetch(listing, home)
            lock = open(home / _LOCK, "rb")  # noqa: SIM115 (whoever gets it closes it)
            fcntl.flock(lock, fcntl.LOCK_SH)
            now = time.time_ns()  # the file system's own clock may have steps of milliseconds
            os.utime(home / _LOCK, ns=(now, now))
        return lock

    def _home(self, listing: Listing) -> Path:
        return self.folder / listing.digest[:32]

    @contextmanager
    def _changing(self) -> Iterator[None]:
        with FileLock(self.folder / ".lock"):
            for left in self.folder.glob(".part-*"):  # of a process that was killed
                shutil.rmtree(left)
            yield

    def _homes(self) -> list[Path]:
        """Return the copies, from the one that was read longest ago."""
        homes = [path for path in self.folder.iterdir() if (path / _LOCK).exists()]
        return sorted(homes, key=lambda home: ((home / _LOCK).stat().st_mtime_ns, home.name))

    def _make_room(self, listing: Listing) -> None:
        sizes = {home: _size(home) for home in self._homes()}
        for home in list(sizes):
            free = shutil.disk_usage(self.folder).free - RESERVE
            if sum(sizes.values()) + listing.size <= self.most and free >= listing.size:
                return
            if self._remove(home):
                del sizes[home]
        if (free := shutil.disk_usage(self.folder).free - RESERVE) < listing.size:
            raise SourceUnreadableError(
                f"{listing.url} has {listing.size:,} bytes, and there is room for {max(free, 0):,} "
                f"in {self.folder}; XDG_CACHE_HOME names another place"
            )

    def _remove(self, home: Path) -> bool:
        """Remove a copy; return False if somebody reads it."""
        with open(home / _LOCK, "rb") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            part = self.folder / f".part-{home.name}"
            home.rename(part)
            shutil.rmtree(part)
        return True

    def _fetch(self, listing: Listing, home: Path) -> None:
        part = self.folder / f".part-{home.name}"
        storage = Storage(listing.url)
        for entry in listing.files:
            file = part / "files" / listing.name / entry.name
            file.parent.mkdir(parents=True, exist_ok=True)
            try:
                storage.download(entry.name, file)
            except FileNotFoundError as error:
                raise SourceLostError(
                    f"{listing.url}: it was removed while it was copied"
                ) from error
        if listing_of(listing.url).digest != listing.digest:
            raise SourceLostError(f"{listing.url}: it was changed while it was copied; try again")
        (part / _LOCK).touch()
        part.rename(home)


def usual_copies() -> Copies:
    """Return the copies of this user: in ~/.cache/i2t_ros/recordings or below XDG_CACHE_HOME."""
    return Copies(Path(platformdirs.user_cache_dir("i2t_ros")) / "recordings")


def _size(home: Path) -> int:
    return sum(file.stat().st_size for file in home.rglob("*") if file.is_file())


class CopiedRecording(Recording):
    """A recording on shared storage, read through a copy; what it tells names the URL."""

    def __init__(
        self, url: str, opener: Callable[[str], Recording], copies: Copies | None = None
    ) -> None:
        """Find out what it is, and copy nothing yet; raises SourceError.

        opener  returns what reads a recording of this machine, from its path
        """
        self._listing = listing_of(url)
        self.kind = self._listing.kind
        self.path = url
        self.name = self._listing.stem
        self._opener = opener
        self._copies = copies or usual_copies()
        self._opened: dict[Path, Recording] = {}
        self._stays = ExitStack()

    def topics(self, selection: Selection) -> Sequence[str]:
        """See Recording.topics."""
        with self._reading() as (recording, _):
            return recording.topics(selection)

    def begin(self) -> int | None:
        """See Recording.begin."""
        with self._reading() as (recording, _):
            return recording.begin()

    def spans(self, selection: Selection, length: int) -> list[Span]:
        """See Recording.spans."""
        with self._reading() as (recording, _):
            return recording.spans(selection, length)

    def items(self, span: Span, selection: Selection, skip: int = 0) -> Iterator[Recorded]:
        """See Recording.items."""
        with self._reading() as (recording, path):
            for item in recording.items(span, selection, skip):
                source = self._told(item.source, path)
                if isinstance(item, Damage):
                    yield replace(item, source=source, what=self._told(item.what, path))
                else:
                    yield replace(item, source=source, read=partial(self._read, item.read, path))

    def fingerprint(self) -> str:
        """See Recording.fingerprint: names, sizes and tags of the storage."""
        return self._listing.digest

    def here(self) -> Recording:
        """See Recording.here."""
        recording, _ = self._stays.enter_context(self._reading())
        return recording

    def close(self) -> None:
        """See Recording.close."""
        for recording in self._opened.values():
            recording.close()
        self._stays.close()

    @contextmanager
    def _reading(self) -> Iterator[tuple[Recording, Path]]:
        with self._copies.held(self._listing) as path, self._telling(path):
            if path not in self._opened:
                self._opened[path] = self._opener(str(path))
            yield self._opened[path], path

    def _read(self, read: Callable[[], Image], path: Path) -> Image:
        with self._telling(path):
            return read()

    @contextmanager
    def _telling(self, path: Path) -> Iterator[None]:
        """Have errors name the URL: where copies are differs from machine to machine."""
        try:
            yield
        except I2tError as error:
            raise type(error)(self._told(str(error), path)) from error

    def _told(self, text: str, path: Path) -> str:
        return text.replace(str(path), self.path)
