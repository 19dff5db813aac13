"""How the HTTP listener behaves: every limit and switch, with its default."""

from __future__ import annotations

import dataclasses
import ipaddress
from dataclasses import dataclass, field
from typing import TypeAlias
from urllib.parse import urlsplit

from i2t_ros.vision.codecs import MAX_PIXELS

DEFAULT_PORT = 8080
MIN_TOKEN = 16  # characters

Network: TypeAlias = "ipaddress.IPv4Network | ipaddress.IPv6Network"


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """What clients may cost.

    max_body_bytes       of one request
    max_pixels           width x height of a picture, told from its header
    max_connections      at a time; one more is answered 503
    max_requests         descriptions asked for at a time; one more is answered 503 (busy)
    max_viewers          streams watched at a time, MJPEG and live words together
    max_cameras          WebSocket cameras at a time
    requests_per_second  of one client address, twice as many at once; 0: no limit
    header_time          seconds from a connection, or a request's first byte, to its last header
    idle_time            seconds without a byte of a body that has begun
    receive_time         seconds from a request's headers to the end of its body
    request_time         seconds that the handler may take
    send_time            seconds that a client may take to accept each part of a reply
    drain_time           seconds that ``HttpServer.close`` leaves to requests that have begun
    min_frame_bytes      a camera's smaller frames are ignored
    max_frame_bytes      a camera that sends a larger one is disconnected
    max_frame_rate       frames a second of one camera; those beyond it are ignored
    camera_idle_time     seconds without a frame after which a camera is disconnected
    ping_time            seconds between pings to a camera, and for its answer
    stale_time           seconds after which a camera's last picture gives way to a placeholder
    """

    max_body_bytes: int = 16 << 20
    max_pixels: int = MAX_PIXELS
    max_connections: int = 256
    max_requests: int = 32
    max_viewers: int = 32
    max_cameras: int = 8
    requests_per_second: float = 200.0
    header_time: float = 10.0
    idle_time: float = 10.0
    receive_time: float = 60.0
    request_time: float = 30.0
    send_time: float = 30.0
    drain_time: float = 5.0
    min_frame_bytes: int = 512
    max_frame_bytes: int = 4 << 20
    max_frame_rate: float = 60.0
    camera_idle_time: float = 60.0
    ping_time: float = 20.0
    stale_time: float = 5.0

    def __post_init__(self) -> None:
        """Refuse what is negative, and any limit of zero that would refuse everything."""
        for item in dataclasses.fields(self):
            value = getattr(self, item.name)
            may_be_zero = item.name in ("requests_per_second", "min_frame_bytes", "drain_time")
            if not (value > 0 or (may_be_zero and value == 0)):
                raise ValueError(f"HttpLimits.{item.name}: expected more than 0, got {value}")


@dataclass(frozen=True, slots=True)
class FetchSettings:
    """Which URLs the listener may fetch pictures from; see ``fetch``.

    allowed       networks that may be reached although they are private
    ports         that may be connected to
    max_redirects  followed, each checked like the first address
    time          seconds for everything, redirects included
    """

    allowed: tuple[Network, ...] = ()
    ports: tuple[int, ...] = (80, 443)
    max_redirects: int = 3
    time: float = 10.0


@dataclass(frozen=True, slots=True)
class HistorySettings:
    """What is kept of the results, and where.

    database     an SQLAlchemy URL such as "sqlite:////var/lib/i2t/history.db"
    pictures     a folder, or "s3://bucket/prefix"; empty: pictures are not kept
    s3_endpoint  of an S3-compatible service; empty: Amazon's. Keys come from the environment
    max_results, max_age (seconds), max_bytes (of pictures)  the oldest results go first
    """

    database: str
    pictures: str = ""
    s3_endpoint: str = ""
    max_results: int = 1000
    max_age: float = 30 * 86400.0
    max_bytes: int = 1 << 30

    def __post_init__(self) -> None:
        """Refuse limits that would keep nothing."""
        for name in ("max_results", "max_age", "max_bytes"):
            if not getattr(self, name) > 0:
                raise ValueError(
                    f"HistorySettings.{name}: expected more than 0, got {getattr(self, name)}"
                )


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """All of the listener's settings.

    token          clients must show it where it is not empty ("Authorization: Bearer TOKEN")
    allowed_hosts  names under which browsers may call it, besides addresses, localhost and the
                   name of this machine; "*": any
    cors_origins   origins such as "https://dashboard.example" whose pages may call it
    certificate, key  PEM files: serve HTTPS
    fetch          None: URLs are not fetched
    history        None: nothing is kept
    """

    token: str = ""
    allowed_hosts: tuple[str, ...] = ()
    cors_origins: tuple[str, ...] = ()
    certificate: str = ""
    key: str = ""
    fetch: FetchSettings | None = None
    history: HistorySettings | None = None
    limits: HttpLimits = field(default_factory=HttpLimits)

    def __post_init__(self) -> None:
        """Refuse a guessable token, half a certificate and origins that are none."""
        if self.token and (len(self.token) < MIN_TOKEN or not self.token.isascii()):
            raise ValueError(
                f"token: expected at least {MIN_TOKEN} ASCII characters, got {len(self.token)}; "
                "`openssl rand -hex 16` makes one"
            )
        if bool(self.certificate) != bool(self.key):
            raise ValueError("HTTPS needs both a certificate and its key, got one of them")
        for origin in self.cors_origins:
            parts = urlsplit(origin)
            if origin != f"{parts.scheme}://{parts.netloc}" or not parts.netloc:
                raise ValueError(
                    f"cors_origins: expected SCHEME://HOST or SCHEME://HOST:PORT, got {origin!r}"
                )
