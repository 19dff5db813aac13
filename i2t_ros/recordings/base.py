"""What a recording is: the seam between those that are read and those who read them."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from i2t_ros.types import Image, Scene

SECOND = 1_000_000_000
"""Nanoseconds. Times and stamps are integers, so that they are exact."""


@dataclass(frozen=True, slots=True)
class RecordedImage:
    """One image of a recording, decoded on demand; use it before you take the next one.

    source    the file that it is from, or the bag, as the user would name it
    topic     of a bag; empty: a video or a picture has none
    time      nanoseconds from the beginning of the recording, by the recorder's clock; None: a
              picture has no time
    stamp     nanoseconds since 1970, of the message's header; None: no clock tells it
    frame_id  of the message's header
    read      returns the pixels; raises ImageError
    size      returns width and height of the picture, whose pixels a scene is in, if ``read`` may
              return a smaller image, as vision.codecs.decode_image() does; raises ImageError. None:
              ``read`` returns all pixels
    measure   returns the scene of this image with the positions of its objects; None: nothing
              measures them
    """

    source: str
    topic: str
    time: int | None
    stamp: int | None
    frame_id: str
    read: Callable[[], Image]
    size: Callable[[], tuple[int, int]] | None = None
    measure: Callable[[Scene], Scene] | None = None


@dataclass(frozen=True, slots=True)
class Damage:
    """A part of a recording that cannot be read.

    source  as in RecordedImage
    topic   empty if it may be any
    time    where it is, or begins, in nanoseconds from the beginning; None: it is not known
    what    for people: what is damaged, what was expected and what came
    """

    source: str
    topic: str
    time: int | None
    what: str


Recorded: TypeAlias = RecordedImage | Damage


@dataclass(frozen=True, slots=True)
class Selection:
    """Which images of a recording are wanted.

    topics  of a bag; none: every topic with images
    every   nanoseconds: the first image of each topic in each such period, counted from the
            beginning of the recording; 0: every image. It does not apply to pictures
    start   nanoseconds from the beginning of the recording
    end     the first nanosecond that is not wanted; None: up to the end
    """

    topics: tuple[str, ...] = ()
    every: int = 0
    start: int = 0
    end: int | None = None


class Span(NamedTuple):
    """A part of a recording: what is worked on as a whole.

    start, end  nanoseconds from the beginning, the end excluded; of pictures, their numbers
    expected    about how many images it has
    """

    start: int
    end: int
    expected: int


class Recording(ABC):
    """A bag, a video, or the pictures of a folder, in one process. It holds no open files.

    kind    "bag", "video" or "pictures"
    path    where it is, as the user named it
    name    for files and people: the path's last part, without an ending
    """

    kind: str
    path: str
    name: str

    @abstractmethod
    def topics(self, selection: Selection) -> Sequence[str]:
        """Return the selected topics that have images, in alphabetical order; ("",) if no bag.

        Raises SourceError, and InvalidRequestError for a topic that has none.
        """

    @abstractmethod
    def begin(self) -> int | None:
        """Return when it begins, in nanoseconds since 1970; None: nothing tells."""

    @abstractmethod
    def spans(self, selection: Selection, length: int) -> list[Span]:
        """Cut what is selected into spans, in their order.

        They depend on nothing but the recording and the selection, so that every machine cuts at
        the same places. Of a video or a bag, a span is ``length`` nanoseconds long, rounded up to
        a multiple of ``selection.every``, and spans begin at multiples of that.
        Raises SourceError if nothing of it can be read.
        """

    @abstractmethod
    def items(self, span: Span, selection: Selection, skip: int = 0) -> Iterator[Recorded]:
        """Yield the images of a span, by time and then by topic, and what is damaged in its place.

        The same span always yields the same. ``skip``: this many items are known already, and are
        left out without being decoded.
        """

    @abstractmethod
    def fingerprint(self) -> str:
        """Return a text that is another one if the recording has changed; cheap to make.

        Raises SourceError.
        """

    def here(self) -> "Recording":
        """Return the same recording on this machine: itself, unless it is on shared storage.

        A copy stays until close(), and names itself as the source of its images. Raises
        SourceError.
        """
        return self

    def close(self) -> None:  # noqa: B027 (most hold nothing)
        """Give free what here() has told of, and remove temporary files.

        The recording can be used again.
        """
