"""The annotated form of a video: annotated.mp4, which browsers and phones play."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from i2t_ros.errors import BackendMissingError, BackendUnavailableError, InvalidRequestError
from i2t_ros.installation import how_to_install
from i2t_ros.pipeline.telling import draw
from i2t_ros.recordings.base import SECOND, RecordedImage, Recording
from i2t_ros.recordings.reading.opening import import_av
from i2t_ros.recordings.reading.videos import VideoRecording
from i2t_ros.recordings.rendering.base import Renderer
from i2t_ros.recordings.work.job import Unit
from i2t_ros.recordings.writing.base import Stream, Telling, Told
from i2t_ros.types import Image

LONGEST_SIDE = 1920
"""Pixels; larger images are drawn smaller, so that every phone plays them."""
SHORTEST_SIDE = 16
"""Pixels; the encoder's blocks are as large."""
TICKS = 90_000
"""Of a second: times in the file are in these, in which usual frame rates are whole numbers."""
ENCODER = "libx264"
SETTINGS = {
    "preset": "superfast",
    "crf": "23",
    "bf": "0",  # no image needs a later one: pieces can be put one after the other
    "threads": "1",  # with more of them, the bytes depend on their number
    "x264-params": "subme=0:8x8dct=0",  # 1.7 ms for 640x480 in place of 2.3, at the same size
}
CONTAINER = {
    "fflags": "bitexact",  # no versions in the file
    "movie_timescale": str(TICKS),
    "video_track_timescale": str(TICKS),
}
COLORS = {"colorspace": 6, "color_primaries": 6, "color_trc": 6, "color_range": 1}
"""FFmpeg's numbers of SMPTE 170M with limited range, into which OpenCV converts."""


class VideoRenderer(Renderer):
    """Each described image with what was found drawn on it, at its own time.

    A part is a video, whose times are those of the whole one.
    """

    ending = "mp4"

    def __init__(self, recording: Recording, streams: Sequence[Stream], telling: Telling) -> None:
        """See Renderer; ``recording`` is a video."""
        super().__init__(recording, streams, telling)
        self._av = import_av()
        if ENCODER not in self._av.codecs_available:
            raise BackendMissingError(
                f"an annotated video needs the H.264 encoder {ENCODER}, which the FFmpeg of the "
                f"installed PyAV lacks; the one of PyPI has it: {how_to_install('recordings')}"
            )

    def part(self, unit: Unit, told: Sequence[Told], file: Path) -> None:
        """See Renderer.part."""
        file.write_bytes(b"")
        if not told:
            return
        by_time = {one.time: one for one in told}
        with closing(_Piece(self._av, file, canvas_of(self._size()))) as piece:
            for item in self.recording.items(unit.span, self.telling.selection):
                one = by_time.get(item.time)
                if one is not None and one.time is not None and isinstance(item, RecordedImage):
                    piece.add(self._drawn(item, one, piece.size), one.time)

    def _size(self) -> tuple[int, int]:
        video = self.recording.here()
        if not isinstance(video, VideoRecording):
            raise InvalidRequestError(f"expected a video to annotate, got {video.kind}")
        return video.size()

    def join(self, parts: Sequence[Path]) -> Sequence[Path]:
        """See Renderer.join. The last image is shown for as long as the one before it."""
        pieces = [part for part in parts if part.stat().st_size]
        if not pieces:
            return []
        path = self.telling.path("annotated", "mp4", self.streams[0])
        with _as_os_error(self._av), _mp4(self._av, path, {"movflags": "faststart"}) as output:
            waiting, track, how = None, None, b""
            for packet, stream in self._packets(pieces):
                if track is None:
                    track = output.add_stream_from_template(stream)
                    track.time_base = Fraction(1, TICKS)
                    how = stream.codec_context.extradata
                if stream.codec_context.extradata != how:
                    raise BackendUnavailableError(
                        f"{path.name}: its parts were encoded by different versions of {ENCODER}; "
                        "use the same version of PyAV everywhere, and begin again"
                    )
                packet.duration = TICKS  # a single image is shown for a second
                if waiting is not None:
                    packet.duration = waiting.duration = packet.pts - waiting.pts
                    output.mux(waiting)
                packet.stream, waiting = track, packet
            output.mux(waiting)
        return [path]

    def _drawn(self, item: RecordedImage, told: Told, canvas: tuple[int, int]) -> Image:
        image = fitted(item.read(), canvas)
        return framed(draw(image, told.description.scene, self.telling.options), canvas)

    def _packets(self, pieces: Sequence[Path]) -> Iterator[tuple[Any, Any]]:
        for piece in pieces:
            with self._av.open(str(piece.absolute()), format="mp4") as source:
                stream = source.streams.video[0]
                for packet in source.demux(stream):
                    if packet.size:
                        yield packet, stream


