"""Moving images, read through OpenCV: video files, cameras, streams, GStreamer pipelines."""

from __future__ import annotations

import logging
import math
import re
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import cv2
import numpy as np

from i2t_ros.errors import SourceError, SourceLostError, SourceUnreadableError, TruncatedImageError
from i2t_ros.sources.base import LazyImage, SourceOptions, scaled
from i2t_ros.sources.devices import why_closed
from i2t_ros.sources.pace import Pace
from i2t_ros.types import Image

PAUSES = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
"""Seconds to wait before each attempt to reconnect; the last value repeats."""
USUAL_RATE = 25.0
"""Hz, for a video file that does not tell its frame rate."""

_log = logging.getLogger(__name__)


class VideoSource:
    """Anything that OpenCV's VideoCapture reads.

    connect      opens the capture; raises SourceError
    reconnects   whether to connect again after the source is lost
    opens_early  whether ``open`` connects, so that a missing source fails at the start
    """

    def __init__(
        self,
        title: str,
        connect: Callable[[], cv2.VideoCapture],
        options: SourceOptions,
        *,
        reconnects: bool = False,
        opens_early: bool = False,
    ) -> None:
        """Store the arguments; nothing is opened yet."""
        self.title = title
        self._connect = connect
        self._options = options
        self._reconnects = reconnects
        self._opens_early = opens_early
        self._opened: cv2.VideoCapture | None = None
        self._pace: Pace | None = None

    def open(self) -> None:
        """Connect for the first round of ``images``; see Source.open."""
        self.close()
        if self._opens_early:
            self._opened = self._connect()

    def close(self) -> None:
        """Close what ``open`` opened."""
        if self._opened is not None:
            self._opened.release()
            self._opened = None

    def images(self, stop: threading.Event) -> Iterator[LazyImage]:
        """Yield one frame after the other; see Source.images."""
        failures = 0
        self._pace = None
        while not stop.is_set():
            try:
                for image in self._play(stop):
                    if failures:
                        _log.info("%s: images arrive again", self.title)
                        failures = 0
                    yield image
            except SourceError as error:
                if not self._reconnects:
                    raise
                pause = PAUSES[min(failures, len(PAUSES) - 1)]
                _log.warning("%s; trying again in %g s", error, pause)
                failures += 1
                stop.wait(pause)
            else:
                if not self._options.loop:
                    return

    def _play(self, stop: threading.Event) -> Iterator[LazyImage]:
        """Yield the frames of one round; raises SourceError unless the video ends normally."""
        capture, self._opened = self._opened or self._connect(), None
        try:
            # A stream of a file is not live: it has a length and comes as fast as it is read.
            live = self._reconnects and not _frames_of(capture)
            rate = self._options.rate or (0.0 if live else _rate_of(capture))
            pace = self._pace = self._pace or Pace(rate, stop)
            number = 0
            while not stop.is_set():
                if not capture.grab():
                    break
                number += 1
                if pace.due() if live else pace.wait():
                    yield LazyImage(f"frame {number}", partial(self._read, capture, number))
        finally:
            capture.release()
        if stop.is_set():
            return
        if live:
            raise SourceLostError(f"{self.title}: lost after {number} images")
        if not number:
            raise SourceUnreadableError(f"{self.title}: none of its images can be read")

    def _read(self, capture: cv2.VideoCapture, number: int) -> Image:
        done, image = capture.retrieve()
        if not done or image is None:
            raise TruncatedImageError(f"{self.title}: frame {number} cannot be decoded")
        return scaled(_as_bgr(image), self._options)


def file_source(path: Path, options: SourceOptions) -> VideoSource:
    """Return the source of a video file; raises SourceUnreadableError for any other file."""
    title = f"video {path.absolute()}"

    def connect() -> cv2.VideoCapture:
        _check_not_text(path)
        return _opened(title, "not a video", str(path.absolute()), cv2.CAP_ANY)

    connect().release()
    return VideoSource(title, connect, options)


def camera_source(path: Path, options: SourceOptions) -> VideoSource:
    """Return the source of a camera that is connected to this machine."""
    title = f"camera {path}"

    def connect() -> cv2.VideoCapture:
        if not path.exists():
            raise SourceLostError(f"{title}: not connected")
        capture = cv2.VideoCapture(str(path), cv2.CAP_V4L2)
        if not capture.isOpened():
            raise SourceUnreadableError(f"{title}: cannot be opened: {why_closed(path)}")
        _set_up_camera(capture, options)
        if not capture.grab():
            capture.release()
            raise SourceLostError(f"{title}: gives no images: {why_closed(path)}")
        _warn_of_other_size(title, capture, options)
        return capture

    # Images keep the size that the camera gives, even if it is not the size asked for: scaled
    # images would no longer match the camera's calibration.
    unscaled = SourceOptions(rate=options.rate, loop=True)
    return VideoSource(title, connect, unscaled, reconnects=True, opens_early=True)


