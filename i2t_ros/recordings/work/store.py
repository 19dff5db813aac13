"""The folder of the results, on this machine or on storage that several machines share."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from i2t_ros.errors import InvalidRequestError


class Store:
    """A folder of files that are written as a whole: each is there complete, or not at all.

    Names are relative, with slashes.
    """

    def __init__(self, folder: str) -> None:
        """Open a folder; it is made when the first file is written."""
        self.folder = folder
        self._path = Path(folder)

    def read(self, name: str) -> bytes:
        """Return a file's bytes; raises FileNotFoundError and other OSErrors."""
        return (self._path / name).read_bytes()

    def write(self, name: str, data: bytes) -> None:
        """Write a file, in place of an older one; raises OSError."""
        path = self._path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name}.{os.getpid()}")
        with beside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())  # else a power failure may leave an empty file with this name
        beside.replace(path)

    def put(self, file: Path, name: str) -> None:
        """Move a file or a folder of this machine to its place, in place of an older one."""
        path = self._path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        # Between file systems moving is copying, and half of a copy must not have the name.
        beside = path.with_name(f".{path.name}.{os.getpid()}")
        shutil.move(file, beside)
        _write_out(beside)
        self.remove(name)
        beside.replace(path)

    @contextmanager
    def staging(self, name: str) -> Iterator[Path]:
        """Provide an empty folder of this machine, from which put() brings what is complete."""
        path = self._path / name
        path.mkdir(parents=True)
        yield path

    @contextmanager
    def local(self, name: str) -> Iterator[Path]:
        """Provide a file of this machine with the bytes of one here; not to be changed."""
        yield self._path / name

    def names(self, folder: str) -> list[str]:
        """Return the names of the files in a folder, without the folder's, in order."""
        try:
            with os.scandir(self._path / folder) as entries:
                found = sorted(entry.name for entry in entries if not entry.name.startswith("."))
        except FileNotFoundError:
            return []
        return found

    def remove(self, name: str) -> None:
        """Remove a file, or a folder with all that is in it, if it is there."""
        path = self._path / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            with suppress(FileNotFoundError):
                path.unlink()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other runs out of the folder; raises InvalidRequestError if one is in it."""
        self._path.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self._path / ".i2t-annotate.lock", timeout=0)
        try:
            lock.acquire()
        except Timeout:
            raise InvalidRequestError(
                f"{self.folder}: another i2t annotate is at work there; wait for it, or name "
                "another folder with --out"
            ) from None
        try:
            yield
        finally:
            lock.release()


def _write_out(path: Path) -> None:
    """Have the disk hold a file, or a folder with what is in it, before it gets its name."""
    if path.is_dir():
        os.sync()  # its files may be many
        return
    with path.open("rb") as file:
        os.fsync(file.fileno())
