"""Video files as recordings."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from i2t_ros.errors import SourceMissingError, SourceUnreadableError, TruncatedImageError
from i2t_ros.recordings.base import (
    SECOND,
    Damage,
    Recorded,
    RecordedImage,
    Recording,
    Selection,
    Span,
)
from i2t_ros.recordings.reading.films import Film, Outline, Trouble, turns_of
from i2t_ros.recordings.reading.fingerprints import fingerprint_of
from i2t_ros.recordings.reading.opening import import_av
from i2t_ros.types import Image
from i2t_ros.vision.codecs import MAX_PIXELS

LONGEST = 31 * 86400 * SECOND
"""Nanoseconds; a file whose times go on for longer is not believed."""
TURNED = {1: cv2.ROTATE_90_COUNTERCLOCKWISE, 2: cv2.ROTATE_180, 3: cv2.ROTATE_90_CLOCKWISE}


class VideoRecording(Recording):
    """The images of a video file, at the times at which a player shows them.

    Time 0 is that of the first image. When the file begins on a clock is not told: a file has the
    time at which it was closed, in the zone of whoever wrote it.
    """

    kind = "video"

    def __init__(self, path: str, max_pixels: int = MAX_PIXELS) -> None:
        """Read nothing yet; raises BackendMissingError without PyAV.

        max_pixels  of an image; see DescribeOptions
        """
        av = import_av()
        self.path = path
        self.name = Path(path).stem or "video"
        self._max_pixels = max_pixels
        self._outlined: Outline | None = None
        # Between the colors of pixels it interpolates as OpenCV does.
        self._how = {"format": "bgr24", "interpolation": "BICUBIC", "threads": 1}
        self._converter: Any = av.video.reformatter.VideoReformatter()

    def topics(self, selection: Selection) -> Sequence[str]:
        """See Recording.topics."""
        return ("",)

    def begin(self) -> int | None:
        """See the class."""
        return None

    def size(self) -> tuple[int, int]:
        """Return width and height of the first image, in pixels; raises SourceError."""
        return self._outline().size

    def spans(self, selection: Selection, length: int) -> list[Span]:
        """See Recording.spans; packets at the end of the file are read, but not decoded."""
        outline = self._outline()
        with closing(self._film()) as film:
            last = film.last(outline)
        if last > LONGEST:
            raise SourceUnreadableError(
                f"video {self.path}: its times go on for {last // SECOND} s; the limit is "
                f"{LONGEST // SECOND} s"
            )
        period = selection.every or 1
        step = -(-length // period) * period
        stop = last + 1 if selection.end is None else min(last + 1, selection.end)
        if stop <= selection.start:
            return []
        spans = []
        for begin in range(selection.start // step * step, stop, step):
            start, end = max(begin, selection.start), begin + step
            known = min(end, stop) - start
            number = -(-known * outline.rate.numerator // (outline.rate.denominator * SECOND))
            if selection.every:
                number = min(number, -(-known // selection.every))
            end = end if selection.end is None else min(end, selection.end)
            spans.append(Span(start, end, number))
        return spans

    def items(self, span: Span, selection: Selection, skip: int = 0) -> Iterator[Recorded]:
        """See Recording.items; frames that are not wanted are decoded, but not converted."""
        with closing(self._film()) as film:
            yield from self._wanted(film, span, selection, skip)

    def fingerprint(self) -> str:
        """See Recording.fingerprint: the file's name, its size and the time of its change."""
        return fingerprint_of([self._file()])

    def _outline(self) -> Outline:
        if self._outlined is None:
            with closing(self._film()) as film:
                self._outlined = film.outline()
        return self._outlined

    def _wanted(
        self, film: Film, span: Span, selection: Selection, skip: int
    ) -> Iterator[Recorded]:
        number, period, whole = 0, -1, True
        for found in film.frames(self._outline(), span.start, selection.every):
            time = found.time
            if time < span.start:
                continue
            if time >= span.end:
                return
            if isinstance(found, Trouble):
                # One of a row: a file that is garbage from here on is one damage.
                if whole and (number := number + 1) > skip:
                    yield Damage(self.path, "", time, found.what)
                whole = False
                continue
            whole = True
            if selection.every and time // selection.every == period:
                continue
            period = time // selection.every if selection.every else -1
            if (number := number + 1) > skip:
                read = partial(self._converted, found.frame)
                yield RecordedImage(self.path, "", time, None, "", read)

    def _film(self) -> Film:
        return Film(str(self._file()), self._max_pixels)

    def _file(self) -> Path:
        path = Path(self.path)
        if not path.is_file():
            raise SourceMissingError(f"video {path}: no such file")
        return path

    def _converted(self, frame: Any) -> Image:
        """Return a frame's pixels; its own color space and range are heeded."""
        try:
            converted = self._converter.reformat(frame, **self._how)
        except (OSError, ValueError) as error:  # what PyAV raises for FFmpeg's errors
            raise TruncatedImageError(
                f"video {self.path}: an image of the format {frame.format.name} cannot be "
                f"converted: {error}"
            ) from error
        width, height, plane = converted.width, converted.height, converted.planes[0]
        rows = np.frombuffer(plane, np.uint8).reshape(height, plane.line_size)
        image = np.ascontiguousarray(rows[:, : 3 * width]).reshape(height, width, 3)
        turn = TURNED.get(turns_of(frame))
        return image if turn is None else np.asarray(cv2.rotate(image, turn), np.uint8)
