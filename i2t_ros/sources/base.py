"""What every source of images has in common."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np

from i2t_ros.errors import InvalidRequestError
from i2t_ros.options import check_options, option
from i2t_ros.types import Image, Picture


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """How a source is read.

    Of a live source (camera, stream) the images in excess of ``rate`` are left out; of anything
    else each is shown for 1/rate seconds.
    """

    rate: float = option(
        0.0,
        "images a second; 0: a video's own, 1 for pictures, all that come from a camera or stream",
        bounds=(0.0, 1000.0),
    )
    loop: bool = option(
        True,
        "begin again at the end of a video or of the pictures; false: wait for a subscriber, show "
        "them once and end the node",
    )
    width: int = option(
        0,
        "pixels; asked of a camera, which may give others; anything else is scaled; 0: as it is, "
        "or in proportion",
        bounds=(0, 65_535),
    )
    height: int = option(0, "pixels; see width", bounds=(0, 65_535))
    pixel_format: str = option(
        "",
        "four letters asked of a camera, such as MJPG, with which many have more images a second "
        "at large sizes; none: its default",
    )
    stream_timeout: float = option(
        10.0, "seconds that a stream may take to open, and for each image", bounds=(0.1, 600.0)
    )

    def __post_init__(self) -> None:
        """Raise InvalidRequestError for a pixel format or a number that makes no sense."""
        check_options(self)
        if self.pixel_format and not re.fullmatch("[ -~]{4}", self.pixel_format):
            raise InvalidRequestError(
                f"pixel_format: expected four letters such as MJPG or YUYV, "
                f"got {self.pixel_format!r}"
            )


@dataclass(frozen=True, slots=True)
class Shot:
    """One image, not read before somebody wants it, and to be read before the next is taken.

    name  for people: the file, or the number of the frame
    read  returns the pixels; raises ImageError
    file  returns the picture as its file has it, where that shows the same pixels upright, or
          None: so that nothing is encoded twice
    """

    name: str
    read: Callable[[], Image]
    file: Callable[[], Picture | None] = lambda: None


class Source(Protocol):
    """A place that images come from."""

    @property
    def title(self) -> str:
        """What it is, for people."""

    def open(self) -> None:
        """Open what only this process may use, so that an error of it shows here.

        Raises SourceError.
        """

    def shots(self, stop: threading.Event) -> Iterator[Shot]:
        """Yield one image after the other, each when its time has come, until ``stop`` is set.

        Ends by itself only where everything has been shown and is not to be repeated. What is lost
        (a camera pulled out, a stream that breaks off) is logged and looked for again, with
        growing pauses. Raises SourceUnreadableError where there is nothing more to be had.
        """

    def close(self) -> None:
        """Close what ``open`` opened; ``shots`` closes what it uses. May be called again."""


def scaled(image: Image, options: SourceOptions) -> Image:
    """Return an image in the size that the options want; the same one where that is its own."""
    height, width = image.shape[:2]
    wanted = wanted_size(width, height, options)
    if wanted == (width, height):
        return image
    # Averages what falls into a pixel when it makes smaller, which keeps fine patterns quiet.
    method = cv2.INTER_AREA if wanted[0] < width else cv2.INTER_LINEAR
    return cv2.resize(image, wanted, interpolation=method).astype(np.uint8, copy=False)


def wanted_size(width: int, height: int, options: SourceOptions) -> tuple[int, int]:
    """Return the width and height that an image of this size is to have."""
    if options.width and options.height:
        return options.width, options.height
    if options.width:
        return options.width, max(1, round(height * options.width / width))
    if options.height:
        return max(1, round(width * options.height / height)), options.height
    return width, height
