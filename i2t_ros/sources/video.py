"""Moving images, read through OpenCV: video files, cameras, streams, GStreamer pipelines."""

import logging
import math
import mimetypes
import os
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import cv2
import numpy as np
from numpy.typing import NDArray

from i2t_ros.errors import SourceError, SourceLostError, SourceUnreadableError, TruncatedImageError
from i2t_ros.sources.base import LazyImage, Pace, Source, SourceOptions, scaled
from i2t_ros.sources.devices import CameraDevice, why_closed
from i2t_ros.sources.pictures import is_picture
from i2t_ros.types import Image, Picture
from i2t_ros.vision.codecs import check_picture, is_upright
from i2t_ros.vision.headers import check_complete

PAUSES = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
"""Seconds to wait before each attempt to reconnect; the last value repeats."""
USUAL_RATE = 25.0
"""Hz, for a video file that does not tell its frame rate."""
LONGEST_GAP = 60.0
"""Seconds between two frames of a video; a longer one is taken for an error in its timestamps."""
MOTION_JPEG = cv2.VideoWriter.fourcc(*"MJPG")
JPEG_END = np.array([0xFF, 0xD9], np.uint8)
# What Python's table of media types lacks on some systems.
VIDEOS = frozenset({".avi", ".flv", ".m4v", ".mkv", ".mov", ".mp4", ".mpg", ".ts", ".webm", ".wmv"})
ENCODED = -1
"""The CAP_PROP_FORMAT in which OpenCV hands out frames as they arrive, without decoding them."""

_log = logging.getLogger(__name__)


@dataclass(eq=False)
class VideoSource(Source):
    """Anything that OpenCV's VideoCapture reads.

    connect         opens the capture; raises SourceError
    reconnects      whether to connect again after the source is lost
    opens_early     whether ``open`` connects, so that a missing source fails at the start
    may_be_encoded  whether ``connect`` may set CAP_PROP_FORMAT to ENCODED
    """

    title: str
    connect: Callable[[], cv2.VideoCapture]
    options: SourceOptions
    reconnects: bool = False
    opens_early: bool = False
    may_be_encoded: bool = False
    _opened: cv2.VideoCapture | None = field(default=None, init=False)
    _pace: Pace | None = field(default=None, init=False)

    def open(self) -> None:
        """Connect for the first round of ``images``; see Source.open."""
        self.close()
        if self.opens_early:
            self._opened = self.connect()

    def close(self) -> None:
        """Close what ``open`` opened."""
        if self._opened is not None:
            self._opened.release()
            self._opened = None

    def images(self, stop: threading.Event) -> Iterator[LazyImage]:
        """Yield one frame after the other; see Source.images."""
        failures, shown = 0, False
        self._pace = None
        while not stop.is_set():
            try:
                for image in self._play(stop):
                    shown = True
                    if failures:
                        _log.info("%s: images arrive again", self.title)
                        failures = 0
                    yield image
            except SourceError as error:
                # A video that has been shown may be replaced by another one at the moment.
                if not (self.reconnects or (shown and self.options.loop)):
                    raise
                pause = PAUSES[min(failures, len(PAUSES) - 1)]
                _log.warning("%s; trying again in %g s", error, pause)
                failures += 1
                stop.wait(pause)
            else:
                if not self.options.loop:
                    return

    def _play(self, stop: threading.Event) -> Iterator[LazyImage]:
        """Yield the frames of one round; raises SourceError unless the video ends normally."""
        capture, self._opened = self._opened or self.connect(), None
        try:
            # A stream of a file is not live: it has a length and comes as fast as it is read.
            live = self.reconnects and not 0 < capture.get(cv2.CAP_PROP_FRAME_COUNT) < math.inf
            rate = self.options.rate or (0.0 if live else _rate_of(capture))
            pace = self._pace = self._pace or Pace(rate, stop)
            number, shown = 0, math.nan
            while not stop.is_set() and capture.grab():
                number += 1
                gap = None
                if not self.options.rate:  # as variable as the timestamps are
                    before, shown = shown, capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
                    gap = shown - before if 0 < shown - before < LONGEST_GAP else None
                if pace.due() if live else pace.wait(gap):
                    yield LazyImage(
                        f"frame {number}",
                        partial(self._read, capture, number),
                        partial(self._picture, capture, number),
                    )
        finally:
            capture.release()
        if stop.is_set():
            return
        if live:
            raise SourceLostError(f"{self.title}: lost after {number} images")
        if not number:
            raise SourceUnreadableError(f"{self.title}: none of its images can be read")

    def _read(self, capture: cv2.VideoCapture, number: int) -> Image:
        image = self._retrieve(capture, number)
        if self._gives_pictures(capture):
            check_picture(Picture(image.data))
            # Not decode_image: as in any video, what a damaged frame still shows is shown. OpenCV
            # reads a frame that is cut only if it has an end.
            decoded = cv2.imdecode(image, cv2.IMREAD_COLOR)
            if decoded is None:
                whole = np.append(image, JPEG_END)
                decoded = cv2.imdecode(whole, cv2.IMREAD_COLOR)
            if decoded is None:
                raise self._damaged(number)
            image = np.asarray(decoded, np.uint8)
        return scaled(as_bgr(image), self.options)

    def _picture(self, capture: cv2.VideoCapture, number: int) -> Picture | None:
        if self.options.width or self.options.height or not self._gives_pictures(capture):
            return None
        picture = Picture(self._retrieve(capture, number).tobytes())
        try:
            check_complete(picture.data, check_picture(picture).format)
        except TruncatedImageError:
            return None
        return picture if is_upright(picture) else None

    def _retrieve(self, capture: cv2.VideoCapture, number: int) -> Image:
        done, image = capture.retrieve()
        if not done or image is None:
            raise self._damaged(number)
        return np.asarray(image, np.uint8)

    def _gives_pictures(self, capture: cv2.VideoCapture) -> bool:
        """Return whether each frame is retrieved as an encoded picture, see _open_stream."""
        return self.may_be_encoded and capture.get(cv2.CAP_PROP_FORMAT) == ENCODED

    def _damaged(self, number: int) -> TruncatedImageError:
        return TruncatedImageError(f"{self.title}: frame {number} cannot be decoded")


