"""The seam between the work on recordings and what makes annotated ones."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from i2t_ros.recordings.base import Recording
from i2t_ros.recordings.work.job import Unit
from i2t_ros.recordings.writing.base import Stream, Telling, Told


class Renderer(ABC):
    """Makes the annotated form of one recording, in parts that several processes make at once.

    A part has what takes time to compute; join() puts the parts together at the speed of the disk.
    Both write the same bytes every time.

    ending  of the file that is a part
    """

    ending: ClassVar[str]

    def __init__(
        self, recording: Recording, streams: Sequence[Stream], telling: Telling
    ) -> None:
        """Open nothing. Raises BackendMissingError if a package is missing.

        streams  those of this recording
        telling  its ``folder`` is where join() writes
        """
        self.recording = recording
        self.streams = streams
        self.telling = telling

    @abstractmethod
    def part(self, unit: Unit, told: Sequence[Told], file: Path) -> None:
        """Write the part of a unit to a new file; ``told`` is what its images show, in order.

        Items that were damaged are not in ``told``. Raises OSError.
        """

    @abstractmethod
    def join(self, parts: Sequence[Path]) -> Sequence[Path]:
        """Write the annotated recording, and return its files or folders in ``telling.folder``.

        parts  the files that part() wrote, in order; one of a unit without images may be empty
        """
