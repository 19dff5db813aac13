"""Picture files: a folder of them in the order of their names, or one file again and again."""

import contextlib
import logging
import re
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from i2t_ros.errors import ImageError, SourceMissingError, SourceUnreadableError
from i2t_ros.sources.base import LazyImage, Pace, Source, SourceOptions, scaled
from i2t_ros.types import Image, Picture
from i2t_ros.vision.codecs import (
    canonical_format,
    decode_image,
    is_upright,
    picture_format,
    read_header,
)
from i2t_ros.vision.headers import check_complete

RATE = 1.0
"""Pictures a second, unless the options set a rate."""

PASSED_ON = ("jpeg", "png")  # what image_transport's decoder reads for sure

LOOK_PERIOD = 0.2
"""Seconds between two looks for a picture while there is none."""
SETTLED = 1.0
"""Seconds after its last change in which a file that cannot be read may be still being written."""
START_LIMIT = 3.0
"""Seconds to wait for a single picture that is being written."""

_Version = tuple[Path, int, int, int]
"""A file, the time of its last change (ns) in content or permissions, its size and its inode."""

_log = logging.getLogger(__name__)


class PictureSource(Source):
    """The pictures of a folder, or one picture.

    The folder is listed again for each round, so pictures may be added, changed and removed. A
    picture that cannot be read fails once and is then skipped until the file changes. While there
    is no picture to show, a source that loops waits for one.
    """

    def __init__(self, path: Path, options: SourceOptions) -> None:
        """List the files.

        Raises SourceMissingError for a folder without pictures, and SourceUnreadableError for a
        single picture that cannot be read.
        """
        self._path = path.absolute()
        self.title = f"{'pictures of' if path.is_dir() else 'picture'} {self._path}"
        self._options = options
        self._is_folder = path.is_dir()
        self._has_read = False
        self._bad: set[_Version] = set()
        self._last: tuple[_Version, Image] | None = None
        if not self._files():
            raise SourceMissingError(
                f"no pictures in {self._path}: expected files that end in .jpg, .png, .bmp, .webp"
            )
        if not self._is_folder:
            self._read_first()

    def images(self, stop: threading.Event) -> Iterator[LazyImage]:
        """Yield the pictures; see Source.images."""
        pace = Pace(self._options.rate or RATE, stop)
        waiting = False
        while not stop.is_set():
            files = self._readable()
            if files and waiting:
                _log.info("%s: there is a picture again", self.title)
            elif not files and not waiting:
                _log.warning("%s: there is no picture that can be read; waiting", self.title)
            waiting = not files
            for path in files:
                if not pace.wait():
                    return
                yield LazyImage(path.name, partial(self._read, path), partial(self._picture, path))
            if not self._options.loop:
                return
            if waiting:
                stop.wait(LOOK_PERIOD)

    def _readable(self) -> list[Path]:
        """Return the pictures, without those that could not be read and have not changed since.

        Raises SourceUnreadableError if there are none and nothing tells that some will come.
        """
        try:
            versions = {path: _version(path) for path in self._files()}
        except SourceUnreadableError:
            if not self._options.loop:
                raise
            versions = {}  # the folder is away for a moment
        self._bad &= set(versions.values())
        files = [path for path, version in versions.items() if version not in self._bad]
        if not files and not (self._options.loop and (self._has_read or not _settled(self._bad))):
            raise SourceUnreadableError(f"no picture of {self._path} can be read")
        return files

    def _files(self) -> list[Path]:
        return pictures_of(self._path) if self._is_folder else [self._path]

    def _read_first(self) -> None:
        """Read a single picture; wait a moment for one that is being written."""
        end = time.monotonic() + START_LIMIT
        while True:
            try:
                self._read(self._path)
                return
            except ImageError as error:
                if _settled({_version(self._path)}) or time.monotonic() > end:
                    raise SourceUnreadableError(str(error)) from error
            time.sleep(LOOK_PERIOD)

    def _read(self, path: Path) -> Image:
        version = _version(path)
        if self._last is None or self._last[0] != version:
            with self._trying(version):
                self._last = version, scaled(decode_image(path.read_bytes()), self._options)
        return self._last[1]

    def _picture(self, path: Path) -> Picture | None:
        if self._options.width or self._options.height:
            return None
        with self._trying(_version(path)):
            picture = Picture(path.read_bytes())
            check_complete(picture.data, read_header(picture).format)
            fits = read_header(picture).format in PASSED_ON and is_upright(picture)
        return picture if fits else None

    @contextlib.contextmanager
    def _trying(self, version: _Version) -> Iterator[None]:
        """Have a file that cannot be read skipped until it changes; raises ImageError for it."""
        try:
            yield
            self._has_read = True
        except (OSError, ImageError) as error:
            self._bad.add(version)
            kind = type(error) if isinstance(error, ImageError) else ImageError
            raise kind(f"{version[0]}: {getattr(error, 'strerror', error)}") from error


def pictures_of(folder: Path) -> list[Path]:
    """Return the pictures of a folder, by their names; raises SourceUnreadableError."""
    try:
        entries = list(folder.iterdir())
    except OSError as error:
        raise SourceUnreadableError(f"{folder}: {error.strerror}") from error
    return sorted(
        (path for path in entries if path.is_file() and has_picture_name(path)), key=natural_order
    )


def is_picture(path: Path) -> bool:
    """Return whether a file is a picture, by its first bytes or else by its name."""
    with contextlib.suppress(ImageError, OSError), path.open("rb") as file:
        return bool(picture_format(file.read(16)))
    return has_picture_name(path)


def _version(path: Path) -> _Version:
    with contextlib.suppress(OSError):
        stat = path.stat()
        return path, stat.st_ctime_ns, stat.st_size, stat.st_ino
    return path, 0, 0, 0  # the file has gone; reading it will report that


def _settled(versions: set[_Version]) -> bool:
    """Return whether there are such files, and none of them has just changed."""
    newest = max((changed for _, changed, *_ in versions), default=time.time_ns())
    return time.time_ns() - newest > SETTLED * 1e9


def has_picture_name(path: Path) -> bool:
    """Return whether a file's name has the ending of a picture's."""
    with contextlib.suppress(ImageError):
        return bool(canonical_format(path.suffix))
    return False


def natural_order(path: Path) -> list[tuple[int, str]]:
    """Return a sort key that puts 9.jpg before 10.jpg."""
    parts = re.split(r"(\d+)", path.name)
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]
