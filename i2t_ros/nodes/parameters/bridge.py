"""What bridge_node can be told, but for its HTTP listener."""

from __future__ import annotations

from dataclasses import dataclass, field

from i2t_ros import language as words
from i2t_ros.bridges.tcp.limits import TcpLimits
from i2t_ros.bridges.tcp.wire import DEFAULT_PORT
from i2t_ros.nodes.parameters.lifecycle import LifecycleSettings
from i2t_ros.options import Option, option, options_of

TCP_PREFIX = "tcp_"


@dataclass(frozen=True, slots=True)
class BridgeSettings:
    """Whom the bridge asks, and where its TCP listener is."""

    describe_service: str = option(
        "detector_node/describe", "the Describe service of the detector to ask"
    )
    detector_requests: int = option(
        8, "requests handed to the detector at once; others wait here", bounds=(1, 1000)
    )
    tcp_host: str = option(
        "127.0.0.1",
        "address to listen on; 127.0.0.1 is this machine alone, 0.0.0.0 every network it is in",
    )
    tcp_port: int = option(DEFAULT_PORT, "port; 0: any that is free", bounds=(0, 65_535))
    tcp_language: str = option("es", "of the sentences for clients that cannot name one")
    tcp_style: str = option("list", "of the same sentences", choices=words.STYLES)
    lifecycle: LifecycleSettings = field(default_factory=LifecycleSettings)


BRIDGE: tuple[Option, ...] = (*options_of(BridgeSettings), *options_of(TcpLimits, TCP_PREFIX))
