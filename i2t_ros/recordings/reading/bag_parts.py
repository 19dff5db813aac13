"""What the files of a bag have in common, whatever their storage."""

import heapq
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

MOST_MESSAGE = 1 << 29
"""Bytes of a message, or of the messages of a chunk: images of 40 megapixels with 16 bits and four
channels have 320 million."""
LATEST_TIME = 1 << 63
"""Nanoseconds since 1970. ROS and SQLite have no later ones."""


class DamagedPartError(Exception):
    """A part of a file cannot be read; what is wrong is for people. Never leaves this package."""


class Topic(NamedTuple):
    """A topic of a bag.

    kind        of its messages, such as sensor_msgs/msg/Image
    encoding    of the definition, "ros2msg" or "ros2idl"; empty: there is none
    definition  of the kind, with all kinds in it
    qos         of the publishers, YAML
    digest      RIHS01 of the kind; may be empty
    packing     of the messages: "cdr"
    """

    name: str
    kind: str
    encoding: str = ""
    definition: str = ""
    qos: str = ""
    digest: str = ""
    packing: str = "cdr"


class Found(NamedTuple):
    """A message that has not been read yet.

    time       nanoseconds since 1970, by the recorder's clock
    place      in its file; later ones are larger
    published  nanoseconds since 1970, by the publisher's clock
    """

    time: int
    topic: str
    place: tuple[int, int]
    published: int


class Trouble(NamedTuple):
    """Something that cannot be read; ``time`` is in nanoseconds since 1970."""

    time: int
    topic: str
    what: str


Part: TypeAlias = "Found | Trouble"


class Stretch(NamedTuple):
    """Where messages are: from when to when, and how many of each topic; None: nobody knows."""

    start: int
    end: int
    counts: Mapping[str, int] | None


@dataclass(frozen=True)
class FileIndex:
    """What is known of a file without its messages.

    topics     by name
    stretches  in the order of the file
    troubles   what is damaged; time -1: it is not known when that was
    """

    topics: dict[str, Topic] = field(default_factory=dict)
    stretches: list[Stretch] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)


class FileReading(ABC):
    """An open file of a bag."""

    @abstractmethod
    def find(
        self, topics: Collection[str], start: int, end: int, since: int, *, few: bool = False
    ) -> Iterator[Part]:
        """Yield the messages of topics by time, topic and place, and what is damaged.

        start, end  nanoseconds since 1970, the end excluded
        since       what is damaged has the time at which it begins, but none before this one
        few         few of them will be read, so nothing is unpacked before that: whatever is
                    damaged may show only then, and the publishers' times need not be right
        """

    @abstractmethod
    def read(self, found: Found) -> memoryview:
        """Return the bytes of a message; raises DamagedPartError."""

    @abstractmethod
    def close(self) -> None:
        """Close the file."""


def merged(
    sources: Iterable[tuple[int, Callable[[], Iterator[Part]]]],
) -> Iterator[tuple[int, Part]]:
    """Yield what sources yield, by time, topic and source, with the number of the source.

    A source is opened when its time has come. Each must yield its parts in order, and none that
    are earlier than its time.
    """
    numbered = sorted((time, number, opened) for number, (time, opened) in enumerate(sources))
    waiting = deque(numbered)
    heap: list[tuple[int, str, int, Part, Iterator[Part]]] = []

    def push(number: int, parts: Iterator[Part]) -> None:
        part = next(parts, None)
        if part is not None:
            heapq.heappush(heap, (part.time, part.topic, number, part, parts))

    while waiting or heap:
        while waiting and (not heap or waiting[0][0] <= heap[0][0]):
            _, number, opened = waiting.popleft()
            push(number, opened())
        if heap:
            _, _, number, part, parts = heapq.heappop(heap)
            yield number, part
            push(number, parts)
