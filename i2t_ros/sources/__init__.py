"""Where images come from: cameras, video files, streams, folders of pictures, single pictures.

One line of text names a source, as people type it: ``/dev/video0``, ``film.mp4``,
``rtsp://camera/stream``, ``photos/``, ``photo.jpg``.
"""

import os
import re
from urllib.parse import unquote, urlsplit

from i2t_ros.errors import SourceMissingError
from i2t_ros.resources import expanded
from i2t_ros.sources.base import LazyImage, Source, SourceOptions
from i2t_ros.sources.devices import camera_of, is_device
from i2t_ros.sources.pictures import PictureSource, is_picture
from i2t_ros.sources.video import camera_source, file_source, pipeline_source, stream_source

__all__ = ["LazyImage", "Source", "SourceOptions", "open_source"]

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)


def open_source(text: str, options: SourceOptions | None = None) -> Source:
    """Return the source that ``text`` names; docs/nodes.md lists the forms that ``text`` can have.

    Source.open opens the device or pipeline, not this function. Raises SourceMissingError if the
    source does not exist, and SourceUnreadableError if it is not a source of images.
    """
    text = text.strip()
    options = options or SourceOptions()
    if not text:
        raise SourceMissingError(
            "no source: expected a camera such as /dev/video0, a video file, a stream's URL, a "
            "folder of pictures or a picture"
        )
    if re.search(r"\s!\s", text):
        return pipeline_source(text, options)
    if text.isdecimal():
        text = f"/dev/video{text}"
    elif text.lower().startswith("file://"):
        text = unquote(urlsplit(text).path)
    elif _SCHEME.match(text):
        return stream_source(text, options)
    path = expanded(text)
    if is_device(path):
        return camera_source(camera_of(path), options)
    if not os.path.exists(path):  # also False if a parent folder may not be read
        raise SourceMissingError(f"no such file or folder: {path.absolute()}")
    if path.is_dir() or is_picture(path):
        return PictureSource(path, options)
    return file_source(path, options)
