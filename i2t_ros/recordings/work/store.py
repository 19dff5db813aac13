"""The folder of the results, on this machine or on storage that several machines share."""

import os
import shutil
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from filelock import FileLock, Timeout

from i2t_ros.errors import InvalidRequestError
from i2t_ros.recordings.storage import MAGIC, Storage, is_url, local_path
from i2t_ros.recordings.work.lease import Lease
from i2t_ros.recordings.work.places import SCRATCH

LOCK = ".i2t-annotate.lock"


def open_store(name: str) -> "Store":
    """Return the folder that a path or a URL names; it is made when the first file is written.

    Raises InvalidRequestError for a URL of another kind, and BackendMissingError.
    """
    return SharedStore(name) if is_url(name) else LocalStore(name)


class Store(ABC):
    """A folder of files that are written as a whole: each is there complete, or not at all.

    Names are relative, with slashes. Methods raise OSError, or SourceError if it is not a folder of
    this machine.

    folder  where it is, as the user named it
    """

    folder: str

    @abstractmethod
    def read(self, name: str) -> bytes:
        """Return a file's bytes; raises FileNotFoundError."""

    @abstractmethod
    def write(self, name: str, data: bytes) -> None:
        """Write a file, in place of an older one."""

    @abstractmethod
    def put(self, file: Path, name: str) -> None:
        """Move a file or a folder of this machine to its place, in place of an older one."""

    @abstractmethod
    def staging(self, name: str) -> AbstractContextManager[Path]:
        """Provide an empty folder of this machine, from which put() brings what is complete."""

    @abstractmethod
    def scratch(self) -> AbstractContextManager[Path]:
        """Provide an empty folder of this machine for what put() brings one by one."""

    @abstractmethod
    def local(self, name: str) -> AbstractContextManager[Path]:
        """Provide a file of this machine with the bytes of one here; not to be changed."""

    @abstractmethod
    def names(self, folder: str) -> list[str]:
        """Return the names of the files in a folder, without the folder's, in order."""

    @abstractmethod
    def remove(self, name: str) -> None:
        """Remove a file, or a folder with all that is in it, if it is there."""

    @abstractmethod
    def locked(self) -> AbstractContextManager[None]:
        """Keep other runs out of the folder; raises InvalidRequestError if one is in it."""


class LocalStore(Store):
    """A folder of this machine, or of storage that is mounted here."""

    def __init__(self, folder: str) -> None:
        """Open a folder, by its path or by file://."""
        self.folder = folder
        self._path = Path(local_path(folder))

    def read(self, name: str) -> bytes:
        """See Store.read."""
        return (self._path / name).read_bytes()

    def write(self, name: str, data: bytes) -> None:
        """See Store.write."""
        path = self._path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        # Where machines share a folder, two of them may have processes of the same number.
        beside = path.with_name(f".{path.name}.{os.uname().nodename}.{os.getpid()}")
        beside.write_bytes(data)
        _flush(beside)
        beside.replace(path)

    def put(self, file: Path, name: str) -> None:
        """See Store.put."""
        path = self._path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        # From another disk nothing comes at once, so it comes under another name first.
        beside = path.with_name(f".{path.name}.{os.uname().nodename}.{os.getpid()}")
        shutil.move(file, beside)
        for each in (beside, *beside.rglob("*")):
            _flush(each)
        if path.is_dir() or beside.is_dir():
            self.remove(name)
        beside.replace(path)

    @contextmanager
    def staging(self, name: str) -> Iterator[Path]:
        """See Store.staging."""
        path = self._path / name
        path.mkdir(parents=True)
        yield path

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """See Store.scratch; of a process that is killed, it goes with the work."""
        path = self._path / SCRATCH
        path.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=path) as folder:
            yield Path(folder)

    @contextmanager
    def local(self, name: str) -> Iterator[Path]:
        """See Store.local."""
        yield self._path / name

    def names(self, folder: str) -> list[str]:
        """See Store.names."""
        try:
            with os.scandir(self._path / folder) as entries:
                found = sorted(entry.name for entry in entries if not entry.name.startswith("."))
        except FileNotFoundError:
            return []
        return found

    def remove(self, name: str) -> None:
        """See Store.remove."""
        path = self._path / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            with suppress(FileNotFoundError):
                path.unlink()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """See Store.locked; the end of this process unlocks it, whatever ends it."""
        self._path.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self._path / LOCK, timeout=0)
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


class SharedStore(Store):
    """A folder of a bucket. Each file comes by one request, which the storage does or does not do.

    Only the files of a folder that put() brings come one after the other.
    """

    def __init__(self, url: str) -> None:
        """See open_store."""
        if set(url) & set(MAGIC):
            raise InvalidRequestError(f"{url}: expected the URL of one folder, not a pattern")
        self.folder = url
        self._storage = Storage(url)

    def read(self, name: str) -> bytes:
        """See Store.read."""
        return self._storage.read(name)

    def write(self, name: str, data: bytes) -> None:
        """See Store.write."""
        self._storage.write(name, data)

    def put(self, file: Path, name: str) -> None:
        """See Store.put."""
        if file.is_dir():
            self._storage.remove(name)  # of an older one, other files may be there
        self._storage.upload(file, name)
        if file.is_dir():
            shutil.rmtree(file)
        else:
            file.unlink()

    @contextmanager
    def staging(self, name: str) -> Iterator[Path]:
        """See Store.staging; it is where Python has temporary files (TMPDIR)."""
        with TemporaryDirectory(prefix="i2t-new-") as folder:
            yield Path(folder)

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """See Store.scratch; it is where Python has temporary files (TMPDIR)."""
        with TemporaryDirectory(prefix="i2t-part-") as folder:
            yield Path(folder)

    @contextmanager
    def local(self, name: str) -> Iterator[Path]:
        """See Store.local; it is a copy, as long as the block lasts."""
        with TemporaryDirectory(prefix="i2t-copy-") as folder:
            path = Path(folder, name.rpartition("/")[2])
            self._storage.download(name, path)
            yield path

    def names(self, folder: str) -> list[str]:
        """See Store.names."""
        names = (entry.name for entry in self._storage.entries(folder))
        return [name for name in names if not name.startswith(".")]

    def remove(self, name: str) -> None:
        """See Store.remove."""
        self._storage.remove(name)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """See Store.locked."""
        with Lease(self._storage, LOCK):
            yield


def _flush(path: Path) -> None:
    """Have the disk keep a file: without power, one may else have its name, but not its bytes."""
    if path.is_file():
        with path.open("rb") as file:
            os.fsync(file.fileno())
