"""The parameters of bridge_node, and the settings made of them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from i2t_ros import language as words
from i2t_ros.bridges.http import settings as listener
from i2t_ros.bridges.tcp import wire
from i2t_ros.bridges.tcp.limits import TcpLimits
from i2t_ros.nodes.parameters.declaration import AUTOSTART
from i2t_ros.options import from_values, option, options_of

TCP_PREFIX = "tcp_"
HTTP_PREFIX = "http_"
_HOST = "address to listen on; 127.0.0.1 is this machine alone, 0.0.0.0 every network it is in"


@dataclass(frozen=True, slots=True)
class BridgeSettings:
    """Whom the bridge asks, where it listens, and which cameras it shows over HTTP."""

    describe_service: str = option(
        "detector_node/describe", "the Describe service of the detector to ask"
    )
    detector_requests: int = option(
        8, "requests handed to the detector at once; others wait here", bounds=(1, 1000)
    )
    tcp_host: str = option("127.0.0.1", _HOST)
    tcp_port: int = option(wire.DEFAULT_PORT, "port; 0: any that is free", bounds=(0, 65_535))
    tcp_language: str = option(
        "es", "language of the sentences for clients that cannot choose one", language=True
    )
    tcp_style: str = option(
        "list", "style of the sentences for clients that cannot choose one", choices=words.STYLES
    )
    http: bool = option(False, "serve HTTP too: page, API, streams, WebSocket cameras")
    http_host: str = option("127.0.0.1", _HOST)
    http_port: int = option(listener.DEFAULT_PORT, "port; 0: any that is free", bounds=(0, 65_535))
    cameras: tuple[str, ...] = option(
        (),
        "the detector's cameras, as in its own parameter: names, each with a topic <name>/image, "
        "or name=topic; empty: one topic, image",
    )
    image_transport: str = option(
        "raw",
        "how their images come; raw: sensor_msgs/Image; compressed: sensor_msgs/CompressedImage "
        "on <topic>/compressed",
        choices=("raw", "compressed"),
    )
    http_fetch: bool = option(False, "fetch pictures from URLs that clients name")
    http_history: bool = option(False, "keep results in a database")


BRIDGE = (
    *options_of(BridgeSettings),
    AUTOSTART,
    *options_of(TcpLimits, TCP_PREFIX),
    *options_of(listener.HttpSettings, HTTP_PREFIX),
    *options_of(listener.FetchSettings, HTTP_PREFIX),
    *options_of(listener.HistorySettings, HTTP_PREFIX),
)
"""All parameters of bridge_node."""


def http_settings(
    values: Mapping[str, Any], environment: Mapping[str, str]
) -> listener.HttpSettings:
    """Return the listener's settings; raises InvalidRequestError for what makes no sense.

    The default database is in ``~/.local/share/i2t_ros``, or below XDG_DATA_HOME.
    """
    fetch = history = None
    if values["http_fetch"]:
        fetch = from_values(listener.FetchSettings, values, HTTP_PREFIX)
    if values["http_history"]:
        history = from_values(listener.HistorySettings, values, HTTP_PREFIX)
        data = Path(environment.get("XDG_DATA_HOME", "").strip() or "~/.local/share").expanduser()
        database = environment.get(listener.DATABASE_VARIABLE) or history.database
        default = f"sqlite:///{data / 'i2t_ros' / 'history.db'}"
        history = replace(history, database=database or default)
    return from_values(
        listener.HttpSettings,
        values,
        HTTP_PREFIX,
        token=environment.get(listener.TOKEN_VARIABLE, ""),
        fetch=fetch,
        history=history,
    )
