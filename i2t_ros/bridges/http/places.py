"""Which requests of a kind are being answered now, and how many may be at a time."""

import contextlib
from collections.abc import Iterator

from i2t_ros.bridges.counting import counted
from i2t_ros.errors import BusyError


class Places:
    """The places of one kind of request.

    names  of the requests that are being answered, in the order in which they came, each as its
           client calls it
    """

    def __init__(self, kind: str, most: int, most_large: int | None = None) -> None:
        """Have ``most`` places for what is called ``kind``, ``most_large`` of them for large ones.

        Large is a picture that takes long; by default all places are for these too.
        """
        self.names: dict[object, str] = {}
        self._kind = kind
        self._most = most
        self._most_large = most if most_large is None else most_large
        self._large: set[object] = set()

    def __len__(self) -> int:
        """Return how many are taken."""
        return len(self.names)

    @contextlib.contextmanager
    def take(self, name: str, *, is_large: bool) -> Iterator[None]:
        """Have a place while the context lasts; raises BusyError if there is none."""
        if is_large and len(self._large) >= self._most_large:
            raise BusyError(f"{len(self._large)} large pictures in progress, the limit")
        if len(self) >= self._most:
            kind = counted(len(self), self._kind)
            raise BusyError(f"{kind} in progress, the limit: try again")
        ticket = object()
        self.names[ticket] = name
        if is_large:
            self._large.add(ticket)
        try:
            yield
        finally:
            del self.names[ticket]
            self._large.discard(ticket)
