"""Pictures as a recording: those of a folder, or a single one."""

import os
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import islice
from pathlib import Path

from i2t_ros.errors import BodyTooLargeError, ImageError, SourceMissingError, SourceUnreadableError
from i2t_ros.recordings.base import RecordedImage, Recording, Selection, Span
from i2t_ros.recordings.reading.fingerprints import fingerprint_of
from i2t_ros.sources.pictures import pictures_of
from i2t_ros.types import Image, Picture
from i2t_ros.vision.codecs import MAX_PIXELS, decode_image, read_header
from i2t_ros.vision.levels import GRAY16

PER_SPAN = 64
"""Pictures."""
MOST_BYTES = 1 << 30
"""Of a file; the largest picture that may be decoded has fewer."""


class PictureRecording(Recording):
    """The pictures of a folder in the order of their names, or a single one. They have no times.

    A folder is listed once: a span has the same pictures as long as this object lives.
    """

    kind = "pictures"

    def __init__(self, path: str, max_pixels: int = MAX_PIXELS, gray16: str = GRAY16) -> None:
        """Read nothing yet; the others are as in DescribeOptions."""
        self.path = path
        self._place = Path(path)
        whole = self._place.resolve()
        self.name = (whole.name if whole.is_dir() else whole.stem) or "pictures"
        self._how = max_pixels, gray16

    def topics(self, selection: Selection) -> Sequence[str]:
        """See Recording.topics."""
        return ("",)

    def begin(self) -> int | None:
        """Nothing tells when pictures were taken."""
        return None

    def spans(self, selection: Selection, length: int) -> list[Span]:
        """See Recording.spans; neither ``length`` nor the times of the selection apply."""
        number = len(self._files)
        starts = range(0, number, PER_SPAN)
        return [Span(start, end := min(start + PER_SPAN, number), end - start) for start in starts]

    def items(self, span: Span, selection: Selection, skip: int = 0) -> Iterator[RecordedImage]:
        """See Recording.items; a picture that is damaged shows it when it is read."""
        for path in islice(self._files, span.start + skip, span.end):
            file = _PictureFile(path, *self._how)
            yield RecordedImage(str(path), "", None, None, "", file.read, size=file.size)

    def fingerprint(self) -> str:
        """See Recording.fingerprint: names, sizes and times of change."""
        try:
            return fingerprint_of(self._files)
        except OSError as error:
            raise SourceUnreadableError(f"{error.filename}: {error.strerror}") from error

    @cached_property
    def _files(self) -> list[Path]:
        if self._place.is_file():
            return [self._place]
        if not self._place.is_dir():
            raise SourceMissingError(f"{self.path}: no such picture or folder")
        files = pictures_of(self._place)
        if not files:
            raise SourceMissingError(
                f"no pictures in {self.path}: expected files that end in .jpg, .png, .bmp or .webp"
            )
        return files


def legible(path: str) -> str:
    r"""Return a path for people and for JSON, which has UTF-8 alone: other bytes are \\xff."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


class _PictureFile:
    """A file that is read once, when its pixels or its size are wanted."""

    def __init__(self, path: Path, max_pixels: int, gray16: str) -> None:
        self._path = path
        self._how = max_pixels, gray16

    def read(self) -> Image:
        """Return the pixels, fewer than the picture's if it is large; raises ImageError."""
        return decode_image(self._picture, *self._how)

    def size(self) -> tuple[int, int]:
        """Return width and height of the picture; raises ImageError."""
        header = read_header(self._picture)
        return header.width, header.height

    @cached_property
    def _picture(self) -> Picture:
        try:
            with self._path.open("rb") as file:
                data = file.read(MOST_BYTES + 1)
        except OSError as error:
            raise ImageError(f"cannot read {self._path}: {error.strerror}") from error
        if len(data) > MOST_BYTES:
            raise BodyTooLargeError(f"{self._path} has more than {MOST_BYTES} bytes")
        return Picture(data)
