"""Storage that several machines share, by URL: s3://bucket/folder, at Amazon or anywhere else."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from i2t_ros.errors import (
    InvalidRequestError,
    SourceLostError,
    SourceMissingError,
    SourceUnreadableError,
)
from i2t_ros.installation import how_to_install
from i2t_ros.optional import needed_for

SCHEMES = ("s3",)
CLIENT = {
    "connect_timeout": 10,
    "read_timeout": 60,
    "retries": {"mode": "standard", "max_attempts": 5},
}
"""How the client of S3 is set: seconds, and how often it tries what fails for a while."""
MAGIC = "*?["


class Entry(NamedTuple):
    """A file or a folder of the storage.

    name       relative to what was listed
    size       bytes
    tag        another one if the content has changed; of a folder, empty
    is_folder  whether it has others in it
    """

    name: str
    size: int
    tag: str
    is_folder: bool


def is_url(name: str) -> bool:
    """Whether a name is that of storage elsewhere; file:// is this machine's."""
    return "://" in name and not name.startswith("file://")


def local_path(name: str) -> str:
    """Return the path that file:// stands for; another name is a path itself."""
    return unquote(urlsplit(name).path) if name.startswith("file://") else name


class Storage:
    """A file or a folder that a URL names. Names are relative to it, with slashes; "" is itself.

    Who may do what comes from the environment, as AWS_PROFILE or AWS_ACCESS_KEY_ID; so does the
    server, as AWS_ENDPOINT_URL. Methods raise SourceError, which names the URL.
    """

    def __init__(self, url: str) -> None:
        """Connect to nothing yet; raises InvalidRequestError and BackendMissingError."""
        scheme, _, rest = url.partition("://")
        if scheme not in SCHEMES:
            raise InvalidRequestError(
                f"{scheme}://: expected a folder of this machine, or s3://bucket/folder"
            )
        bucket = rest.partition("/")[0]
        if "@" in bucket:
            raise InvalidRequestError(
                f"{scheme}://…@…: credentials do not belong into a URL, which others see; set "
                "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
            )
        self.url = url.rstrip("/")
        self._root = rest.rstrip("/")
        if not bucket:
            raise InvalidRequestError(f"{url}: expected the name of a bucket after {scheme}://")
        with needed_for(f"{scheme}://", how_to_install("ray")):
            import s3fs  # noqa: PLC0415
        self._files: Any = s3fs.S3FileSystem(config_kwargs=CLIENT, use_listings_cache=False)

    def read(self, name: str) -> bytes:
        """Return a file's bytes; raises FileNotFoundError if it is not there."""
        with self._failures(name):
            return bytes(self._files.cat_file(self._path(name)))

    def write(self, name: str, data: bytes) -> None:
        """Write a file, whole, in place of an older one."""
        with self._failures(name, writes=True):
            self._files.pipe_file(self._path(name), data)

    def create(self, name: str, data: bytes) -> bool:
        """Write a file if there is none; return whether there was none."""
        try:
            with self._failures(name, writes=True):
                self._files.pipe_file(self._path(name), data, mode="create")
        except FileExistsError:
            return False
        return True

    def upload(self, file: Path, name: str) -> None:
        """Write a file of this machine there, or all of a folder."""
        files = [file] if file.is_file() else sorted(p for p in file.rglob("*") if p.is_file())
        for each in files:
            inside = "" if each == file else f"/{each.relative_to(file).as_posix()}"
            with self._failures(name + inside, writes=True):
                self._files.put_file(str(each), self._path(name + inside))

    def download(self, name: str, file: Path) -> None:
        """Write a file's bytes to a new file of this machine; FileNotFoundError if it has gone."""
        with self._failures(name):
            self._files.get_file(self._path(name), str(file))

    def entry(self, name: str = "") -> Entry | None:
        """Return what a name is; None: nothing is there."""
        try:
            with self._failures(name):
                found = self._files.info(self._path(name), refresh=True)
        except FileNotFoundError:
            return None
        return _entry(found, name)

    def entries(self, name: str = "") -> list[Entry]:
        """Return what is in a folder, in the order of their names; nothing if it is not there."""
        path = self._path(name)
        try:
            with self._failures(name):
                found = self._files.ls(path, detail=True, refresh=True)
        except FileNotFoundError:
            return []
        inside = {each["name"].rstrip("/").removeprefix(f"{path}/"): each for each in found}
        return [_entry(inside[key], key) for key in sorted(inside) if "/" not in key]

    def files(self, name: str = "") -> list[Entry]:
        """Return all files below a folder, at any depth, in order."""
        path = self._path(name)
        with self._failures(name):
            found = self._files.find(path, detail=True, refresh=True)
        inside = {key.removeprefix(f"{path}/"): found[key] for key in sorted(found)}
        return [_entry(each, key) for key, each in inside.items() if not key.endswith("/")]

    def fitting(self, pattern: str) -> list[str]:
        """Return the URLs of the files and folders that fit a pattern below this."""
        with self._failures(pattern):
            found = self._files.glob(self._path(pattern))
        return [f"{self.url.partition('://')[0]}://{path.rstrip('/')}" for path in sorted(found)]

    def remove(self, name: str) -> None:
        """Remove a file, or a folder with all that is in it, if it is there."""
        path = self._path(name)
        with self._failures(name, writes=True):
            found = list(self._files.find(path))
            plain = [each for each in found if not set(each) & set(MAGIC)]
            if plain:
                self._files.rm(plain)  # many at a time; it takes other names for patterns
            for each in sorted({*found} - {*plain}):
                self._files.rm_file(each)

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}" if name else self._root

    @contextmanager
    def _failures(self, name: str, *, writes: bool = False) -> Iterator[None]:
        """Turn what the client raises into what people understand."""
        from botocore.exceptions import BotoCoreError, NoCredentialsError  # noqa: PLC0415

        where = f"{self.url}/{name}" if name else self.url
        try:
            yield
        except FileNotFoundError as error:
            if writes or "bucket does not exist" in str(error):
                raise SourceMissingError(f"{where}: there is no such bucket") from error
            raise
        except FileExistsError:
            raise
        except PermissionError as error:
            raise SourceUnreadableError(
                f"{where}: access is denied ({error}); these credentials may not "
                f"{'write' if writes else 'read'} there"
            ) from error
        except NoCredentialsError as error:
            raise SourceUnreadableError(
                f"{where}: there are no credentials; set AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
            ) from error
        except (BotoCoreError, OSError) as error:
            raise SourceLostError(
                f"{where}: the storage does not answer as it should ({error}); AWS_ENDPOINT_URL "
                "names the server of storage that is not Amazon's"
            ) from error


def _entry(found: Any, name: str) -> Entry:
    """Return an entry of what the client lists; raises SourceError for a name that is no path."""
    if {"..", "."} & {*name.split("/")} or PurePosixPath(name).is_absolute() or "\0" in name:
        raise SourceUnreadableError(
            f"{found['name']!r}: expected a name that can be a file's of a folder"
        )
    if found["type"] == "directory":
        return Entry(name, 0, "", True)
    tag = str(found.get("ETag") or found.get("LastModified") or "").strip('"')
    return Entry(name, int(found.get("size") or 0), tag, False)
