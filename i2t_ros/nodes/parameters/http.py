"""The parameters of bridge_node's HTTP listener, and what they become."""

from __future__ import annotations

import dataclasses
import ipaddress
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from i2t_ros.bridges.http.settings import (
    DEFAULT_PORT,
    FetchSettings,
    HistorySettings,
    HttpLimits,
    HttpSettings,
)
from i2t_ros.errors import InvalidRequestError
from i2t_ros.nodes.parameters.bridge import BRIDGE
from i2t_ros.options import Option

TOKEN_VARIABLE = "I2T_HTTP_TOKEN"  # noqa: S105 (the variable's name)
DATABASE_VARIABLE = "I2T_HISTORY_DATABASE"
"""Environment variables: secrets have no place in a parameter, which every node can read."""

_LIMITS = HttpLimits()
_HISTORY = HistorySettings("sqlite://")


def _limit(name: str, text: str, low: float, high: float) -> Option:
    """Return the parameter of one of the listener's limits."""
    return Option(f"http_{name}", getattr(_LIMITS, name), text, bounds=(low, high))


def _seconds(name: str, text: str, *, low: float = 0.01) -> Option:
    return _limit(name, text, low, 86_400.0)


HTTP: tuple[Option, ...] = (
    Option("http", False, "serve HTTP too: page, API, streams, WebSocket cameras"),
    Option(
        "http_host",
        "127.0.0.1",
        "address to listen on; 127.0.0.1 is this machine alone, 0.0.0.0 every network it is in",
    ),
    Option("http_port", DEFAULT_PORT, "port; 0: any that is free", bounds=(0, 65_535)),
    Option(
        "cameras",
        [],
        "the detector's, as in its own parameter: names, each with a topic <name>/image, or "
        "name=topic; none: one topic, image",
    ),
    Option(
        "image_transport",
        "raw",
        "of their images; raw: sensor_msgs/Image; compressed: sensor_msgs/CompressedImage on "
        "<topic>/compressed",
        choices=("raw", "compressed"),
    ),
    Option(
        "http_allowed_hosts",
        [],
        "names under which browsers may call it, besides addresses, localhost and this machine's "
        "own name; *: any",
    ),
    Option(
        "http_cors_origins",
        [],
        "origins such as https://dashboard.example whose pages may call it",
    ),
    Option("http_certificate", "", "PEM file: serve HTTPS with this certificate"),
    Option("http_key", "", "PEM file: its key"),
    Option("http_fetch", False, "fetch pictures from URLs that clients name"),
    Option(
        "http_fetch_allowed",
        [],
        "private networks that may be fetched from, such as 192.168.1.20/32",
    ),
    Option("http_history", False, "keep results in a database"),
    Option(
        "http_history_database",
        "",
        "SQLAlchemy URL of it; none: SQLite in the user's data folder; the environment variable "
        f"{DATABASE_VARIABLE} comes first",
    ),
    Option(
        "http_history_pictures",
        "",
        "keep the pictures too: a folder, or s3://bucket/prefix with keys from the environment; "
        "none: do not",
    ),
    Option("http_history_s3_endpoint", "", "URL of an S3-compatible service; none: Amazon's"),
    Option(
        "http_history_max_results",
        _HISTORY.max_results,
        "kept results; the longest unused go first",
        bounds=(1, 10_000_000),
    ),
    Option(
        "http_history_max_age",
        _HISTORY.max_age,
        "seconds after which an unused result is let go",
        bounds=(1.0, 1e10),
    ),
    Option(
        "http_history_max_bytes",
        _HISTORY.max_bytes,
        "of kept pictures",
        bounds=(1, 2**53),
    ),
    _limit("max_body_bytes", "larger requests are refused", 1, 2**31 - 1),
    _limit("max_pixels", "pictures of more pixels are refused before they are decoded", 1, 10**9),
    _limit("max_connections", "connections at a time; one more is answered 503", 1, 100_000),
    _limit("max_requests", "descriptions asked for at a time; one more is busy", 1, 10_000),
    _limit("max_viewers", "streams watched at a time", 1, 10_000),
    _limit("max_cameras", "WebSocket cameras at a time", 1, 200),
    _limit("requests_per_second", "of one client address, twice as many at once; 0: any", 0.0, 1e6),
    _limit("min_frame_bytes", "smaller frames of a WebSocket camera are ignored", 0, 10**6),
    _limit("max_frame_bytes", "a camera that sends a larger frame is cut off", 1024, 2**31 - 1),
    _limit("max_frame_rate", "frames a second of a WebSocket camera; more are ignored", 0.1, 1e4),
    _seconds("header_time", "seconds that a client may take for its headers"),
    _seconds("idle_time", "seconds without a byte of a body that has begun"),
    _seconds("receive_time", "seconds that a client may take for a body"),
    _seconds("request_time", "seconds that the detector may take for one request"),
    _seconds("send_time", "seconds that a client may take to accept each part of its reply"),
    _seconds("drain_time", "seconds at shutdown for requests that have begun", low=0.0),
    _seconds(
        "camera_idle_time", "seconds without a frame after which a WebSocket camera is let go"
    ),
    _seconds("ping_time", "seconds between pings to a WebSocket camera, and for its answer"),
    _seconds("stale_time", "seconds after which a camera's last picture is no longer shown"),
)

BRIDGE_NODE: tuple[Option, ...] = (*BRIDGE, *HTTP)
"""Everything that bridge_node can be told."""


def http_settings(values: Mapping[str, Any], environment: Mapping[str, str]) -> HttpSettings:
    """Return the listener's settings; raises InvalidRequestError for what makes no sense."""
    names = [field.name for field in dataclasses.fields(HttpLimits)]
    try:
        return HttpSettings(
            token=environment.get(TOKEN_VARIABLE, ""),
            allowed_hosts=_strings(values["http_allowed_hosts"]),
            cors_origins=_strings(values["http_cors_origins"]),
            certificate=values["http_certificate"],
            key=values["http_key"],
            fetch=_fetch(values) if values["http_fetch"] else None,
            history=_history(values, environment) if values["http_history"] else None,
            limits=HttpLimits(**{name: values[f"http_{name}"] for name in names}),
        )
    except ValueError as error:
        raise InvalidRequestError(str(error)) from error


def _fetch(values: Mapping[str, Any]) -> FetchSettings:
    networks = _strings(values["http_fetch_allowed"])
    return FetchSettings(tuple(ipaddress.ip_network(network) for network in networks))


def _history(values: Mapping[str, Any], environment: Mapping[str, str]) -> HistorySettings:
    database = environment.get(DATABASE_VARIABLE) or values["http_history_database"]
    return HistorySettings(
        database=database or f"sqlite:///{data_folder(environment) / 'history.db'}",
        pictures=values["http_history_pictures"],
        s3_endpoint=values["http_history_s3_endpoint"],
        max_results=values["http_history_max_results"],
        max_age=values["http_history_max_age"],
        max_bytes=values["http_history_max_bytes"],
    )


def data_folder(environment: Mapping[str, str]) -> Path:
    """Return where a user's data is kept: ``~/.local/share/i2t_ros``, or below XDG_DATA_HOME."""
    base = environment.get("XDG_DATA_HOME", "").strip() or "~/.local/share"
    return Path(base).expanduser() / "i2t_ros"


def _strings(value: list[str]) -> tuple[str, ...]:
    return tuple(text for text in value if text)
