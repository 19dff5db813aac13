"""What a detector says of itself: its model and classes, and in /diagnostics how it is doing."""

import time
import zlib
from dataclasses import fields

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from std_msgs.msg import Header
from vision_msgs.msg import LabelInfo, VisionInfo

from i2t_ros.nodes.lifecycle.runner import ManagedNode
from i2t_ros.nodes.messages.descriptions import LATCHED
from i2t_ros.nodes.messages.reports import labels_to_msg, status_to_msg
from i2t_ros.pipeline.describer import STAGED, DescribeOptions
from i2t_ros.pipeline.frames import CameraCounters, FrameLine
from i2t_ros.pipeline.reply_cache import frozen
from i2t_ros.pipeline.scheduler import RequestQueue
from i2t_ros.pipeline.tasks.detect import ObjectDetector

PERIOD = 1.0
"""Seconds between two reports, as diagnostic_updater has it."""


def options_version(options: DescribeOptions) -> int:
    """Return a hash of all options, the same in every process.

    With it, a program that keeps answers knows when the same image may get another one.
    """
    names = [field.name for field in fields(DescribeOptions) if field.name != "languages"]
    values = [frozen(getattr(options, name)) for name in names]
    folders = options.languages.folders if options.languages else ()
    return zlib.crc32(repr((values, folders)).encode()) & 0x7FFFFFFF


class Reports:
    """Publishes ~/vision_info and ~/label_info, which late subscribers get too, and /diagnostics.

    /diagnostics has one status for the model and one for each camera, every second.
    """

    def __init__(
        self,
        node: ManagedNode,
        detector: ObjectDetector,
        frames: FrameLine,
        requests: RequestQueue,
        options: DescribeOptions,
    ) -> None:
        self._node = node
        self._name = node.get_fully_qualified_name().lstrip("/")
        self._detector = detector
        self._frames = frames
        self._requests = requests
        self._last: dict[str, tuple[int, int]] = {}
        self._last_time = time.monotonic()
        self._vision = node.create_publisher(VisionInfo, "~/vision_info", LATCHED)
        self._labels = node.create_publisher(LabelInfo, "~/label_info", LATCHED)
        self._diagnostics = node.create_publisher(DiagnosticArray, "/diagnostics", 10)
        self.publish_model(options)
        self._timer = node.every(PERIOD, self._publish_diagnostics)

    def destroy(self) -> None:
        """Report no more; called while the node changes its state, so no report is under way."""
        self._node.destroy_timer(self._timer)
        for publisher in (self._vision, self._labels, self._diagnostics):
            self._node.destroy_publisher(publisher)

    def publish_model(self, options: DescribeOptions) -> None:
        """Publish model and classes, with what the options of the moment change."""
        detector, header = self._detector, self._header()
        self._vision.publish(
            VisionInfo(
                header=header,
                method=detector.report,
                database_location=self._labels.topic_name,
                database_version=options_version(options),
            )
        )
        threshold = detector.min_score(options.task_options[STAGED])
        self._labels.publish(labels_to_msg(header, detector.labels, threshold))

    def _publish_diagnostics(self) -> None:
        now = time.monotonic()
        seconds = max(now - self._last_time, 1e-3)
        self._last_time = now
        cameras = dict(self._frames.cameras)  # a copy: they come and go in other threads
        statuses = [self._model()]
        statuses += [self._camera(*camera, seconds) for camera in cameras.items()]
        self._last = {camera: self._last[camera] for camera in cameras}
        self._diagnostics.publish(DiagnosticArray(header=self._header(), status=statuses))

    def _model(self) -> DiagnosticStatus:
        detector, requests = self._detector, self._requests.counters
        values = {
            "model": detector.spec.name,
            "backend": detector.backend_name,
            "choice": detector.report,
            "requests served": requests.served,
            "requests refused (busy)": requests.refused,
            "requests expired": requests.expired,
        }
        message = f"degraded: {detector.name}" if detector.degraded else detector.name
        return status_to_msg(f"{self._name}: model", detector.degraded, message, values)

    def _camera(self, camera: str, counters: CameraCounters, seconds: float) -> DiagnosticStatus:
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
        message = f"{rate_in:.1f} Hz in, {rate_out:.1f} Hz out"
        if rate_in == 0:
            message = "no images in the last second"
        return status_to_msg(f"{self._name}: {camera}", rate_in == 0, message, values)

    def _header(self) -> Header:
        return Header(stamp=self._node.get_clock().now().to_msg())
