"""What /diagnostics says of a detector: model, rates, latencies, drops by cause."""

from __future__ import annotations

import time

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray

from i2t_ros.nodes.lifecycle.runner import ManagedNode
from i2t_ros.nodes.messages.status import StatusLevel, diagnostics_to_msg, status_to_msg
from i2t_ros.pipeline.frames import CameraCounters, FrameLine
from i2t_ros.pipeline.scheduler import RequestQueue
from i2t_ros.pipeline.tasks.detect import ObjectDetector

PERIOD = 1.0
"""Seconds between two reports, as diagnostic_updater has it."""


class Health:
    """Publishes one status for the model and one for each camera, every second."""

    def __init__(
        self,
        node: ManagedNode,
        detector: ObjectDetector,
        frames: FrameLine,
        requests: RequestQueue,
    ) -> None:
        """Begin to report."""
        self._node = node
        self._detector = detector
        self._frames = frames
        self._requests = requests
        self._last: dict[str, tuple[int, int]] = {}
        self._last_time = time.monotonic()
        self._publisher = node.create_publisher(DiagnosticArray, "/diagnostics", 10)
        self._timer = node.every(PERIOD, self.report)

    def destroy(self) -> None:
        """Report no more; called while the node changes its state, so no report is under way."""
        self._node.destroy_timer(self._timer)
        self._node.destroy_publisher(self._publisher)

    def report(self) -> None:
        """Publish the state of now."""
        now = time.monotonic()
        seconds = max(now - self._last_time, 1e-3)
        self._last_time = now
        name = self._node.get_fully_qualified_name().lstrip("/")
        statuses = [status_to_msg(f"{name}: model", *self._model())]
        cameras = dict(self._frames.cameras)  # a copy: they come and go in other threads
        for camera, counters in cameras.items():
            level, message, values = self._camera(camera, counters, seconds)
            statuses.append(status_to_msg(f"{name}: {camera}", level, message, values))
        self._last = {camera: self._last[camera] for camera in cameras}
        stamp = self._node.get_clock().now().to_msg()
        self._publisher.publish(diagnostics_to_msg(stamp, statuses))

    def _model(self) -> tuple[StatusLevel, str, dict[str, object]]:
        requests = self._requests.counters
        values = {
            "model": self._detector.spec.name,
            "backend": self._detector.backend_name,
            "choice": self._detector.report,
            "requests served": requests.served,
            "requests refused (busy)": requests.refused,
            "requests expired": requests.expired,
        }
        if self._detector.degraded:
            return StatusLevel.WARN, f"degraded: {self._detector.name}", values
        return StatusLevel.OK, self._detector.name, values

    def _camera(
        self, camera: str, counters: CameraCounters, seconds: float
    ) -> tuple[StatusLevel, str, dict[str, object]]:
        received, processed = counters.received, counters.processed
        before = self._last.get(camera, (0, 0))
        self._last[camera] = received, processed
        if before[0] > received:  # a camera that left and came back, and counts anew
            before = 0, 0
        rate_in, rate_out = (received - before[0]) / seconds, (processed - before[1]) / seconds
        values: dict[str, object] = {
            "rate in (Hz)": f"{rate_in:.1f}",
            "rate out (Hz)": f"{rate_out:.1f}",
            "received": received,
            "processed": processed,
            "dropped (backend busy)": counters.dropped,
            "failed (bad image)": counters.failed,
            "unwanted (no subscriber)": counters.unwanted,
            "left out (max_rate)": counters.limited,
        }
        latencies = list(counters.latencies)  # a copy: another thread appends to it
        if latencies:
            for percent in (50, 95, 99):
                milliseconds = 1000 * np.percentile(latencies, percent)
                values[f"latency p{percent} (ms)"] = f"{milliseconds:.1f}"
        if rate_in == 0:
            return StatusLevel.WARN, "no images in the last second", values
        return StatusLevel.OK, f"{rate_in:.1f} Hz in, {rate_out:.1f} Hz out", values
