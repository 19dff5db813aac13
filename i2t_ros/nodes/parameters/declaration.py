"""Options as parameters of a node."""

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor

from i2t_ros.options import Option, Value

AUTOSTART = Option(
    "autostart",
    True,
    "configure and activate at start; false: wait for transitions",
    changes="never",
)
"""A parameter of every node."""


def ros_default(option: Option) -> Value:
    """Return a default for ROS, which cannot infer the type of an empty list."""
    return [""] if option.default == [] else option.default


def descriptor(option: Option) -> ParameterDescriptor:
    """Return what ``ros2 param describe`` shows."""
    shown = ParameterDescriptor(description=option.text, read_only=option.changes == "never")
    if option.choices:
        shown.additional_constraints = "one of: " + ", ".join(option.choices)
    if option.bounds and isinstance(option.default, float):
        low, high = option.bounds
        shown.floating_point_range = [FloatingPointRange(from_value=low, to_value=high)]
    elif option.bounds:
        low, high = map(int, option.bounds)
        shown.integer_range = [IntegerRange(from_value=low, to_value=high, step=1)]
    return shown
