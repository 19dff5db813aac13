"""What is told of recordings, and the seam between those who tell it and those who write it."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from i2t_ros.pipeline.describe_options import DescribeOptions
from i2t_ros.recordings.base import Damage, Selection
from i2t_ros.types import Description


@dataclass(frozen=True, slots=True)
class Stream:
    """The images of one topic of a recording; of a video or of a folder, all of them.

    recording  which of the recordings it is of, from 0
    kind       of the recording: "bag", "video" or "pictures"
    source     the recording's path or URL, as the user named it
    topic      of a bag; else empty
    name       for files and people, no two alike: "drive" or "drive.camera-front-image_raw"
    begin      of the recording, nanoseconds since 1970; None: nothing tells
    """

    recording: int
    kind: str
    source: str
    topic: str
    name: str
    begin: int | None

    @property
    def timed(self) -> bool:
        """Whether its images have times; pictures have none."""
        return self.kind != "pictures"


@dataclass(frozen=True, eq=False, slots=True)
class Told:
    """One image of a stream, and all that is known of it.

    number       among the images of the stream that were described, from 0
    source       the file, or the bag, that it is from
    time         nanoseconds from the beginning of the recording; None: a picture has none
    stamp        nanoseconds since 1970, of the message's header; None: no clock tells it
    frame_id     of the message's header
    description  with track ids, if objects are tracked
    found        the same, as description_to_json() writes it
    thumbnail    a small JPEG of the image; empty: there is one only if the objects in the image
                 before were others. The first image of a Moment has what was found drawn on it
    """

    stream: Stream
    number: int
    source: str
    time: int | None
    stamp: int | None
    frame_id: str
    description: Description
    found: Mapping[str, Any]
    thumbnail: bytes = b""


@dataclass(frozen=True, eq=False, slots=True)
class Run:
    """A time for which the number of objects of a class was the same, and not 0.

    Changes that last for less than recordings.moments.HOLD are left out.

    first  the image that began it
    end    nanoseconds from the beginning of the recording: when the number was another one, or
           when the last image was taken
    """

    stream: Stream
    class_id: str
    count: int
    first: Told
    end: int


@dataclass(frozen=True, eq=False, slots=True)
class Moment:
    """An image in which something has appeared, or is no longer seen.

    first    the image, the first one of what lasts
    changes  class -> how many there were before, and how many there are now; of a picture, all
             that it shows, beside 0
    """

    first: Told
    changes: Mapping[str, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Telling:
    """What writers know before the first image.

    streams    all that there will be, in order
    selection  what of the recordings was wanted
    options    how the images were described
    tracked    whether objects have track ids
    copy       what of a bag goes into the annotated one; see recordings.work.job.COPIES
    """

    streams: Sequence[Stream]
    selection: Selection
    options: DescribeOptions
    tracked: bool = False
    copy: str = "images"
    folder: Path = field(default_factory=Path)

    def path(self, stem: str, ending: str, stream: Stream | None = None) -> Path:
        """Return where a file goes, such as sentences.srt; a folder has no ending.

        If there are several streams, the file of one has its name in it: sentences.drive.srt.
        """
        name = f".{stream.name}" if stream and len(self.streams) > 1 else ""
        return self.folder / f"{stem}{name}.{ending}".removesuffix(".")


class Writer(ABC):
    """Writes one kind of file of everything that is told.

    It gets the recordings one after the other, and of each the images by time and then by topic. It
    keeps in memory no more than a bounded part of them. What it writes depends on nothing but what
    it is told: no clock, no names of machines, no order of hash tables.

    packages  what ``pip install`` must have brought; import it in ``__init__`` alone
    """

    @abstractmethod
    def __init__(self, telling: Telling) -> None:
        """Begin. Raises BackendMissingError if a package is missing, OSError if no file opens."""

    @abstractmethod
    def image(self, told: Told) -> None:
        """Take the next image."""

    def run(self, run: Run) -> None:  # noqa: B027 (most writers have no use for it)
        """Take a run that has ended; they come in the order of their ends."""

    def moment(self, moment: Moment) -> None:  # noqa: B027
        """Take a moment; it comes up to recordings.moments.HOLD after its image, in order."""

    def damage(self, damage: Damage) -> None:  # noqa: B027
        """Take a part of a recording that could not be read, or an image with no description."""

    @abstractmethod
    def close(self) -> None:
        """Complete the files. Called once, after the last image."""
