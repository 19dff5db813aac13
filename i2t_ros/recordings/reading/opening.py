"""How a video file is opened: nothing but the file itself, and nothing but moving images."""

import importlib
from pathlib import Path
from typing import Any

from i2t_ros.errors import SourceUnreadableError
from i2t_ros.installation import how_to_install
from i2t_ros.optional import needed_for

FORMATS = (
    "asf,avi,dv,flv,gif,h264,hevc,ivf,m4v,matroska,mjpeg,mov,mpeg,mpegts,mpegvideo,mxf,nut,obu,ogg,"
    "rm,vc1,webm,wtv,yuv4mpegpipe"
)
"""FFmpeg's names of what may be opened: no playlists and scripts, which name other files."""
LIMITS = {"protocol_whitelist": "file", "format_whitelist": FORMATS, "max_streams": "100"}
ATTACHED_PICTURE = 1024
"""FFmpeg's AV_DISPOSITION_ATTACHED_PIC: the cover of a piece of music is no film."""


def import_av() -> Any:
    """Return PyAV; raises BackendMissingError."""
    with needed_for("reading and writing videos", how_to_install("recordings")):
        return importlib.import_module("av")


def open_container(av: Any, path: str) -> Any:
    """Return FFmpeg's container of a file; raises SourceUnreadableError."""
    name = str(Path(path).absolute())  # a relative one may look like a URL
    try:
        return av.open(name, container_options=LIMITS)
    except av.FFmpegError as error:
        raise SourceUnreadableError(
            f"video {path}: not a video, or its beginning or its index is damaged or missing: "
            f"{error.strerror}"
        ) from error


def moving_images(container: Any, path: str) -> Any:
    """Return the stream of the film; raises SourceUnreadableError."""
    streams = [
        stream
        for stream in container.streams.video
        if not stream.disposition.value & ATTACHED_PICTURE
    ]
    if not streams:
        sound = "only sound" if container.streams.audio else "none"
        raise SourceUnreadableError(f"video {path}: expected moving images, there is {sound}")
    best = container.streams.best("video")
    stream = next(
        (one for one in streams if best is not None and one.index == best.index), streams[0]
    )
    if stream.codec_context is None:
        raise SourceUnreadableError(f"video {path}: nothing here decodes the format of its images")
    return stream
