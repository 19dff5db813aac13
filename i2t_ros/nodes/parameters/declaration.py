"""Options as parameters of a node."""

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.exceptions import ParameterException
from rclpy.node import Node
from rclpy.parameter import Parameter

from i2t_ros.options import Option, Value

AUTOSTART = Option(
    "autostart",
    True,
    "configure and activate at start; false: wait for transitions",
    changes="never",
)
"""A parameter of every node."""


def ros_default(option: Option) -> Value:
    """Return a default for ROS."""
    return _ros_value(option.default)


def _ros_value(value: Value) -> Value:
    """Return a value for ROS, which cannot infer the type of an empty list."""
    return [""] if value == [] else value


def declare(node: Node, option: Option) -> None:
    """Declare a parameter. Its value is what is meant by the one that is given; see Option.meant.

    Raises InvalidRequestError.
    """
    name, default = option.name, ros_default(option)
    try:
        node.declare_parameter(name, default, descriptor(option))
        value = node.get_parameter(name).value
    except ParameterException:  # the given value has another type, or none, or is out of bounds
        if node.has_parameter(name):
            node.undeclare_parameter(name)
        as_given = ParameterDescriptor(dynamic_typing=True)
        value = option.meant(node.declare_parameter(name, default, as_given).value)
        option.check(value)  # its text is better than rclpy's
        node.undeclare_parameter(name)
        node.declare_parameter(name, _ros_value(value), descriptor(option), ignore_override=True)
    option.check(value)


def meant(option: Option, change: Parameter) -> Parameter:
    """Return the change that is meant by one whose value may have another type.

    Raises InvalidRequestError.
    """
    if change.type_ == Parameter.Type.NOT_SET:  # rclpy says that it cannot be undeclared
        return change
    return Parameter(option.name, value=_ros_value(option.meant(change.value)))


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
