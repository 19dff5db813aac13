"""Which connections of a listener only hold their places."""

import asyncio
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from i2t_ros.bridges.http.connections import TimedProtocol

For = Literal["request", "reply"]

YIELD_AFTER = 2.0
"""Seconds after which a connection that only waits gives way if there are too many."""


class Waiting:
    """The connections of a listener that keep it waiting.

    That is for a whole request, for the client to take its reply, or, after the last reply, for the
    client to leave.
    """

    def __init__(self) -> None:
        self._since: dict[tuple[TimedProtocol, For], float] = {}  # in the order of their beginnings
        self._lingering: dict[TimedProtocol, None] = {}  # likewise

    def add(self, connection: "TimedProtocol", for_what: For) -> None:
        """Count a connection as waiting from now on, if it does not yet."""
        self._since.setdefault((connection, for_what), asyncio.get_running_loop().time())

    def discard(self, connection: "TimedProtocol", for_what: For) -> None:
        """Count a connection no longer."""
        self._since.pop((connection, for_what), None)

    def linger(self, connection: "TimedProtocol") -> None:
        """Count a connection as one that has had its last reply."""
        self._lingering[connection] = None

    def forget(self, connection: "TimedProtocol") -> None:
        """Count a connection that has ended no longer."""
        self._lingering.pop(connection, None)
        self.discard(connection, "request")
        self.discard(connection, "reply")

    @property
    def lingering(self) -> int:
        """How many have had their last reply."""
        return len(self._lingering)

    def make_room(self) -> bool:
        """Cut a connection and return True, if one lingers or one has waited long."""
        oldest = next(iter(self._lingering), None)
        if oldest is None and self._since:
            (connection, _), since = next(iter(self._since.items()))
            if asyncio.get_running_loop().time() - since >= YIELD_AFTER:
                oldest = connection
        if oldest is None:
            return False
        self.forget(oldest)
        oldest.transport.abort()
        return True