def stream_source(url: str, options: SourceOptions) -> VideoSource:
    """Return the source of a stream, which may come up later."""
    milliseconds = round(1000 * options.stream_timeout)
    limits = [
        *(cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, milliseconds),
        *(cv2.CAP_PROP_READ_TIMEOUT_MSEC, milliseconds),
    ]
    title = f"stream {_without_password(url)}"
    connect = partial(_opened, title, "it does not answer", url, cv2.CAP_FFMPEG, limits)
    return VideoSource(title, connect, options, reconnects=True)


def pipeline_source(text: str, options: SourceOptions) -> VideoSource:
    """Return the source of a GStreamer pipeline, which the CSI cameras of a Jetson need.

    Raises SourceUnreadableError if OpenCV was built without GStreamer.
    """
    if not re.search(r"GStreamer:\s+YES", cv2.getBuildInformation()):
        raise SourceUnreadableError(
            f"pipeline {text!r}: this OpenCV ({cv2.__version__}) was built without GStreamer; "
            "the OpenCV of apt (python3-opencv) and of JetPack have it"
        )
    why = "GStreamer cannot start it; does it end in appsink?"
    connect = partial(_opened, f"pipeline {text!r}", why, text, cv2.CAP_GSTREAMER)
    return VideoSource(f"pipeline {text!r}", connect, options, reconnects=True, opens_early=True)


def _opened(
    title: str, failure: str, name: str, api: int, settings: list[int] | None = None
) -> cv2.VideoCapture:
    """Return an open capture, or raise SourceUnreadableError with ``failure`` as the reason."""
    capture = cv2.VideoCapture(name, api, settings or [])
    if not capture.isOpened():
        raise SourceUnreadableError(f"{title}: {failure}")
    return capture


def _set_up_camera(capture: cv2.VideoCapture, options: SourceOptions) -> None:
    # Set the format first: which sizes and rates a camera has may depend on it.
    if options.pixel_format:
        capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*options.pixel_format))
    for setting, value in (
        (cv2.CAP_PROP_FRAME_WIDTH, options.width),
        (cv2.CAP_PROP_FRAME_HEIGHT, options.height),
        (cv2.CAP_PROP_FPS, options.rate),
    ):
        if value:
            capture.set(setting, value)
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # a queued image is an old image


def _warn_of_other_size(title: str, capture: cv2.VideoCapture, options: SourceOptions) -> None:
    has = (
        round(capture.get(cv2.CAP_PROP_FRAME_WIDTH)),
        round(capture.get(cv2.CAP_PROP_FRAME_HEIGHT)),
    )
    wants = options.width or has[0], options.height or has[1]
    if has != wants:
        _log.warning("%s: asked for %dx%d, the camera gives %dx%d", title, *wants, *has)


def _frames_of(capture: cv2.VideoCapture) -> int:
    """Return the number of frames in all; 0 for a live source."""
    frames = capture.get(cv2.CAP_PROP_FRAME_COUNT)
    return int(frames) if 0 < frames < math.inf else 0


def _rate_of(capture: cv2.VideoCapture) -> float:
    rate = capture.get(cv2.CAP_PROP_FPS)
    return rate if 0 < rate <= 1000 else USUAL_RATE


def _as_bgr(image: np.ndarray) -> Image:
    if image.ndim == 2 or image.shape[2] == 1:
        image = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
    return np.ascontiguousarray(image, np.uint8)


def _check_not_text(path: Path) -> None:
    """Raise SourceUnreadableError for text, which FFmpeg would render as a terminal shows it."""
    try:
        with path.open("rb") as file:
            head = file.read(512)
    except OSError as error:
        raise SourceUnreadableError(f"{path.absolute()}: {error.strerror}") from error
    playlist = head.startswith((b"#EXTM3U", b"ffconcat", b"v=0"))
    if not playlist and not any(byte < 9 or 13 < byte < 27 for byte in head):
        raise SourceUnreadableError(f"{path.absolute()}: not a video, but text, or empty")


def _without_password(url: str) -> str:
    """Return a URL without user name and password, fit for a log."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
