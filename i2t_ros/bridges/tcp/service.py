"""Handler, limits and counters of a TCP listener, which its connections share."""

from __future__ import annotations

from dataclasses import dataclass, field

from i2t_ros.bridges.handler import Handler
from i2t_ros.options import check_options, option
from i2t_ros.types import DescribeRequest

DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class TcpLimits:
    """Limits for clients.

    Up to ``max_connections`` more clients than are served get an error that says so; clients
    beyond those are disconnected without a reply.
    """

    max_image_bytes: int = option(
        16 << 20, "bytes; larger pictures are refused", bounds=(1, 2**31 - 1)
    )
    max_connections: int = option(
        64, "clients served at once; more get the error busy", bounds=(1, 100_000)
    )
    idle_time: float = option(
        10.0, "seconds without a byte after which a client is disconnected", bounds=(0.01, DAY)
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
        "seconds between header and picture of a version 1 reply; old clients need the pause",
        bounds=(0.0, DAY),
    )
    empty_time: float = option(
        1.0,
        "seconds of silence after a size of 0 that end a version 1 request",
        bounds=(0.01, DAY),
    )
    linger_time: float = option(
        2.0, "seconds that a client may take to read its last reply", bounds=(0.0, DAY)
    )
    drain_time: float = option(
        5.0, "seconds at shutdown to answer the requests in progress", bounds=(0.0, DAY)
    )

    def __post_init__(self) -> None:
        """Raise InvalidRequestError for a number out of bounds."""
        check_options(self)


@dataclass(slots=True)
class TcpCounters:
    """What a listener has done since its start."""

    connections: int = 0
    turned_away: int = 0
    requests: int = 0
    failures: int = 0


@dataclass(slots=True)
class TcpService:
    """What all connections of a listener share.

    version_1  the options that clients of version 1 cannot send, such as the language
    closing    whether to read no more requests
    """

    handler: Handler
    limits: TcpLimits
    version_1: DescribeRequest
    counters: TcpCounters = field(default_factory=TcpCounters)
    closing: bool = False
