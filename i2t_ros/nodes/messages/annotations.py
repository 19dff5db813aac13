"""What was found, as annotations of foxglove_msgs, which need not be installed."""

from importlib import import_module
from typing import Any

from std_msgs.msg import Header

from i2t_ros.optional import pass_on_interrupt
from i2t_ros.pipeline.annotations import annotations_of
from i2t_ros.pipeline.describe_options import DescribeOptions
from i2t_ros.types import Scene


def annotation_types() -> Any:
    """Return the module foxglove_msgs.msg; None if it cannot be imported."""
    try:
        return import_module("foxglove_msgs.msg")
    except ImportError as error:
        pass_on_interrupt(error)
        return None


def annotations_to_msg(types: Any, header: Header, scene: Scene, options: DescribeOptions) -> Any:
    """Return a scene as ImageAnnotations; see annotations_of."""
    return annotations_of(types, header.stamp, scene, options)
