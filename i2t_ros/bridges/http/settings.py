"""How the HTTP listener behaves: every limit and switch, with its default."""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from i2t_ros.errors import InvalidRequestError
from i2t_ros.options import Checked, check_options, option
from i2t_ros.vision.codecs import MAX_PIXELS, MOST_REDUCED

DEFAULT_PORT = 8080
MIN_TOKEN = 16  # characters
DAY = 86_400.0  # seconds
TOKEN_VARIABLE = "I2T_HTTP_TOKEN"  # noqa: S105 (the variable's name)
DATABASE_VARIABLE = "I2T_HISTORY_DATABASE"
"""Environment variables: secrets have no place in a parameter, which every node can read."""

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network


def _limit(default: float, text: str, low: float, high: float) -> Any:
    return option(default, text, bounds=(low, high))


def _seconds(default: float, text: str) -> Any:
    return _limit(default, text, 0.01, DAY)


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """What clients may cost."""

    max_body_bytes: int = _limit(
        16 << 20, "bytes of a request; larger requests are refused", 1, 2**31 - 1
    )
    max_memory_bytes: int = _limit(
        256 << 20,
        "bytes of all requests that are being received or answered, and of replies; beyond it, "
        "the largest one that is still being received is answered 503 (busy), or cut off while "
        "it is being sent",
        1,
        2**53,
    )
    max_pixels: int = _limit(
        MOST_REDUCED * MAX_PIXELS,
        "pictures of more pixels are refused here; the detector has a limit of its own",
        1,
        10**9,
    )
    max_connections: int = _limit(
        256, "connections at a time; one more is answered 503", 1, 100_000
    )
    max_requests: int = _limit(
        32,
        "descriptions asked for at a time, half of them of large pictures at most; one more is "
        "answered 503 (busy)",
        1,
        10_000,
    )
    max_questions: int = _limit(
        8,
        "questions answered at a time, besides the descriptions; one more is answered 503 (busy)",
        1,
        1000,
    )
    max_viewers: int = _limit(
        32, "streams watched at a time, MJPEG and live words together", 1, 10_000
    )
    max_cameras: int = _limit(8, "WebSocket cameras at a time", 1, 200)
    requests_per_second: float = _limit(
        200.0,
        "requests a second of one client address, twice as many in a burst; 0: no limit",
        0.0,
        1e6,
    )
    refusals_per_second: float = _limit(
        10.0,
        "requests without the token, or by a name or page that is not allowed, a second of one "
        "address, twice as many in a burst; more are answered 429; 0: no limit",
        0.0,
        1e6,
    )
    min_frame_bytes: int = _limit(
        512, "bytes; smaller frames of a WebSocket camera are ignored", 0, 10**6
    )
    max_frame_bytes: int = _limit(
        4 << 20, "bytes; a camera that sends a larger frame is disconnected", 1024, 2**31 - 1
    )
    max_frame_rate: float = _limit(
        60.0, "frames a second of a WebSocket camera; more are ignored", 0.1, 1e4
    )
    header_time: float = _seconds(
        10.0, "seconds from a connection, or a request's first byte, to its last header"
    )
    idle_time: float = _seconds(
        10.0, "seconds without a byte of a body after which its request is refused"
    )
    receive_time: float = _seconds(60.0, "seconds that a client may take for a body")
    request_time: float = _seconds(30.0, "seconds that the detector may take for one request")
    answer_time: float = _seconds(120.0, "seconds that a language model may take for an answer")
    send_time: float = _seconds(
        30.0, "seconds that a client may take to accept each part of its reply"
    )
    linger_time: float = _limit(
        2.0,
        "seconds that a client may take to read a refusal of what it is still sending",
        0.0,
        DAY,
    )
    drain_time: float = _limit(5.0, "seconds at shutdown for requests that have begun", 0.0, DAY)
    camera_idle_time: float = _seconds(
        60.0, "seconds after the last frame taken from a WebSocket camera until it is disconnected"
    )
    ping_time: float = _seconds(
        20.0, "seconds between pings to a WebSocket camera, and for its answer"
    )
    stale_time: float = _seconds(
        5.0, "seconds after which a camera's last picture gives way to a placeholder"
    )

    def __post_init__(self) -> None:
        """Refuse values out of their bounds, and less memory than one request may take."""
        check_options(self)
        if self.max_memory_bytes < self.max_body_bytes:
            raise InvalidRequestError(
                f"http_max_memory_bytes: expected at least http_max_body_bytes, which is "
                f"{self.max_body_bytes}, got {self.max_memory_bytes}"
            )


