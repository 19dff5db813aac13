"""Which connections of a listener only hold their places."""

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from i2t_ros.bridges.http.connections import TimedProtocol

YIELD_AFTER = 2.0
"""Seconds after which a connection that asks for nothing gives way if there are too many."""


class Waiting:
    """The connections of a listener that are neither answered nor accepted as WebSockets yet.

    And those that linger after their last reply.
    """

    def __init__(self) -> None:
        self._since: dict[TimedProtocol, float] = {}  # in the order in which they began
        self._lingering: dict[TimedProtocol, None] = {}  # likewise

    def add(self, connection: "TimedProtocol") -> None:
        """Count a connection as waiting from now on."""
        self._since[connection] = asyncio.get_running_loop().time()

    def discard(self, connection: "TimedProtocol") -> None:
        """Count a connection no longer."""
        self._since.pop(connection, None)
        self._lingering.pop(connection, None)

    def linger(self, connection: "TimedProtocol") -> None:
        """Count a connection as one that has had its last reply."""
        self._lingering[connection] = None

    @property
    def lingering(self) -> int:
        """How many have had their last reply."""
        return len(self._lingering)

    def make_room(self) -> bool:
        """Cut a connection and return True, if one lingers or one has waited long."""
        if self._lingering:
            lingering = next(iter(self._lingering))
            self.discard(lingering)
            lingering.transport.abort()
            return True
        oldest = next(iter(self._since), None)
        now = asyncio.get_running_loop().time()
        if oldest is None or now - self._since[oldest] < YIELD_AFTER:
            return False
        self.discard(oldest)
        oldest.transport.abort()
        return True
