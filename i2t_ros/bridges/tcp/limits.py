"""Limits of the TCP listener."""

from dataclasses import dataclass
from typing import Any

from i2t_ros.errors import InvalidRequestError
from i2t_ros.options import check_options, option


def _seconds(default: float, text: str, least: float = 0.01) -> Any:
    return option(default, f"seconds {text}", bounds=(least, 86_400.0))


@dataclass(frozen=True, slots=True)
class TcpLimits:
    """Limits for clients.

    Up to ``max_connections`` more clients than are served get an error that says so; clients
    beyond those are disconnected without a reply.
    """

    max_image_bytes: int = option(
        16 << 20, "bytes; larger pictures are refused", bounds=(1, 2**31 - 1)
    )
    max_memory_bytes: int = option(
        256 << 20,
        "bytes of all pictures that are being received, described or sent; beyond it, the client "
        "with the largest one that is still being received gets the error busy",
        bounds=(1, 2**53),
    )
    max_connections: int = option(
        64, "clients served at once; more get the error busy", bounds=(1, 100_000)
    )
    idle_time: float = _seconds(10.0, "without a byte after which a client is disconnected")
    receive_time: float = _seconds(60.0, "that a client may take to send one request")
    request_time: float = _seconds(30.0, "that the detector may take for one request")
    max_questions: int = option(
        8, "questions answered at a time; more get the error busy", bounds=(1, 1000)
    )
    answer_time: float = _seconds(120.0, "that a language model may take for an answer")
    send_time: float = _seconds(30.0, "that a client may take to accept each part of its reply")
    header_pause: float = _seconds(
        0.02, "between header and picture of a version 1 reply; old clients need the pause", 0.0
    )
    empty_time: float = _seconds(1.0, "of silence after a size of 0 that end a version 1 request")
    linger_time: float = _seconds(2.0, "that a client may take to read its last reply", 0.0)
    drain_time: float = _seconds(5.0, "at shutdown to answer the requests in progress", 0.0)

    def __post_init__(self) -> None:
        """Refuse values out of their bounds, and less memory than one picture may take."""
        check_options(self)
        if self.max_memory_bytes < self.max_image_bytes:
            raise InvalidRequestError(
                f"tcp_max_memory_bytes: expected at least tcp_max_image_bytes, which is "
                f"{self.max_image_bytes}, got {self.max_memory_bytes}"
            )
