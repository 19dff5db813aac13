"""Pictures as a recording: those of a folder, or a single one."""

import hashlib
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path

from i2t_ros.errors import ImageError, SourceMissingError
from i2t_ros.recordings.base import RecordedImage, Recording, Selection, Span
from i2t_ros.sources.pictures import pictures_of
from i2t_ros.types import Image, Picture
from i2t_ros.vision.codecs import decode_image

PER_SPAN = 64
"""Pictures."""


class PictureRecording(Recording):
    """The pictures of a folder in the order of their names, or a single one. They have no times."""

    kind = "pictures"

    def __init__(self, path: str, max_pixels: int, gray16: str) -> None:
        """Read nothing yet; the others are as in DescribeOptions."""
        self.path = path
        self.name = Path(path).resolve().stem or "pictures"
        self._how = max_pixels, gray16

    def topics(self, selection: Selection) -> Sequence[str]:
        """See Recording.topics."""
        return ("",)

    def begin(self) -> int | None:
        """Nothing tells when pictures were taken."""
        return None

    def spans(self, selection: Selection, length: int) -> list[Span]:
        """See Recording.spans; ``length`` does not apply."""
        number = len(self._files())
        starts = range(0, number, PER_SPAN)
        return [Span(start, end := min(start + PER_SPAN, number), end - start) for start in starts]

    def items(self, span: Span, selection: Selection, skip: int = 0) -> Iterator[RecordedImage]:
        """See Recording.items; a picture that is damaged shows it when it is read."""
        for path in islice(self._files(), span.start + skip, span.end):
            yield RecordedImage(str(path), "", None, None, "", partial(self._read, path))

    def fingerprint(self) -> str:
        """See Recording.fingerprint: names, sizes and times of change."""
        found = hashlib.sha256()
        for path in self._files():
            stat = path.stat()
            found.update(f"{path}\0{stat.st_size}\0{stat.st_mtime_ns}\n".encode())
        return found.hexdigest()

    def _files(self) -> list[Path]:
        path = Path(self.path)
        files = pictures_of(path) if path.is_dir() else [path]
        if not files or not path.exists():
            raise SourceMissingError(f"no pictures in {path}")
        return files

    def _read(self, path: Path) -> Image:
        try:
            return decode_image(Picture(path.read_bytes()), *self._how)
        except OSError as error:
            raise ImageError(f"cannot read {path}: {error.strerror}") from error
