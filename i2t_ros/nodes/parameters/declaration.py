"""Options as parameters of a node: declared, read, checked when they change."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
    SetParametersResult,
)
from rclpy.node import Node
from rclpy.parameter import Parameter

from i2t_ros.errors import I2tError, InvalidRequestError
from i2t_ros.options import Option, Value


def ros_default(option: Option) -> Value:
    """Return a default as ROS takes it, which cannot tell the type of a list without elements."""
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
        low, high = (int(bound) for bound in option.bounds)
        shown.integer_range = [IntegerRange(from_value=low, to_value=high, step=1)]
    return shown


def declare(node: Node, options: Iterable[Option]) -> None:
    """Declare options as parameters; raises InvalidRequestError for a bad override at start."""
    for option in options:
        node.declare_parameter(option.name, ros_default(option), descriptor(option))
        option.check(node.get_parameter(option.name).value)


def unknown_overrides(node: Node) -> list[str]:
    """Return the names that values were given for at start, but that are no parameters.

    rclpy drops such values without a word.
    """
    # rclpy has no public way to what was given; without this attribute nothing is found.
    given = getattr(node, "_parameter_overrides", {})
    return [
        name
        for name in given
        if not node.has_parameter(name) and not name.startswith("qos_overrides.")
    ]


def values_of(node: Node, options: Iterable[Option]) -> dict[str, Any]:
    """Return the values of parameters by name."""
    return {option.name: node.get_parameter(option.name).value for option in options}


def checked_changes(
    options: Iterable[Option],
    changes: Iterable[Parameter],
    now: Mapping[str, Value],
    *,
    configured: bool,
) -> dict[str, Value]:
    """Return new values by name; raises InvalidRequestError for the first that is not allowed.

    A value that is the present one is always allowed: `ros2 param load` gives all of them.
    """
    known = {option.name: option for option in options}
    new = {
        change.name: change.value
        for change in changes
        if change.name in known and change.value != now[change.name]
    }
    for name, value in new.items():
        if configured and known[name].changes == "configure":
            raise InvalidRequestError(
                f"{name} is read when the node is configured; deactivate and clean up the node, "
                "set it, and configure it again"
            )
        known[name].check(value)
    return new


def guard(
    node: Node,
    options: Iterable[Option],
    configured: Callable[[], bool],
    take: Callable[[dict[str, Any]], None] = lambda values: None,
) -> None:
    """Have a node's changes checked together, and all of them taken or all refused.

    ``take`` is called with the values by name, old and new; what it raises refuses the change.
    """

    def check(changes: list[Parameter]) -> SetParametersResult:
        try:
            now = values_of(node, options)
            take(now | checked_changes(options, changes, now, configured=configured()))
        except I2tError as error:
            return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)

    node.add_on_set_parameters_callback(check)
