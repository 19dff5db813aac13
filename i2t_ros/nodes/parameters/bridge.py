"""The parameters of bridge_node, and the settings made of them."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from i2t_ros import language as words
from i2t_ros.bridges.http import settings as listener
from i2t_ros.bridges.tcp import wire
from i2t_ros.bridges.tcp.limits import TcpLimits
from i2t_ros.errors import InvalidRequestError, UnknownLanguageError
from i2t_ros.nodes.detector.camera_ports import CameraTopics, check_topic, parse_cameras
from i2t_ros.nodes.parameters.declaration import AUTOSTART
from i2t_ros.options import from_values, option, options_of
from i2t_ros.resources import expanded

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
        8,
        "requests handed to the detector at once, half of them with large pictures at most; others "
        "wait here",
        bounds=(1, 1000),
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


@dataclass(frozen=True, slots=True)
class BridgeValues:
    """Everything that the parameters say; ``language`` is that of clients who cannot choose one."""

    settings: BridgeSettings
    tcp: TcpLimits
    http: listener.HttpSettings
    cameras: tuple[CameraTopics, ...]
    language: str


def read_values(values: Mapping[str, Any], environment: Mapping[str, str]) -> BridgeValues:
    """Return what the parameters say; raises InvalidRequestError, naming the parameter."""
    settings = from_values(BridgeSettings, values)
    try:
        language = words.load_languages().resolve(settings.tcp_language)
    except UnknownLanguageError as error:
        raise InvalidRequestError(f"tcp_language: {error}") from error
    check_topic("describe_service", settings.describe_service)
    return BridgeValues(
        settings,
        from_values(TcpLimits, values, TCP_PREFIX),
        http_settings(values, environment if settings.http else {}),
        tuple(parse_cameras(settings.cameras, settings.image_transport)),
        language,
    )


def check_certificate(http: listener.HttpSettings) -> None:
    """Raise InvalidRequestError if the files of HTTPS cannot be read or do not fit together."""
    if http.certificate:
        try:
            ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(
                http.certificate, http.key
            )
        except (OSError, ValueError) as error:  # SSLError is an OSError
            raise InvalidRequestError(
                f"http_certificate {http.certificate}, http_key {http.key}: expected PEM files of "
                f"a certificate and its key: {error}"
            ) from error


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
        data = expanded(environment.get("XDG_DATA_HOME", "").strip() or "~/.local/share")
        database = environment.get(listener.DATABASE_VARIABLE) or history.database
        if not database and str(data).startswith("~"):
            raise InvalidRequestError(
                "http_history_database: expected a URL, as no home folder is known: HOME is not set"
            )
        default = f"sqlite:///{data / 'i2t_ros' / 'history.db'}"
        history = replace(history, database=database or default)
    return from_values(
        listener.HttpSettings,
        values,
        HTTP_PREFIX,
        token=environment.get(listener.TOKEN_VARIABLE, "").strip(),  # files end with a line end
        fetch=fetch,
        history=history,
    )
