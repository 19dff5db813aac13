"""What bridge_node's HTTP listener can be told, and what becomes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from i2t_ros.bridges.http.settings import (
    DATABASE_VARIABLE,
    DEFAULT_PORT,
    TOKEN_VARIABLE,
    FetchSettings,
    HistorySettings,
    HttpSettings,
)
from i2t_ros.nodes.parameters.bridge import BRIDGE
from i2t_ros.options import Option, from_values, option, options_of

HTTP_PREFIX = "http_"


@dataclass(frozen=True, slots=True)
class HttpNodeSettings:
    """Whether HTTP is served, where, and which cameras it shows."""

    http: bool = option(False, "serve HTTP too: page, API, streams, WebSocket cameras")
    http_host: str = option(
        "127.0.0.1",
        "address to listen on; 127.0.0.1 is this machine alone, 0.0.0.0 every network it is in",
    )
    http_port: int = option(DEFAULT_PORT, "port; 0: any that is free", bounds=(0, 65_535))
    cameras: tuple[str, ...] = option(
        (),
        "the detector's, as in its own parameter: names, each with a topic <name>/image, or "
        "name=topic; none: one topic, image",
    )
    image_transport: str = option(
        "raw",
        "of their images; raw: sensor_msgs/Image; compressed: sensor_msgs/CompressedImage on "
        "<topic>/compressed",
        choices=("raw", "compressed"),
    )
    http_fetch: bool = option(False, "fetch pictures from URLs that clients name")
    http_history: bool = option(False, "keep results in a database")


BRIDGE_NODE: tuple[Option, ...] = (
    *BRIDGE,
    *options_of(HttpNodeSettings),
    *options_of(HttpSettings, HTTP_PREFIX),
    *options_of(FetchSettings, HTTP_PREFIX),
    *options_of(HistorySettings, HTTP_PREFIX),
)
"""Everything that bridge_node can be told."""


def http_settings(values: Mapping[str, Any], environment: Mapping[str, str]) -> HttpSettings:
    """Return the listener's settings; raises InvalidRequestError for what makes no sense."""
    fetch = history = None
    if values["http_fetch"]:
        fetch = from_values(FetchSettings, values, HTTP_PREFIX)
    if values["http_history"]:
        history = from_values(HistorySettings, values, HTTP_PREFIX)
        database = environment.get(DATABASE_VARIABLE) or history.database
        default = f"sqlite:///{data_folder(environment) / 'history.db'}"
        history = replace(history, database=database or default)
    return from_values(
        HttpSettings,
        values,
        HTTP_PREFIX,
        token=environment.get(TOKEN_VARIABLE, ""),
        fetch=fetch,
        history=history,
    )


def data_folder(environment: Mapping[str, str]) -> Path:
    """Return where a user's data is kept: ``~/.local/share/i2t_ros``, or below XDG_DATA_HOME."""
    base = environment.get("XDG_DATA_HOME", "").strip() or "~/.local/share"
    return Path(base).expanduser() / "i2t_ros"
