"""What every source of images has in common."""

import re
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from i2t_ros.errors import InvalidRequestError
from i2t_ros.options import check_options, option
from i2t_ros.types import Image, Picture


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """How a source is read.

    A live source (a camera or a stream) skips the images in excess of ``rate``. Any other source
    shows each image for 1 / rate seconds.
    """

    rate: float = option(
        0.0,
        "images a second; 0: a video's own rate, 1 for pictures, every image of a camera or stream",
        bounds=(0.0, 1000.0),
    )
    loop: bool = option(
        True,
        "start again at the end of a video or of the pictures; false: wait for a subscriber, show "
        "them once and end the node",
    )
    width: int = option(
        0,
        "pixels; a camera is asked for this width and may give another, other sources are scaled "
        "to it; 0: unchanged, or in proportion to the height",
        bounds=(0, 65_535),
    )
    height: int = option(0, "pixels; see width", bounds=(0, 65_535))
    pixel_format: str = option(
        "",
        "four letters that a camera is asked for, such as MJPG, in which many cameras give more "
        "images a second at large sizes; empty: the camera's default",
    )
    stream_timeout: float = option(
        10.0,
        "seconds that a stream may take to open, and to deliver each image",
        bounds=(0.1, 600.0),
    )

    def __post_init__(self) -> None:
        """Raise InvalidRequestError for a value out of bounds or a malformed pixel format."""
        check_options(self)
        if self.pixel_format and not re.fullmatch("[ -~]{4}", self.pixel_format):
            raise InvalidRequestError(
                f"pixel_format: expected four letters such as MJPG or YUYV, "
                f"got {self.pixel_format!r}"
            )


@dataclass(frozen=True, slots=True)
class LazyImage:
    """One image of a source, decoded only on demand; use it before you take the next one.

    name     for people: the file name, or the number of the frame
    read     returns the pixels; raises ImageError
    picture  returns the file as it is, if it shows the same pixels upright, else None; saves
             encoding the pixels again
    """

    name: str
    read: Callable[[], Image]
    picture: Callable[[], Picture | None] = lambda: None


class Source(ABC):
    """A place that images come from.

    title  what the source is, for people
    """

    title: str

    def open(self) -> None:  # noqa: B027 (most sources have nothing to open)
        """Open what only one process can use, so that its errors show here.

        Raises SourceError.
        """

    @abstractmethod
    def images(self, stop: threading.Event) -> Iterator[LazyImage]:
        """Yield one image after the other, each when it is due, until ``stop`` is set.

        The iterator ends by itself only after the last image of a source that does not loop. A
        source that is lost (a camera unplugged, a stream cut off) is logged and tried again, with
        growing pauses. Raises SourceUnreadableError if the source has no image that can be read.
        """

    def close(self) -> None:  # noqa: B027
        """Close what ``open`` opened. May be called more than once.

        ``images`` closes what it uses by itself.
        """


def scaled(image: Image, options: SourceOptions) -> Image:
    """Return ``image`` in the size that the options ask for; the same array if it has that size."""
    height, width = image.shape[:2]
    # A side that is not given is in proportion to the other one.
    wide = options.width or (options.height or height) * width / height
    high = options.height or (options.width or width) * height / width
    wanted = max(1, round(wide)), max(1, round(high))
    if wanted == (width, height):
        return image
    # INTER_AREA averages all pixels that merge into one, so fine patterns do not flicker.
    method = cv2.INTER_AREA if wanted[0] < width else cv2.INTER_LINEAR
    return cv2.resize(image, wanted, interpolation=method).astype(np.uint8, copy=False)


class Pace:
    """Keeps a rate without drift.

    ``wait`` is for sources whose images are always ready. ``due`` is for live sources, whose
    images come when they come: it tells which of them to take.
    """

    def __init__(
        self, rate: float, stop: threading.Event, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Start now. ``rate`` is in Hz; 0: no limit."""
        self._period = 1 / rate if rate else 0.0
        self._stop = stop
        self._clock = clock
        self._next = clock()

    def wait(self, gap: float | None = None) -> bool:
        """Wait until the next image is due; return False once ``stop`` is set.

        ``gap`` is its distance from the image before, in seconds; None: that of the rate. A caller
        that is late by more than that does not catch up: counting starts again there.
        """
        gap = self._period if gap is None else gap
        due = self._next + gap - self._period
        now = self._clock()
        if now < due:
            self._stop.wait(due - now)
        else:
            due = max(due, now - gap)
        self._next = due + self._period
        return not self._stop.is_set()

    def due(self) -> bool:
        """Return whether to take the image that has just come."""
        now = self._clock()
        # Up to half a period early counts as on time, so that a camera of the same rate, which is
        # never quite regular, loses no image.
        if now < self._next - self._period / 2:
            return False
        self._next = max(self._next, now - self._period) + self._period
        return True
