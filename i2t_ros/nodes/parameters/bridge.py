"""The parameters of bridge_node and of its TCP listener, and what they become."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from i2t_ros import language as words
from i2t_ros.bridges.tcp.server import TcpLimits
from i2t_ros.bridges.tcp.wire import DEFAULT_PORT
from i2t_ros.nodes.parameters.spec import ParameterSpec

_TCP = TcpLimits()


def _seconds(name: str, text: str, *, low: float = 0.01) -> ParameterSpec:
    """Return the parameter of one of the listener's time limits."""
    return ParameterSpec(f"tcp_{name}", getattr(_TCP, name), text, bounds=(low, 86_400.0))


BRIDGE: tuple[ParameterSpec, ...] = (
    ParameterSpec(
        "describe_service", "detector_node/describe", "the Describe service of the detector to ask"
    ),
    ParameterSpec(
        "detector_requests",
        8,
        "requests handed to the detector at once; others wait here",
        bounds=(1, 1000),
    ),
    ParameterSpec(
        "tcp_host",
        "127.0.0.1",
        "address to listen on; 127.0.0.1 is this machine alone, 0.0.0.0 every network it is in",
    ),
    ParameterSpec("tcp_port", DEFAULT_PORT, "port; 0: any that is free", bounds=(0, 65_535)),
    ParameterSpec("tcp_language", "es", "of the sentences for clients that cannot name one"),
    ParameterSpec("tcp_style", "list", "of the same sentences", choices=tuple(words.STYLES)),
    ParameterSpec(
        "tcp_max_image_bytes",
        _TCP.max_image_bytes,
        "pictures of more bytes are refused",
        bounds=(1, 2**31 - 1),
    ),
    ParameterSpec(
        "tcp_max_connections",
        _TCP.max_connections,
        "clients served at once; further ones are told that it is busy",
        bounds=(1, 100_000),
    ),
    _seconds("idle_time", "seconds without a byte after which a client is given up"),
    _seconds("receive_time", "seconds that a client may take to send one request"),
    _seconds("request_time", "seconds that the detector may take for one request"),
    _seconds("send_time", "seconds that a client may take to accept each part of its reply"),
    _seconds(
        "header_pause",
        "seconds between header and picture of a version 1 reply, whose clients need one",
        low=0.0,
    ),
    _seconds("empty_time", "seconds of silence after a size of 0 that end a version 1 request"),
    _seconds("linger_time", "seconds in which a client may take its last reply", low=0.0),
    _seconds("drain_time", "seconds at shutdown for requests that have begun", low=0.0),
    ParameterSpec(
        "autostart",
        True,
        "configure and activate at start; false: wait for transitions",
        changes="never",
    ),
)


def tcp_limits(values: Mapping[str, Any]) -> TcpLimits:
    """Return what TCP clients may cost."""
    names = [field.name for field in dataclasses.fields(TcpLimits)]
    return TcpLimits(**{name: values[f"tcp_{name}"] for name in names})
