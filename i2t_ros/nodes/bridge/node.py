"""bridge_node: serves programs without ROS, over TCP and HTTP, with what a detector_node sees."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rclpy.lifecycle import LifecycleState, TransitionCallbackReturn

from i2t_ros import language as words
from i2t_ros.bridges.loop_thread import LoopThread
from i2t_ros.bridges.tcp.server import TcpServer
from i2t_ros.bridges.tcp.service import TcpLimits
from i2t_ros.errors import I2tError
from i2t_ros.nodes.bridge.cameras import BridgeCameras
from i2t_ros.nodes.bridge.detector_client import DetectorClient
from i2t_ros.nodes.bridge.detector_configuration import DetectorConfiguration
from i2t_ros.nodes.detector.camera_ports import parse_cameras
from i2t_ros.nodes.lifecycle.runner import ManagedNode, run_lifecycle_node
from i2t_ros.nodes.parameters.bridge import TCP_PREFIX, BridgeSettings
from i2t_ros.nodes.parameters.http import BRIDGE_NODE, http_settings
from i2t_ros.optional import needed_for
from i2t_ros.options import from_values
from i2t_ros.types import DescribeRequest

if TYPE_CHECKING:
    from i2t_ros.bridges.http.server import HttpServer

INSTALL_HTTP = (
    'pip install "i2t_ros[web]", or apt install python3-fastapi python3-uvicorn python3-multipart '
    "python3-websockets python3-prometheus-client python3-httpcore; without it, set http:=false"
)
START_LIMIT = 10.0
"""Seconds for the listeners to open."""


class BridgeNode(ManagedNode):
    """Listeners on one asyncio loop beside the ROS executor, in front of one detector."""

    def __init__(self, **node_options: Any) -> None:
        """Declare the parameters; raises RequestError for one that makes no sense."""
        super().__init__("bridge_node", BRIDGE_NODE, **node_options)
        self._loop = LoopThread()
        self._detector: DetectorClient | None = None
        self._tcp: TcpServer | None = None
        self._cameras: BridgeCameras | None = None
        self._configuration: DetectorConfiguration | None = None
        self._http: HttpServer | None = None

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Check the parameters and look for the detector; nothing listens yet."""
        settings = from_values(BridgeSettings, self.values)
        self._loop.start()
        self._detector = DetectorClient(
            self, settings.describe_service, self._loop, settings.detector_requests
        )
        self.configured = True
        return TransitionCallbackReturn.SUCCESS

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Open the listeners."""
        assert self._detector is not None  # noqa: S101 (configured)
        values = self.values
        address = f"{values['tcp_host']} port {values['tcp_port']}"
        try:
            self._tcp = self._loop.call(self._open_tcp(values, self._detector), START_LIMIT)
            if values["http"]:
                address = f"{values['http_host']} port {values['http_port']}"
                self._open_http(values, self._detector)
        except (I2tError, OSError) as error:
            self.get_logger().fatal(f"cannot listen on {address}: {error}")
            self._close_listeners()
            return TransitionCallbackReturn.FAILURE
        known = "is there" if self._detector.ready() else "is not there yet"
        self.get_logger().info(f"active: detector {self._detector.service} {known}")
        return super().on_activate(state)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Close the listeners; requests that have begun are answered first."""
        self._close_listeners()
        return super().on_deactivate(state)

    def release(self) -> None:
        """Close the listeners, then end the loop. May be called more than once."""
        self._close_listeners()
        self._loop.stop()
        if self._detector is not None:
            self._detector.close()
            self._detector = None
        self.configured = False

    @staticmethod
    async def _open_tcp(values: dict[str, Any], detector: DetectorClient) -> TcpServer:
        server = TcpServer(
            detector,
            values["tcp_host"],
            values["tcp_port"],
            limits=from_values(TcpLimits, values, TCP_PREFIX),
            version_1=DescribeRequest(
                language=words.resolve_language(values["tcp_language"]),
                style=words.check_style(values["tcp_style"]),
            ),
        )
        await server.start()
        return server

    def _open_http(self, values: dict[str, Any], detector: DetectorClient) -> None:
        """Serve HTTP; raises I2tError and OSError."""
        with needed_for("the HTTP listener", INSTALL_HTTP):
            from i2t_ros.bridges.http.app import create_app  # noqa: PLC0415
            from i2t_ros.bridges.http.server import HttpServer  # noqa: PLC0415
        results = values["describe_service"].removesuffix("describe")
        cameras = BridgeCameras(
            self,
            self._loop,
            parse_cameras(values["cameras"]),
            results,
            values["image_transport"] == "compressed",
        )
        self._cameras = cameras
        if values["http_history"]:
            self._configuration = DetectorConfiguration(self, f"{results}vision_info")
        configuration = self._configuration.text if self._configuration else None

        def unready() -> str:
            return "" if detector.ready() else f"no detector offers {detector.service}"

        async def start() -> HttpServer:
            cameras.open()
            settings = http_settings(values, os.environ)
            app = create_app(
                detector,
                cameras.hub,
                settings,
                sink=cameras,
                unready=unready,
                configuration=configuration,
            )
            server = HttpServer(app, values["http_host"], values["http_port"])
            await server.start()
            return server

        self._http = self._loop.call(start(), START_LIMIT)

    def _close_listeners(self) -> None:
        # The answers that they wait for come through the DetectorClient's own thread.
        if self._http is not None:
            self._loop.call(self._http.close(), self._http.drain_time + START_LIMIT)
            self._http = None
        if self._cameras is not None:
            self._cameras.close()
            self._cameras = None
        if self._configuration is not None:
            self._configuration.close()
            self._configuration = None
        if self._tcp is not None:
            self._loop.call(self._tcp.close(), self._tcp.limits.drain_time + START_LIMIT)
            self._tcp = None


def main(args: Sequence[str] | None = None) -> int:
    """Run bridge_node until it is interrupted; returns the exit code."""
    return run_lifecycle_node("bridge_node", __doc__ or "", BridgeNode, BRIDGE_NODE, args)
