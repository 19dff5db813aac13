"""What every connection of a TCP listener shares: handler, limits, counters."""

from __future__ import annotations

from dataclasses import dataclass, field

from i2t_ros.bridges.handler import Handler
from i2t_ros.options import check_options, option
from i2t_ros.types import DescribeRequest

DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class TcpLimits:
    """What clients may cost.

    As many clients as ``max_connections`` are told that the listener is busy; any beyond those are
    cut off.
    """

    max_image_bytes: int = option(
        16 << 20, "pictures of more bytes are refused", bounds=(1, 2**31 - 1)
    )
    max_connections: int = option(
        64, "clients served at once; further ones are told that it is busy", bounds=(1, 100_000)
    )
    idle_time: float = option(
        10.0, "seconds without a byte after which a client is given up", bounds=(0.01, DAY)
    )
    receive_time: float = option(
        60.0, "seconds that a client may take to send one request", bounds=(0.01, DAY)
    )
    request_time: float = option(
        30.0, "seconds that the detector may take for one request", bounds=(0.01, DAY)
    )
    send_time: float = option(
        30.0,
        "seconds that a client may take to accept each part of its reply",
        bounds=(0.01, DAY),
    )
    header_pause: float = option(
        0.02,
        "seconds between header and picture of a version 1 reply, whose clients need one",
        bounds=(0.0, DAY),
    )
    empty_time: float = option(
        1.0,
        "seconds of silence after a size of 0 that end a version 1 request",
        bounds=(0.01, DAY),
    )
    linger_time: float = option(
        2.0, "seconds in which a client may take its last reply", bounds=(0.0, DAY)
    )
    drain_time: float = option(
        5.0, "seconds at shutdown for requests that have begun", bounds=(0.0, DAY)
    )

    def __post_init__(self) -> None:
        """Raise InvalidRequestError for a number out of bounds."""
        check_options(self)


@dataclass(slots=True)
class TcpCounters:
    """What a listener has done since it started."""

    connections: int = 0
    turned_away: int = 0
    requests: int = 0
    failures: int = 0


@dataclass(slots=True)
class TcpService:
    """What connections work with.

    version_1  what clients of version 1 cannot say, such as their language
    closing    whether no further request is to be read
    """

    handler: Handler
    limits: TcpLimits
    version_1: DescribeRequest
    counters: TcpCounters = field(default_factory=TcpCounters)
    closing: bool = False
