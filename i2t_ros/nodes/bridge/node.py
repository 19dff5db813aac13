"""bridge_node: serves programs without ROS, over TCP and HTTP, with what a detector_node sees."""

import os
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import Any

from rclpy.lifecycle import LifecycleState, TransitionCallbackReturn

from i2t_ros.bridges.loop_thread import LoopThread
from i2t_ros.bridges.tcp.server import TcpServer
from i2t_ros.errors import I2tError
from i2t_ros.installation import how_to_install
from i2t_ros.nodes.bridge.cameras import BridgeCameras
from i2t_ros.nodes.bridge.detector_client import DetectorClient, DetectorConfiguration
from i2t_ros.nodes.lifecycle.runner import ManagedNode, run_lifecycle_node
from i2t_ros.nodes.lifecycle.spinning import Pulse
from i2t_ros.nodes.parameters.bridge import BRIDGE, BridgeValues, check_certificate, read_values
from i2t_ros.optional import needed_for
from i2t_ros.types import DescribeRequest

START_LIMIT = 10.0
"""Seconds for the listeners to open."""
WATCH_PERIOD = 1.0
"""Seconds between two checks whether a detector is there."""


class BridgeNode(ManagedNode):
    """Listeners on one asyncio loop beside the ROS executor, in front of one detector."""

    program = "bridge_node"
    table = BRIDGE

    def __init__(self, **node_options: Any) -> None:
        super().__init__(**node_options)
        self._loop = LoopThread()
        self._pulse = Pulse(self)
        self._detector: DetectorClient | None = None
        self._detector_there: bool | None = None  # None while nothing listens
        self._listeners = ExitStack()  # what closes them, the last one first
        self.every(WATCH_PERIOD, self._watch)

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Check the parameters and look for the detector; nothing listens yet."""
        given = self._given
        if given.settings.http:
            check_certificate(given.http)
        self._loop.start()
        self._detector = DetectorClient(
            self, given.settings.describe_service, self._loop, given.settings.detector_requests
        )
        self.configured = True
        return TransitionCallbackReturn.SUCCESS

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Open the listeners."""
        assert self._detector is not None  # noqa: S101 (configured)
        settings = self._given.settings
        try:
            self._open_tcp(self._given, self._detector)
            if settings.http:
                self._open_http(self._given, self._detector)
        except (I2tError, OSError) as error:
            self.get_logger().fatal(f"cannot listen: {error}")
            self._listeners.close()
            return TransitionCallbackReturn.FAILURE
        self._detector_there = self._detector.ready()
        known = "is there" if self._detector_there else "is not there yet"
        self.get_logger().info(f"active: detector {self._detector.service} {known}")
        return super().on_activate(state)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Close the listeners; requests that have begun are answered first."""
        self._detector_there = None
        # The answers that they wait for come through the DetectorClient's own thread.
        self._listeners.close()
        return super().on_deactivate(state)

    def release(self) -> None:
        """Close the listeners, then end the loop. May be called more than once."""
        self.configured = False
        self._detector_there = None
        detector, self._detector = self._detector, None
        with ExitStack() as steps:  # each is taken even if one before it takes too long
            if detector is not None:
                steps.callback(detector.close)
            steps.callback(self._loop.stop)
            steps.callback(self._listeners.close)

    def _watch(self) -> None:
        """Say that the detector has come, or has gone."""
        if self._detector is None or self._detector_there in (None, self._detector.ready()):
            return
        self._detector_there = not self._detector_there
        if self._detector_there:
            self.get_logger().info(f"detector {self._detector.service} has come")
        else:
            self.get_logger().warning(
                f"detector {self._detector.service} has gone; requests are refused until it is back"
            )

    def take_parameters(self, values: dict[str, Any]) -> None:
        """Take the values of all parameters; raises InvalidRequestError if they make no sense."""
        self._given: BridgeValues = read_values(values, os.environ)

    def _open_tcp(self, given: BridgeValues, detector: DetectorClient) -> None:
        settings = given.settings
        server = TcpServer(
            detector,
            settings.tcp_host,
            settings.tcp_port,
            limits=given.tcp,
            version_1=DescribeRequest(language=given.language, style=settings.tcp_style),
        )
        self._loop.call(server.start(), START_LIMIT)
        self._listeners.callback(self._close, server, given.tcp.drain_time)

    def _open_http(self, given: BridgeValues, detector: DetectorClient) -> None:
        """Serve HTTP; raises I2tError and OSError."""
        install = f"{how_to_install('web')}; without it, set http:=false"
        with self.interruptible(), needed_for("the HTTP listener", install):
            from i2t_ros.bridges.http.server import HttpServer  # noqa: PLC0415
            from i2t_ros.bridges.http.services import Services  # noqa: PLC0415
        settings = given.settings
        results = settings.describe_service.removesuffix("describe")
        configuration: Callable[[], str] = str
        if settings.http_history:
            followed = DetectorConfiguration(self, f"{results}vision_info")
            self._listeners.callback(followed.close)
            configuration = followed.text
        cameras = BridgeCameras(self, self._loop, given.cameras, results)
        self._listeners.callback(cameras.close)

        async def start() -> HttpServer:
            cameras.open()
            services = Services(
                detector,
                cameras.hub,
                given.http,
                sink=cameras,
                unready=lambda: self._pulse.stalled() or detector.unready(),
                configuration=configuration,
            )
            server = HttpServer(services, settings.http_host, settings.http_port)
            await server.start()
            return server

        server = self._loop.call(start(), START_LIMIT)
        self._listeners.callback(self._close, server, server.drain_time)

    def _close(self, server: Any, drain_time: float) -> None:
        self._loop.call(server.close(), drain_time + START_LIMIT)


main = partial(run_lifecycle_node, BridgeNode)
