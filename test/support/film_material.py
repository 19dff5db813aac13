"""Videos whose every frame tells its number, made by PyAV; and what reads them to the end."""

import struct
from dataclasses import dataclass
from fractions import Fraction
from hashlib import sha256

import cv2
import numpy as np
import pytest

pytest.importorskip("av")
import av

from i2t_ros.recordings.base import SECOND, Damage, RecordedImage, Selection

SIZE = 96, 64
STEP = 8
LEVELS = 28
"""Of gray, from 20 to 236: as many frames can be told apart."""


def frame_of(number, size=SIZE):
    """Return a frame whose left half tells its number; the right half tells left, top and color."""
    width, height = size
    image = np.full((height, width, 3), 20 + STEP * (number % LEVELS), np.uint8)
    image[: height // 2, width // 2 :] = (0, 0, 220)
    image[height // 2 :, width // 2 :] = (220, 60, 0)
    return image


def number_of(image):
    """Return the number that the left half of a frame tells."""
    return round((float(image[:, : image.shape[1] // 3].mean()) - 18) / STEP)


@dataclass(frozen=True)
class Film:
    """How a video is made; what is not given is what most videos have.

    ticks   of each frame, in units of ``base``
    """

    codec: str = "libx264"
    ticks: tuple = tuple(range(28))
    base: Fraction = Fraction(1, 10)
    size: tuple = SIZE
    gop: int = 5
    pixels: str = "yuv420p"
    colors: int | None = None
    range: int | None = None
    options: tuple = ()

    def write(self, path, **container):
        """Write the video, and return its path."""
        with av.open(str(path), "w", **container) as output:
            stream = output.add_stream(self.codec, rate=round(1 / self.base))
            context = stream.codec_context
            stream.width, stream.height = self.size
            stream.pix_fmt, context.time_base, context.gop_size = self.pixels, self.base, self.gop
            context.options = {"threads": "1", **dict(self.options)}
            if self.colors:
                context.colorspace, context.color_range = self.colors, self.range
            for number, ticks in enumerate(self.ticks):
                output.mux(stream.encode(self._frame(number, ticks)))
            output.mux(stream.encode())
        return path

    def _frame(self, number, ticks):
        frame = av.VideoFrame.from_ndarray(frame_of(number, self.size), format="bgr24")
        frame = frame.reformat(
            format=self.pixels, dst_colorspace=self.colors, dst_color_range=self.range
        )
        frame.pts, frame.time_base = ticks, self.base
        return frame

    @property
    def times(self):
        """Nanoseconds of each frame from the first one."""
        return [int((ticks - self.ticks[0]) * self.base * SECOND) for ticks in self.ticks]


def read(recording, selection=None, length=30 * SECOND, spans=None):
    """Return (time, SHA-256 of the pixels) of all images, or (time, words) of a damage."""
    selection = selection or Selection()
    spans = recording.spans(selection, length) if spans is None else spans
    return [
        (item.time, item.what)
        if isinstance(item, Damage)
        else (item.time, sha256(item.read().tobytes()).hexdigest())
        for span in spans
        for item in recording.items(span, selection)
    ]


def numbers(recording, selection=None, length=30 * SECOND):
    """Return (time, number) of all images; of a damage, the number is None."""
    selection = selection or Selection()
    return [
        (item.time, number_of(item.read()) if isinstance(item, RecordedImage) else None)
        for span in recording.spans(selection, length)
        for item in recording.items(span, selection)
    ]


def by_opencv(path):
    """Return the frames of a video as OpenCV reads them."""
    capture, frames = cv2.VideoCapture(str(path)), []
    while (found := capture.read())[0]:
        frames.append(found[1])
    capture.release()
    return frames


def kinds():
    """Return (ending, film) of formats that people have."""
    reordered = ("bf", "2"), ("qmax", "2")  # sharp enough for number_of
    television = Film("mpeg2video", base=Fraction(1, 25), options=reordered)
    return {
        "mp4": Film(),
        "mp4 without B-frames": Film(options=(("bf", "0"),)),
        "mp4 with open groups": Film(options=(("x264-params", "open-gop=1:bframes=3"),)),
        "mp4 with intra refresh": Film(gop=8, options=(("x264-params", "intra-refresh=1"),)),
        "ts": Film(),
        "mkv": Film(),
        "webm": Film("libvpx"),
        "avi": Film("mjpeg", pixels="yuvj420p"),
        "avi of mpeg4": Film("mpeg4", options=reordered),
        "avi of h264": Film(),
        "mov": Film("mpeg4", options=reordered),
        "mpg": television,
        "flv": Film("flv1"),
        "nut": Film(),
        "ts of mpeg2": television,
        "mp4 of h265": Film(
            "libx265", size=(192, 128), options=(("x265-params", "log-level=none:pools=1"),)
        ),
        "webm of vp9": Film("libvpx-vp9", options=(("auto-alt-ref", "1"), ("lag-in-frames", "9"))),
        "h264": Film(base=Fraction(1, 25)),
        "mjpeg": Film("mjpeg", pixels="yuvj420p", base=Fraction(1, 25)),
    }


def turned(source, target, degrees):
    """Write a video again, with a display matrix that turns it to the left; return its path."""
    data = bytearray(source.read_bytes())
    cosine, sine = {0: (1, 0), 90: (0, 1), 180: (-1, 0), 270: (0, -1)}[degrees]
    matrix = struct.pack(
        ">9i", cosine << 16, -sine << 16, 0, sine << 16, cosine << 16, 0, 0, 0, 1 << 30
    )
    unturned = struct.pack(">9i", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
    place = data.index(unturned, data.index(b"tkhd"))  # of the track, after that of the movie
    data[place : place + len(matrix)] = matrix
    target.write_bytes(data)
    return target
