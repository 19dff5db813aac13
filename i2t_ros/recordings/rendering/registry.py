"""Which renderer a recording gets."""

from i2t_ros.recordings.base import Recording
from i2t_ros.recordings.rendering.bags import BagRenderer
from i2t_ros.recordings.rendering.base import Renderer
from i2t_ros.recordings.rendering.pictures import PictureRenderer
from i2t_ros.recordings.rendering.videos import VideoRenderer
from i2t_ros.recordings.writing.base import Telling

RENDERERS: dict[str, type[Renderer]] = {
    "bag": BagRenderer,
    "video": VideoRenderer,
    "pictures": PictureRenderer,
}
"""By the kind of the recording."""


def renderer_of(recording: Recording, telling: Telling) -> Renderer:
    """Return what makes the annotated form of a recording; raises BackendMissingError."""
    streams = [stream for stream in telling.streams if stream.source == recording.path]
    return RENDERERS[recording.kind](recording, streams, telling)