class _Piece:
    """Encodes images into a file; without any, the file stays as it is."""

    def __init__(self, av: Any, file: Path, size: tuple[int, int]) -> None:
        self.size = size
        self._av = av
        self._file = file
        self._output: Any = None
        self._stream: Any = None
        self._ticks = -1

    def add(self, image: Image, time: int) -> None:
        """Add an image as large as the piece; ``time`` is in nanoseconds. Raises OSError."""
        with _as_os_error(self._av):
            if self._output is None:
                self._open()
            yuv = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2YUV_I420), np.uint8)
            frame = self._av.VideoFrame.from_ndarray(yuv, format="yuv420p")
            self._ticks = max(self._ticks + 1, (time * TICKS + SECOND // 2) // SECOND)
            frame.pts, frame.time_base = self._ticks, Fraction(1, TICKS)
            self._output.mux(self._stream.encode(frame))

    def close(self) -> None:
        """Complete the file; raises OSError."""
        if self._output is not None:
            with _as_os_error(self._av), self._output:
                self._output.mux(self._stream.encode())

    def _open(self) -> None:
        self._output = _mp4(self._av, self._file, {})
        self._stream = self._output.add_stream(ENCODER, rate=30)
        self._stream.width, self._stream.height = self.size
        self._stream.pix_fmt = "yuv420p"
        context = self._stream.codec_context
        context.time_base, context.thread_count = Fraction(1, TICKS), 1
        context.options = SETTINGS
        for name, value in COLORS.items():
            setattr(context, name, value)


def canvas_of(size: tuple[int, int]) -> tuple[int, int]:
    """Return the size of the annotated video of images of a size, in pixels.

    Its sides are even, because there is one color for two by two pixels.
    """
    scale = min(1.0, LONGEST_SIDE / max(size))
    width, height = (max(SHORTEST_SIDE, -(-round(side * scale) // 2) * 2) for side in size)
    return width, height


def fitted(image: Image, canvas: tuple[int, int]) -> Image:
    """Return an image as large as fits on a canvas; one that is a pixel smaller stays as it is."""
    height, width = image.shape[:2]
    if all(0 <= side - own <= 1 for side, own in zip(canvas, (width, height), strict=True)):
        return image
    scale = min(canvas[0] / width, canvas[1] / height)
    sides = max(1, round(width * scale)), max(1, round(height * scale))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, sides, interpolation=how), np.uint8)


def framed(image: Image, canvas: tuple[int, int]) -> Image:
    """Return an image in the middle of a canvas, with black bars or a line twice."""
    across, down = canvas[0] - image.shape[1], canvas[1] - image.shape[0]
    if not across and not down:
        return image
    top, left = down // 2, across // 2
    how = cv2.BORDER_REPLICATE if max(across, down) == 1 else cv2.BORDER_CONSTANT
    return np.asarray(
        cv2.copyMakeBorder(image, top, down - top, left, across - left, how), np.uint8
    )


def _mp4(av: Any, path: Path, options: dict[str, str]) -> Any:
    return av.open(str(path.absolute()), "w", format="mp4", options=CONTAINER | options)


@contextmanager
def _as_os_error(av: Any) -> Iterator[None]:
    """Turn FFmpeg's errors, such as a full disk, into OSError."""
    try:
        yield
    except av.FFmpegError as error:
        raise OSError(error.errno, f"FFmpeg: {error.strerror}", error.filename) from error
