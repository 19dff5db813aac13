"""What a detector says of itself, as messages."""

from collections.abc import Mapping, Sequence

from diagnostic_msgs.msg import DiagnosticStatus, KeyValue
from std_msgs.msg import Header
from vision_msgs.msg import LabelInfo, VisionClass


def labels_to_msg(header: Header, labels: Sequence[str], threshold: float) -> LabelInfo:
    """Return the classes by number; a number without a class is left out."""
    numbered = [(number, name) for number, name in enumerate(labels) if name]
    return LabelInfo(
        header=header,
        class_map=[VisionClass(class_id=number, class_name=name) for number, name in numbered],
        threshold=threshold,
    )


def status_to_msg(
    name: str, level: bytes, message: str, values: Mapping[str, object]
) -> DiagnosticStatus:
    """Return one status of /diagnostics; ``level`` is a constant of DiagnosticStatus."""
    return DiagnosticStatus(
        name=name,
        level=level,
        message=message,
        hardware_id="i2t_ros",
        values=[KeyValue(key=key, value=str(value)) for key, value in values.items()],
    )
