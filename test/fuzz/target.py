"""What a target of fuzzing is; each module named target_* has one."""

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from random import Random

from bounds import MEMORY, Bounds
from mutations import mutated
from watching import Watch

Case = list[bytes]
"""An input: its parts, in the order in which they are sent."""


class Target(ABC):
    """Feeds one parser.

    name    as in the table of docs/security.md
    cases   in `make test`
    memory  bytes by which the process may grow
    bounds  what a case may cost
    watch   what is seen meanwhile
    """

    name: str
    cases: int
    memory = MEMORY

    def __init__(self, bounds: Bounds, watch: Watch) -> None:
        self.bounds = bounds
        self.watch = watch

    @contextlib.contextmanager
    def opened(self) -> Iterator[None]:
        """Have what is needed running."""
        yield

    def mutated(self, random: Random, data: bytes, words: Sequence[bytes]) -> bytes:
        """Return data with some changes; see mutations."""
        return mutated(random, data, words, self.bounds.largest)

    @abstractmethod
    def generate(self, random: Random) -> Case:
        """Return an input; the same for the same random numbers."""

    @abstractmethod
    def run(self, case: Case) -> None:
        """Feed an input; raises AssertionError, or anything else, if it is not taken well."""
