"""What a detector says of itself: its model and classes, and in /diagnostics how it is doing."""

import time
import zlib
from copy import copy
from dataclasses import fields

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from std_msgs.msg import Header
from vision_msgs.msg import LabelInfo, VisionInfo

from i2t_ros.nodes.detector.cameras import DetectorCameras
from i2t_ros.nodes.detector.depth import lacking
from i2t_ros.nodes.lifecycle.runner import ManagedNode
from i2t_ros.nodes.messages.descriptions import LATCHED
from i2t_ros.nodes.messages.reports import labels_to_msg, status_to_msg
from i2t_ros.pipeline.describe_options import STAGED, DescribeOptions
from i2t_ros.pipeline.frames import CameraCounters, FrameLine
from i2t_ros.pipeline.object_detector import ObjectDetector
from i2t_ros.pipeline.reply_cache import frozen
from i2t_ros.pipeline.scheduler import RequestQueue

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


def health(
    before: CameraCounters, now: CameraCounters, trouble: str, seconds: float
) -> tuple[bytes, str]:
    """Return the level of a camera and what there is to say of it, the worst first.

    before, now  what it had counted at the last report, ``seconds`` ago, and has now
    trouble      what keeps its images away, or makes them useless
    """
    came, processed = now.received - before.received, now.processed - before.processed
    failed = now.failed - before.failed
    rates = f"{came / seconds:.1f} Hz in, {processed / seconds:.1f} Hz out"
    level, said = DiagnosticStatus.OK, []
    if failed or now.cause:  # also until the next one, if images are rare
        level = DiagnosticStatus.WARN if processed else DiagnosticStatus.ERROR
        last = f", the last: {now.cause}" if now.cause else ""
        said.append(f"failed images: {now.failed}{last}")
    if now.missing:
        level = max(level, DiagnosticStatus.WARN)
        said.append(f"images without all tasks: {now.partial}, the last: {now.missing}")
    if trouble:
        said.append(trouble)
    elif not came:
        said.append("no images in the last second")
    if said:
        level = max(level, DiagnosticStatus.WARN)
    return level, "; ".join([*said, rates] if came else said)


class Reports:
    """Publishes ~/vision_info and ~/label_info, which late subscribers get too, and /diagnostics.

    /diagnostics has one status for the model and one for each camera, every second.
    """

    def __init__(  # noqa: PLR0913, PLR0917 (all of it is reported)
        self,
        node: ManagedNode,
        detector: ObjectDetector,
        cameras: DetectorCameras,
        frames: FrameLine,
        requests: RequestQueue,
        options: DescribeOptions,
    ) -> None:
        self._node = node
        self._name = node.get_fully_qualified_name().lstrip("/")
        self._detector = detector
        self._cameras = cameras
        self._frames = frames
        self._requests = requests
        self._last: dict[str, CameraCounters] = {}
        self._requests_failed = 0
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
        counters = dict(self._frames.cameras)  # a copy: they come and go in other threads
        names = {**self._cameras.ports, **counters}  # also those without an image yet
        now_counted = {name: copy(counters.get(name, CameraCounters())) for name in names}
        statuses = [self._model(), *self._node_troubles()]
        statuses += [self._camera(*camera, seconds) for camera in now_counted.items()]
        self._last = now_counted
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
            "requests failed (not for their picture)": requests.failed,
        }
        level, message = DiagnosticStatus.OK, detector.name
        if detector.degraded:
            level, message = DiagnosticStatus.WARN, f"degraded: {detector.name}"
        if requests.failed > self._requests_failed:
            level = DiagnosticStatus.ERROR
            message += f"; failed requests: {requests.failed}, the last: {requests.cause}"
        self._requests_failed = requests.failed
        return status_to_msg(f"{self._name}: model", level, message, values)

    def _node_troubles(self) -> list[DiagnosticStatus]:
        """Return a status of the node itself, if there is anything to say."""
        message = "; ".join(self._node.troubles)
        if not message:
            return []
        return [status_to_msg(f"{self._name}: node", DiagnosticStatus.WARN, message, {})]

    def _camera(self, camera: str, counters: CameraCounters, seconds: float) -> DiagnosticStatus:
        before = self._last.get(camera, CameraCounters())
        if before.received > counters.received:  # it left and came back, and counts anew
            before = CameraCounters()
        came = counters.received - before.received
        processed = counters.processed - before.processed
        values: dict[str, object] = {
            "rate in (Hz)": f"{came / seconds:.1f}",
            "rate out (Hz)": f"{processed / seconds:.1f}",
            "received": counters.received,
            "processed": counters.processed,
            "processed in part (a task failed)": counters.partial,
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
        ports = self._cameras.ports.get(camera)
        level, message = health(before, counters, ports.trouble if ports else "", seconds)
        if ports is not None and ports.depth is not None:
            for reason, count in ports.depth.counts.items():
                values[f"without {lacking(reason)} ({reason})"] = count
            if trouble := ports.depth.trouble:
                level, message = max(level, DiagnosticStatus.WARN), f"{message}; {trouble}"
        return status_to_msg(f"{self._name}: {camera}", level, message, values)

    def _header(self) -> Header:
        return Header(stamp=self._node.get_clock().now().to_msg())