def _networks(name: str, text: str, default: tuple[Network, ...] = ()) -> Any:
    """Return an option that is a list of addresses and networks."""

    def read(texts: Iterable[str]) -> tuple[Network, ...]:
        try:
            return tuple(ipaddress.ip_network(text) for text in texts if text)
        except ValueError as error:
            raise InvalidRequestError(f"http_{name}: {error}") from error

    return option(default, text, name=name, read=read)


@dataclass(frozen=True, slots=True)
class FetchSettings:
    """Which URLs the listener may fetch pictures from; see ``fetch``.

    ports          that may be connected to
    max_redirects  followed, each checked like the first address
    time           seconds for everything, redirects included
    """

    allowed: tuple[Network, ...] = _networks(
        "fetch_allowed", "private networks that may be fetched from, such as 192.168.1.20/32"
    )
    ports: tuple[int, ...] = (80, 443)
    max_redirects: int = 3
    time: float = 10.0


@dataclass(frozen=True, slots=True)
class HistorySettings(Checked):
    """What is kept of the results, and where."""

    database: str = option(
        "",
        "SQLAlchemy URL, such as sqlite:////var/lib/i2t/history.db; empty: SQLite in the user's "
        f"data folder; the environment variable {DATABASE_VARIABLE} comes first",
        name="history_database",
    )
    pictures: str = option(
        "",
        "where pictures are kept too: a folder, or s3://bucket/prefix with keys from the "
        "environment; empty: nowhere",
        name="history_pictures",
    )
    s3_endpoint: str = option(
        "", "URL of an S3-compatible service; empty: Amazon's", name="history_s3_endpoint"
    )
    max_results: int = option(
        1000,
        "results that are kept; the longest unused go first",
        name="history_max_results",
        bounds=(1, 10_000_000),
    )
    max_age: float = option(
        30 * DAY,
        "seconds after which an unused result is removed",
        name="history_max_age",
        bounds=(1.0, 1e10),
    )
    max_bytes: int = option(
        1 << 30, "bytes of pictures that are kept", name="history_max_bytes", bounds=(1, 2**53)
    )


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """All of the listener's settings.

    token    clients must show it if it is not empty ("Authorization: Bearer TOKEN")
    fetch    None: URLs are not fetched
    history  None: nothing is kept
    """

    allowed_hosts: tuple[str, ...] = option(
        (),
        "names under which browsers may call it, besides addresses, localhost and this machine's "
        "own name; *: any",
    )
    cors_origins: tuple[str, ...] = option(
        (), "origins such as https://dashboard.example whose pages may call it"
    )
    trusted_proxies: tuple[Network, ...] = _networks(
        "trusted_proxies",
        "addresses and networks of reverse proxies, whose X-Forwarded-For, -Proto and -Prefix are "
        "believed",
        default=(ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128")),
    )
    certificate: str = option("", "PEM file: serve HTTPS with this certificate")
    key: str = option("", "PEM file: its key")
    mcp: bool = option(
        False,
        "also serve /mcp: tools for agents (Model Context Protocol); costs 25 MB and needs the "
        "extra mcp",
    )
    limits: HttpLimits = field(default_factory=HttpLimits)
    token: str = ""
    fetch: FetchSettings | None = None
    history: HistorySettings | None = None

    def __post_init__(self) -> None:
        """Refuse a guessable token, half a certificate and origins that are none."""
        plain = self.token.isascii() and self.token.isprintable()
        if self.token and not (plain and len(self.token) >= MIN_TOKEN):
            raise InvalidRequestError(
                f"{TOKEN_VARIABLE}: expected at least {MIN_TOKEN} printable ASCII characters, "
                f"got {len(self.token)}{'' if plain else ', some of them others'}; "
                "`openssl rand -hex 16` makes one"
            )
        if bool(self.certificate) != bool(self.key):
            raise InvalidRequestError(
                "http_certificate, http_key: HTTPS needs both a certificate and its key, got one "
                "of them"
            )
        for origin in self.cors_origins:
            parts = urlsplit(origin)
            if origin != f"{parts.scheme}://{parts.netloc}" or not parts.netloc:
                raise InvalidRequestError(
                    f"http_cors_origins: expected SCHEME://HOST or SCHEME://HOST:PORT, "
                    f"got {origin!r}"
                )