def as_bgr(image: NDArray[Any]) -> Image:
    """Return a decoded frame with three channels, as the rest of the package expects it."""
    if image.ndim == 2 or image.shape[2] == 1:
        image = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
    return np.ascontiguousarray(image, np.uint8)


def file_source(path: Path, options: SourceOptions) -> VideoSource:
    """Return the source of a video file; raises SourceUnreadableError for any other file."""
    _open_file(path).release()
    return VideoSource(f"video {path.absolute()}", partial(_open_file, path), options)


def is_video(name: str) -> bool:
    """Return whether a file is a video, by its name; one that begins like a picture is none."""
    path = Path(name)
    kind = mimetypes.guess_type(path.name)[0] or ""
    if not kind.startswith("video/") and path.suffix.lower() not in VIDEOS:
        return False
    return os.path.isfile(name) and not is_picture(path)


def frames_every(path: Path, seconds: float) -> Iterator[tuple[float, Image]]:
    """Yield a frame of a video file for every so many seconds, and its time in seconds.

    As fast as they can be decoded; the frames between them are not converted. Raises
    SourceUnreadableError.
    """
    capture = _open_file(path)
    try:
        rate, number, due = _rate_of(capture), 0, 0.0
        while capture.grab():
            # A variable rate shows in the frame's own time, which some formats lack.
            at = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000 or number / rate
            number += 1
            if at < due - 1e-6:
                continue
            done, image = capture.retrieve()
            if done and image is not None:
                yield at, as_bgr(image)
                due += seconds * (1 + max(0.0, at - due) // seconds)
        if not due:  # nothing was yielded
            raise SourceUnreadableError(f"video {path.absolute()}: none of its images can be read")
    finally:
        capture.release()


def camera_source(path: Path, options: SourceOptions) -> VideoSource:
    """Return the source of a camera that is connected to this machine."""
    title = f"camera {path}"
    # Images keep the size that the camera gives, even if it is not the size asked for: scaled
    # images would no longer match the camera's calibration.
    unscaled = SourceOptions(rate=options.rate, loop=True)
    device = CameraDevice(path)
    device.now()  # it may have another number when it is opened
    connect = partial(_open_camera, title, device, options)
    return VideoSource(title, connect, unscaled, reconnects=True, opens_early=True)


def stream_source(url: str, options: SourceOptions) -> VideoSource:
    """Return the source of a stream, which may come up later."""
    milliseconds = round(1000 * options.stream_timeout)
    settings = (cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, cv2.CAP_PROP_READ_TIMEOUT_MSEC)
    limits = [number for setting in settings for number in (setting, milliseconds)]
    parts = urlsplit(url)  # a log must not show the user name and password
    title = f"stream {parts._replace(netloc=parts.netloc.rpartition('@')[2]).geturl()}"
    connect = partial(_open_stream, title, url, limits)
    return VideoSource(title, connect, options, reconnects=True, may_be_encoded=True)


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
    connect = partial(_open_capture, f"pipeline {text!r}", why, text, cv2.CAP_GSTREAMER)
    return VideoSource(f"pipeline {text!r}", connect, options, reconnects=True, opens_early=True)


def _open_capture(
    title: str, failure: str, name: str, api: int, settings: list[int] | None = None
) -> cv2.VideoCapture:
    """Return an open capture, or raise SourceUnreadableError with ``failure`` as the reason."""
    capture = cv2.VideoCapture(name, api, settings or [])
    if not capture.isOpened():
        raise SourceUnreadableError(f"{title}: {failure}")
    return capture


def _open_file(path: Path) -> cv2.VideoCapture:
    check_not_text(path)
    name = str(path.absolute())
    return _open_capture(f"video {name}", "not a video", name, cv2.CAP_ANY)


def _rate_of(capture: cv2.VideoCapture) -> float:
    rate = capture.get(cv2.CAP_PROP_FPS)
    return rate if 0 < rate <= 1000 else USUAL_RATE


def _open_stream(title: str, url: str, limits: list[int]) -> cv2.VideoCapture:
    capture = _open_capture(title, "it does not answer", url, cv2.CAP_FFMPEG, limits)
    # OpenCV squeezes every frame into the size of the first one. Motion JPEG is a row of pictures,
    # and need not be decoded by it.
    if capture.get(cv2.CAP_PROP_FOURCC) == MOTION_JPEG:
        capture.set(cv2.CAP_PROP_FORMAT, ENCODED)
    return capture


def _open_camera(title: str, device: CameraDevice, options: SourceOptions) -> cv2.VideoCapture:
    path = device.now()
    if path is None:
        raise SourceLostError(f"{title}: not connected")
    capture = cv2.VideoCapture(str(path), cv2.CAP_V4L2)
    if not capture.isOpened():
        raise SourceUnreadableError(f"{title}: cannot be opened: {why_closed(path)}")
    # Set the format first: which sizes and rates a camera has may depend on it.
    if options.pixel_format:
        capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*options.pixel_format))
    for setting, value in (
        (cv2.CAP_PROP_FRAME_WIDTH, options.width),
        (cv2.CAP_PROP_FRAME_HEIGHT, options.height),
        (cv2.CAP_PROP_FPS, options.rate),
        (cv2.CAP_PROP_BUFFERSIZE, 1),  # a queued image is an old image
    ):
        if value:
            capture.set(setting, value)
    if not capture.grab():
        capture.release()
        raise SourceLostError(f"{title}: gives no images: {why_closed(path)}")
    sides = cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT
    has = tuple(round(capture.get(side)) for side in sides)
    wants = options.width or has[0], options.height or has[1]
    if has != wants:
        _log.warning("%s: asked for %dx%d, the camera gives %dx%d", title, *wants, *has)
    return capture


def check_not_text(path: Path) -> None:
    """Raise SourceUnreadableError for text, which FFmpeg would render as a terminal shows it."""
    try:
        with path.open("rb") as file:
            head = file.read(512)
    except OSError as error:
        raise SourceUnreadableError(f"{path.absolute()}: {error.strerror}") from error
    playlist = head.startswith((b"#EXTM3U", b"ffconcat", b"v=0"))
    if not playlist and not any(byte < 9 or 13 < byte < 27 for byte in head):
        raise SourceUnreadableError(f"{path.absolute()}: not a video, but text, or empty")
