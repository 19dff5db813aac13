"""Diagnostics, and which model is at work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from diagnostic_msgs.msg import DiagnosticStatus, KeyValue
from std_msgs.msg import Header
from vision_msgs.msg import LabelInfo, VisionClass


def status_to_msg(
    name: str, warning: bool, message: str, values: Mapping[str, object]
) -> DiagnosticStatus:
    """Return one line of /diagnostics with its details."""
    return DiagnosticStatus(
        name=name,
        level=DiagnosticStatus.WARN if warning else DiagnosticStatus.OK,
        message=message,
        hardware_id="i2t_ros",
        values=[KeyValue(key=key, value=str(value)) for key, value in values.items()],
    )


def label_info_to_msg(header: Header, labels: Sequence[str], min_score: float) -> LabelInfo:
    """Return the model's label table; numbers without a class are left out."""
    classes = [
        VisionClass(class_id=number, class_name=name) for number, name in enumerate(labels) if name
    ]
    return LabelInfo(header=header, class_map=classes, threshold=min_score)
