"""Diagnostics, and which model is at work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum

from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from std_msgs.msg import Header
from vision_msgs.msg import LabelInfo, VisionClass, VisionInfo


class StatusLevel(Enum):
    """Levels of a diagnostic status."""

    OK = DiagnosticStatus.OK
    WARN = DiagnosticStatus.WARN
    ERROR = DiagnosticStatus.ERROR


def status_to_msg(
    name: str, level: StatusLevel, message: str, values: Mapping[str, object]
) -> DiagnosticStatus:
    """Return one line of /diagnostics with its details."""
    pairs = [KeyValue(key=key, value=str(value)) for key, value in values.items()]
    return DiagnosticStatus(
        name=name, level=level.value, message=message, hardware_id="i2t_ros", values=pairs
    )


def diagnostics_to_msg(stamp: Time, statuses: list[DiagnosticStatus]) -> DiagnosticArray:
    """Return what /diagnostics carries."""
    return DiagnosticArray(header=Header(stamp=stamp), status=statuses)


def label_info_to_msg(header: Header, labels: Sequence[str], min_score: float) -> LabelInfo:
    """Return the model's label table; numbers without a class are left out."""
    classes = [
        VisionClass(class_id=number, class_name=name) for number, name in enumerate(labels) if name
    ]
    return LabelInfo(header=header, class_map=classes, threshold=min_score)


def vision_info_to_msg(header: Header, method: str, labels_at: str, version: int) -> VisionInfo:
    """Return which model is at work, and on which topic its labels are.

    version  another number whenever the same image may get another answer
    """
    return VisionInfo(
        header=header, method=method, database_location=labels_at, database_version=version
    )
